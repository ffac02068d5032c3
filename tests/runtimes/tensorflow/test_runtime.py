"""TensorFlow: what it needs and refuses, and attribution of its nodes on builds it really made."""

from __future__ import annotations

import dataclasses

import pytest

from harness.attribution.engine import KernelFamily, LayerRole
from harness.attribution.families import kernel_family
from harness.evidence.records import EngineLayer
from harness.matrix.cell import Cell
from harness.matrix.treatment import Treatment
from harness.plugins import registry
from harness.runtimes.tensorflow.attribute import claim, rules
from harness.runtimes.tensorflow.runtime import TensorFlow
from tests.runtimes.recorded_cpu import covered, engine
from tests.runtimes.recorded_cpu import rows as rows_of
from tests.worker.worker_jobs import small_network

FUSED = [
    ("convolution", ("Conv/Conv2D", "Conv/Relu6")),
    ("pointwise", ("block/expand/Conv2D", "block/expand/Relu6")),
    ("depthwise", ("block/depthwise/depthwise", "block/depthwise/Relu6")),
    ("pointwise", ("block/project/Conv2D",)),
    ("elementwise", ("block/add",)),
    ("pooling", ("Logits/AvgPool",)),
    ("pointwise", ("Logits/Conv2d_1c_1x1/Conv2D",)),
]


@pytest.mark.parametrize(
    ("version", "bounds"),
    [
        ("1.15.0", ((3, 6), (3, 7))),
        ("2.12.1", ((3, 8), (3, 11))),
        ("2.14.1", ((3, 9), (3, 11))),
        ("2.17.1", ((3, 9), (3, 12))),
        ("2.21.0", ((3, 10), (3, 13))),
        ("1.14.0", None),
    ],
)
def test_which_pythons_have_wheels(
    version: str, bounds: tuple[tuple[int, int], tuple[int, int]] | None
) -> None:
    assert TensorFlow().pythons(version) == bounds


def test_old_versions_need_bounds_that_they_do_not_set() -> None:
    old = ("tensorflow-cpu==1.15.0", "protobuf<3.21", "numpy<1.20")
    assert tuple(TensorFlow().requirements("1.15.0", (3, 7))) == old
    early = ("tensorflow-cpu==2.8.4", "protobuf<3.21", "numpy<1.24")
    assert tuple(TensorFlow().requirements("2.8.4", (3, 10))) == early
    assert tuple(TensorFlow().requirements("2.12.1", (3, 11))) == ("tensorflow-cpu==2.12.1",)
    assert tuple(TensorFlow().requirements("2.21.0", (3, 11))) == ("tensorflow-cpu==2.21.0",)


@pytest.mark.parametrize(
    ("treatment", "reason"),
    [
        ({}, None),
        ({"relu6": "relu_sub", "batch": 8, "source": "api"}, None),
        ({"precision": "fp16"}, "tensorflow on the CPU has no precision 'fp16'"),
        ({"tensor_format": "hwc"}, "tensorflow on the CPU has no tensor format 'hwc'"),
        ({"source": "onnx"}, "tensorflow on the CPU has no source 'onnx'"),
    ],
)
def test_what_a_cpu_cannot_do(treatment: dict[str, object], reason: str | None) -> None:
    changed = dataclasses.replace(Treatment(), **treatment)  # type: ignore[arg-type]
    cell = Cell("mobilenet_v2", changed, "tensorflow", "2.21.0", "venv")
    assert TensorFlow().unsupported(cell) == reason


def test_the_data_format_is_a_treatment_of_its_own() -> None:
    table = registry.parts().treatments
    field = next(item for item in table.fields if item.name == "data_format")
    assert table.runtimes(field) == ("tensorflow", "tftrt")
    asked = Treatment(own=(("data_format", "nchw"),))
    assert table.fitted(asked, "tensorflow").label == "fp32-b1-clip-nchw"
    assert table.fitted(Treatment(), "tensorflow").label == "fp32-b1-clip"


def test_onednn_fuses_depthwise_convolutions_and_does_not_name_its_kernels() -> None:
    evidence, found = engine("tensorflow", "2.21.0", "clip")
    assert [(op_class, ops) for _, _, op_class, ops in rows_of(found)] == FUSED
    assert [family for family, _, _, _ in rows_of(found)] == [
        *("unknown", "unknown", "depthwise", "unknown", "pointwise", "pooling", "unknown")
    ]
    assert found.unattributed_ms == 0
    assert evidence.warnings == ()
    assert {x for layer in found.layers for x in layer.output_formats} == {"NHWC"}


def test_1_15_runs_bias_and_relu6_of_a_depthwise_convolution_on_their_own() -> None:
    evidence, found = engine("tensorflow", "1.15.0", "clip")
    rows = [(family, op_class, ops) for family, _, op_class, ops in rows_of(found)]
    assert rows[2:5] == [
        ("depthwise", "depthwise", ("block/depthwise/depthwise",)),
        ("pointwise", "depthwise", ("block/depthwise/depthwise",)),
        ("pointwise", "activation", ("block/depthwise/Relu6",)),
    ]
    assert [layer.name for layer in found.layers if layer.standalone_activation] == ["block/depthwise/Relu6"]
    assert [family for family, op_class, _ in rows if op_class == "pointwise"] == ["gemm"] * 3
    assert rows[0][0] == "implicit_gemm"
    assert found.unattributed_ms == 0
    assert str(evidence.facts["tensorflow"]) == "1.15.0"


@pytest.mark.parametrize("version", ["1.15.0", "2.21.0"])
@pytest.mark.parametrize("relu6", ["clip", "relu_sub"])
def test_every_op_is_carried(version: str, relu6: str) -> None:
    evidence, found = engine("tensorflow", version, relu6)
    assert covered(found) == {op.name for op in small_network(relu6).ops}
    assert found.unattributed_ms == 0
    assert evidence.profile is not None
    assert len(evidence.profile.rounds) == evidence.iterations == 5


@pytest.mark.parametrize(
    ("name", "kind", "role"),
    [
        ("Conv/Conv2D/to_nhwc", "Transpose", LayerRole.REFORMAT),
        ("Conv/Conv2D-0-TransposeNHWCToNCHW-LayoutOptimizer", "Transpose", LayerRole.REFORMAT),
        ("made/up", "Identity", LayerRole.NO_OP),
        ("made/up", "SomeNewOp", LayerRole.COMPUTE),
    ],
)
def test_what_carries_nothing(name: str, kind: str, role: LayerRole) -> None:
    found = claim({"Conv/Conv2D"}, EngineLayer(position=0, name=name, type=kind, kernel=kind))
    assert (found.role, found.ops) == (role, ())


@pytest.mark.parametrize(
    ("kernel", "kind", "family"),
    [
        ("Conv2D 1x1", "Conv2D", "gemm"),
        ("_FusedConv2D 1x1 strided + BiasAdd", "_FusedConv2D", "implicit_gemm"),
        ("_FusedConv2D 3x3 strided + BiasAdd, Relu6", "_FusedConv2D", "implicit_gemm"),
        ("_MklNativeConv2D 1x1", "_MklNativeConv2D", "unknown"),
        ("_MklNativeFusedDepthwiseConv2dNative 3x3", "_MklNativeFusedDepthwiseConv2dNative", "depthwise"),
        ("DepthwiseConv2dNative 3x3", "DepthwiseConv2dNative", "depthwise"),
        ("_MklNativeFusedMatMul + BiasAdd", "_MklNativeFusedMatMul", "gemm"),
        ("_FusedMatMul", "_FusedMatMul", "gemm"),
        ("SomeNewOp", "SomeNewOp", "unknown"),
    ],
)
def test_kernel_families(kernel: str, kind: str, family: str) -> None:
    assert kernel_family(kernel, kind, rules=rules()) is KernelFamily(family)
