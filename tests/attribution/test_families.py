"""Kernel families, generation by generation."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.attribution.families import kernel_family, load_rules
from harness.errors import InputError

XMMA = "sm80_xmma_fprop_implicit_gemm_f32f32_f32f32_f32_nhwckrsc_nhwc_tilesize32x32x8_g1_ffma"


@pytest.mark.parametrize(
    ("kernel", "kind", "family"),
    [
        (
            "sm70_xmma_gemm_as_conv1x1_f32f32_f32_f32_tn_n_simt_small_batch_bias_relu",
            "CaskGemmConvolution",
            "gemm_as_conv1x1",
        ),
        ("sm70_gemm_as_1x1conv_f16", "CaskConvolution", "gemm_as_conv1x1"),
        ("sm80_xmma_gemm_f32f32_f32f32_f32_tn_n_tilesize32x32x8", "CaskGemmConvolution", "gemm"),
        ("sm50_xmma_cublas_gemvx_f32f32_f32_f32_tn_n", "CaskGemmConvolution", "gemm"),
        ("ampere_h16816gemm_64x64_ldg8_stages_64x5_nn", None, "gemm"),
        ("volta_sgemm_128x32_nn", None, "gemm"),
        ("cutlass_80_tensorop_h16816gemm_128x128", None, "gemm"),
        (XMMA + "_simple_t1r1s1_aligna4_alignc4", "CaskConvolution", "implicit_gemm"),
        ("sm80_xmma_fprop_conv1x1_f32f32", "CaskConvolution", "implicit_gemm"),
        ("maxwell_scudnn_128x32_relu_interior_nn_v1", "CaskConvolution", "implicit_gemm"),
        ("turing_h1688cudnn_256x64_ldg8_relu_exp_interior_nhwc_tn_v1", "CaskConvolution", "implicit_gemm"),
        ("volta_scudnn_winograd_128x128_ldg1_ldg4_relu_tile148t_nt_v1", "CaskConvolution", "winograd"),
        ("fft2d_r2c_32x32", "CudnnConvolution", "fft"),
        ("conv2d_grouped_direct_f32f32f32_nchw_nchw", "CaskConvolution", "direct"),
        ("sm50_xmma_conv_fprop_fused_conv_act_fp32_NCHW_fp32_NCHW_KCRS", "CaskConvolution", "direct"),
        (
            "sm50_xmma_convolution_trt_depthwiseFP32NHWC4_fp32nhwcx4_fp32nhwcx4_fp32kcrs",
            "CaskConvolution",
            "depthwise",
        ),
        (
            "sm50_xmma_convolution_depthwiseHMMA_FP16NHWCx8_TR3_TS3_STRIDEH1_STRIDEW1",
            "CaskConvolution",
            "depthwise",
        ),
        ("sm50_xmma_fprop_conv3d_c1_k1_f32f32_f32_f32_ndhwcktrsc_ndhwc", "CaskConvolution", "depthwise"),
        ("sm50_xmma_pooling_fw_4d_FP32FP32NHWC_Average_FastDiv_CAlign4", "CaskPooling", "pooling"),
        (None, "CudaDepthwiseConvolution", "depthwise"),
        (
            "sm72_trt_dep_sep_conv_turing_CONFIG_10_64x128x32_stride_2",
            "CaskConvolution",
            "depthwise_separable",
        ),
        ("sm80_trt_dep_sep_conv_C32K64_cta_2", None, "depthwise_separable"),
        (None, "CaskDepSepConvolution[0x8000003b]", "depthwise_separable"),
        (None, "FusedConvActConvolution", "direct"),
        (None, "FusedConvActDirect", "direct"),
        (None, "CublasConvolution", "gemm"),
        (None, "CaskGemmConvolution[0x8000002e]", "gemm"),
        (None, "gemm", "gemm"),
        (None, "PointWiseV2", "pointwise"),
        (None, "TiledPooling", "pooling"),
        (None, "Reformat", "reformat"),
        (None, "MyelinReformat[0x80000035]", "reformat"),
        (None, "NoOp", "no_op"),
        (None, "Myelin", "myelin"),
        (None, "Shuffle", "shuffle"),
        (None, "LogSoftmaxTopK", "softmax"),
        (None, "CaskConvolution", "unknown"),
        ("something_new", "Fancy", "unknown"),
        (None, None, "unknown"),
    ],
)
def test_kernels_and_types(kernel: str | None, kind: str | None, family: str) -> None:
    assert kernel_family(kernel, kind) == family


@pytest.mark.parametrize(
    ("tactic", "family"),
    [
        ("0", "implicit_gemm"),
        ("1", "implicit_gemm"),
        ("2", "gemm"),
        ("0x5", "fft"),
        ("6", "winograd"),
        ("57", "unknown"),
    ],
)
def test_cudnn_algorithms_are_told_by_number(tactic: str, family: str) -> None:
    assert kernel_family(None, "CudnnConvolution", tactic=tactic) == family


def test_numbered_runners_are_read_only_for_the_versions_that_print_them() -> None:
    assert kernel_family(None, "3", tactic="5", version="5.1.5") == "direct"
    assert kernel_family(None, "3", tactic="5", version="8.6.0") == "unknown"
    assert kernel_family(None, "3", tactic="5") == "unknown"
    assert kernel_family(None, "3", tactic="5", version="unknown") == "unknown"


def test_profiles_without_types_are_told_by_name() -> None:
    assert kernel_family(None, name="a/b input reformatter 0") == "reformat"
    assert kernel_family(None, name="{ForeignNode[a...b]}") == "myelin"
    assert kernel_family(None, "kgen", name="__myl_MaxMinCas_myl4_0") == "pointwise"
    assert kernel_family(None, "kgen", name="__myl_ReshTran_myl4_0") == "myelin"
    assert kernel_family(None, name="a + b") == "unknown"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("nothing = 1", "expected TOML with"),
        ("[[rule]]\nfamily = 'new'", "rule 1: 'new' is not a valid"),
        ("[[rule]]\nfamily = 'gemm'\nkernl = 'x'", "rule 1: unknown key 'kernl'"),
        ("[[rule]]\nfamily = 'gemm'\nkernel = '('", "rule 1"),
        ("[[rule]]\nkernel = 'x'", "rule 1: 'family'"),
    ],
)
def test_a_bad_rule_file_is_one_clear_line(tmp_path: Path, text: str, problem: str) -> None:
    path = tmp_path / "rules.toml"
    path.write_text(text)
    with pytest.raises(InputError, match=problem) as caught:
        load_rules(path)
    assert "\n" not in str(caught.value)
