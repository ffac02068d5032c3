"""The tactic search of every generation of builder logs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from harness.evidence.record import Record

SAMPLES = Path(__file__).parents[1] / "data" / "evidence"
Sample = Callable[[str], Record]
Read = Callable[[bytes | str], Record]
HEADER = "--------------- Timing Runner: c (R)\n"
LOGS = sorted(path.name for path in SAMPLES.glob("b_*.log"))

# layer, runner, tactic, tactic_id, kernel, time, fastest, chosen
ROWS = {
    "b_5.1.log": [
        ("b1/pw + b1/pw/relu", "14", "1642270411037877776", "0x16ca843cdb0c2610", None, 0.051, False, False),
        ("b1/pw + b1/pw/relu", "14", "-410470605513481746", "0xfa4db728b7a121ee", None, 0.049, True, True),
        ("b1/pw + b1/pw/relu", "1", "0", "0x0000000000000000", None, 0.088, True, False),
        ("b1/pw + b1/pw/relu", "1", "4", "0x0000000000000004", None, None, False, False),
        ("b1/dw", "1", "0", "0x0000000000000000", None, None, False, True),
        ("pool (avg) a->b", "8", "-1", "0xffffffffffffffff", None, 0.01, True, True),
    ],
    "b_6.0_jetson.log": [
        ("<reformat>", "Reformat", "1002", "0x00000000000003ea", None, 0.0381, False, False),
        ("<reformat>", "Reformat", "0", "0x0000000000000000", None, 0.0123, True, False),
        ("b2/pw/conv", "CudaConvolution", "0", "0x0000000000000000", None, 0.3111, True, False),
        ("b2/pw/conv", "CudaConvolution", "4", "0x0000000000000004", None, None, False, False),
        (
            "b2/pw/conv",
            "CaskConvolution",
            "1825138533642645384",
            "0x195431d38ba5af88",
            "maxwell_scudnn_128x32_relu_interior_nn_v1",
            0.2629,
            True,
            True,
        ),
    ],
    "b_8.0_python.log": [
        ("Optimizer Reformat", "Reformat", "1002", "0x00000000000003ea", None, 0.02, True, False),
        ("Conv_4 + Relu_5", "CudaDepthwiseConvolution", "-1", "0xffffffffffffffff", None, 0.018, True, True),
        ("Conv_4 + Relu_5", "CudnnConvolution", "0", "0x0000000000000000", None, None, True, False),
        (
            "Conv_4 + Relu_5",
            "CaskConvolution",
            "1825138533642645384",
            "0x195431d38ba5af88",
            "volta_scudnn_128x32_relu_interior_nn_v1",
            0.031,
            True,
            False,
        ),
        (
            "Conv_4 + Relu_5",
            "CaskConvolution",
            "1754984623894446479",
            "0x185af5379580418f",
            "volta_scudnn_128x64_relu_interior_nn_v1",
            None,
            False,
            False,
        ),
    ],
    "b_8.4_trtexec.log": [
        (
            "Conv_8 -> (x) + PWN(Clip_9)",
            "CaskGemmConvolution",
            "0x000000000002093f",
            "0x000000000002093f",
            "sm70_xmma_gemm_as_conv1x1_f16f16_f16_f16_tn_n_simt_small_batch_bias_relu",
            0.0121,
            True,
            False,
        ),
        (
            "Conv_8 -> (x) + PWN(Clip_9)",
            "CaskConvolution",
            "0x8047bcfcebface4a",
            "0x8047bcfcebface4a",
            "sm80_xmma_fprop_implicit_gemm_f16f16_nhwc_t1r1s1",
            0.0081,
            True,
            True,
        ),
    ],
    "b_8.6_python.log": [
        (
            "Conv_8",
            "CaskGemmConvolution",
            "0x00000000000207b0",
            "0x00000000000207b0",
            "sm80_xmma_gemm_f16f16_f16f16_f16_tn_n_tilesize32x32x64",
            0.0047,
            True,
            True,
        ),
        (
            "Conv_8",
            "CaskGemmConvolution",
            "0x00000000000207b1",
            "0x00000000000207b1",
            "sm80_xmma_gemm_f16f16_f16f16_f16_tn_n_tilesize64x32x64",
            None,
            False,
            False,
        ),
        ("Conv_8", "Shuffle", "0x0000000000000000", "0x0000000000000000", None, 0.00501, True, False),
    ],
    "b_10_strategies.log": [
        (
            "{ForeignNode[a...b]}",
            "Myelin",
            "0x0000000000000000",
            "0x0000000000000000",
            None,
            0.3344,
            True,
            True,
        ),
        (
            "Conv_8",
            "CaskGemmConvolution",
            "0x00000000000207b0",
            "0x00000000000207b0",
            "sm80_xmma_gemm_x",
            0.31,
            True,
            True,
        ),
        (
            "Conv_9",
            "CaskGemmConvolution",
            "0x00000000000207b0",
            "0x00000000000207b0",
            None,
            0.29,
            False,
            True,
        ),
    ],
}
SKIPPED = {
    "b_5.1.log": [("b1/pw + b1/pw/relu", "33", "no tactics")],
    "b_6.0_jetson.log": [("b2/pw/conv", "FusedConvActConvolution", "no valid tactics for this config")],
    "b_8.0_python.log": [("Conv_4 + Relu_5", "CublasConvolution", "no valid result")],
    "b_8.4_trtexec.log": [("Conv_12", "CudnnConvolution", "no valid tactics for this config")],
    "b_8.6_python.log": [("Conv_8", "CaskFlattenConvolution", "no valid result")],
    "b_10_strategies.log": [("Conv_8", "CaskFlattenConvolution", "no valid tactics")],
}


def rows_of(record: Record) -> list[tuple[object, ...]]:
    return [
        (t.layer, t.runner, t.tactic, t.tactic_id, t.kernel, t.time_ms, t.fastest, t.chosen)
        for t in record.tactics
    ]


@pytest.mark.parametrize("name", LOGS)
def test_tactics_of_each_generation(sample: Sample, name: str) -> None:
    record = sample(name)
    assert rows_of(record) == ROWS[name]
    assert [(s.layer, s.runner, s.reason) for s in record.skipped_runners] == SKIPPED[name]
    assert record.warnings == ()
    assert record.facts.engines == 1
    assert "builder_log" in record.facts.kinds


@pytest.mark.parametrize(
    ("name", "formats"),
    [
        ("b_5.1.log", {None}),
        (
            "b_6.0_jetson.log",
            {
                "Float(1,56,3136,150528) -> Half(1,56,3136,150528)",
                "Float(1,56,3136,150528) -> Float(1,56,3136,75264)",
            },
        ),
        (
            "b_8.0_python.log",
            {
                "Float(784,1,28,1) -> Half(784,1:4,28,1)",
                "Int8(784,1:4,28,1), Float(1,2,3,4) -> Half(784,1:4,28,1)",
            },
        ),
        (
            "b_10_strategies.log",
            {
                "Float((* E0 3),1) where E0=(# 0 (SHAPE in)) -> Float(784,28,1)",
                "Float(784,28,1) -> Float(784,28,1)",
            },
        ),
    ],
)
def test_formats_are_those_of_the_combination(sample: Sample, name: str, formats: set[str | None]) -> None:
    assert {tactic.formats for tactic in sample(name).tactics} == formats


def test_reformats_while_tuning_are_estimates(sample: Sample) -> None:
    record = sample("b_8.0_python.log")
    assert [t.is_reformat_estimate for t in record.tactics] == [True, False, False, False, False]
    assert all(combination.layer != "Optimizer Reformat" for combination in record.combinations)


def test_decisions_say_whether_the_log_shows_a_time(sample: Sample) -> None:
    found = {name: [(d.layer, d.runner, d.timed, d.cached) for d in sample(name).decisions] for name in LOGS}
    assert found["b_5.1.log"] == [
        ("b1/pw + b1/pw/relu", "14", True, False),
        ("b1/dw", "1", False, False),
        ("pool (avg) a->b", "8", True, False),
    ]
    assert found["b_6.0_jetson.log"][1] == ("b2/cached", "CaskConvolution", False, False)
    assert found["b_10_strategies.log"][2] == ("Conv_9", "CaskGemmConvolution", False, True)


def test_silence_is_kept_as_an_unnamed_combination(sample: Sample) -> None:
    record = sample("b_8.4_trtexec.log")
    story = [(c.block, c.layer, c.runners, c.timed, c.decision is not None) for c in record.combinations]
    assert story == [
        (0, "Conv_8 -> (x) + PWN(Clip_9)", ("CaskGemmConvolution", "CaskConvolution"), 2, True),
        (1, None, (), 0, False),
        (2, "Conv_12", ("CudnnConvolution",), 0, False),
    ]


def test_versions(sample: Sample) -> None:
    assert sample("b_10_strategies.log").facts.tensorrt == "10.16.1"
    assert sample("b_8.6_python.log").facts.tensorrt is None


def test_build_seconds(sample: Sample) -> None:
    assert dict(sample("b_6.0_jetson.log").facts.build_seconds) == {0: 1.25}
    assert dict(sample("b_8.6_python.log").facts.build_seconds) == {0: 1.5}


def test_several_builds_in_one_log(read: Read) -> None:
    text = (SAMPLES / "b_8.4_trtexec.log").read_bytes() + (SAMPLES / "b_8.6_python.log").read_bytes()
    record = read(text)
    assert record.facts.engines == 2
    assert [tactic.engine for tactic in record.tactics] == [0, 0, 1, 1, 1]
    assert [layer.engine for layer in record.engine_layers] == [0, 0, 1]
    assert {d.engine for d in record.decisions} == {0, 1}


def test_tuner_trials_are_kept_apart(read: Read) -> None:
    trial = "&&&& TASK_BEGIN [iter={i}] BuildRoute = 'x'\n" + HEADER + "Tactic: 0x1 Time: 0.125\n"
    record = read(trial.format(i=0) + "&&&& TASK_END [iter=0]\n" + trial.format(i=1))
    assert [tactic.engine for tactic in record.tactics] == [0, 1]


def test_a_log_that_begins_in_the_middle(read: Read) -> None:
    record = read(
        "Tactic: 0x1 Time: 0.125\nFastest Tactic: 0x1 Time: 0.125\n"
        ">>>>>>>>>>>>>>> Chose Runner Type: R Tactic: 0x1\n"
    )
    assert [(t.layer, t.runner, t.time_ms) for t in record.tactics] == [("unknown", None, 0.125)]
    assert ["middle" in warning.text for warning in record.warnings] == [True]


def test_sentinels_are_no_tactics(read: Read) -> None:
    record = read(
        HEADER + "Tactic: 0xd15ea5edd15ea5ed Time: inf\nTactic: 0x5 Time: 3.40282e+38\n"
        ">>>>>>>>>>>>>>> Chose Runner Type: R Tactic: 0x5\n"
    )
    assert [(t.tactic, t.time_ms) for t in record.tactics] == [("0x5", None)]


def test_an_id_that_is_no_number(read: Read) -> None:
    record = read(HEADER + "Tactic: none Time: 0.5\n>>>>>>>>>>>>>>> Chose Runner Type: R Tactic: none\n")
    assert [(t.tactic, t.tactic_id, t.chosen) for t in record.tactics] == [("none", None, True)]


def test_a_kernel_name_belongs_to_the_very_next_tactic_line(read: Read) -> None:
    named = "c Set Tactic Name: kernel_a Tactic: 0x00000000000000aa\n"
    record = read(
        HEADER + named + "Tactic: 0x00000000000000bb Time: 0.5\nTactic: 0x00000000000000aa Time: 0.25\n"
    )
    assert [(t.tactic, t.kernel) for t in record.tactics] == [
        ("0x00000000000000bb", None),
        ("0x00000000000000aa", None),
    ]
