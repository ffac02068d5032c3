"""Engine layer listings E1 to E6, summaries S1 to S7 and times of single inferences."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from harness.evidence.record import Record
from harness.evidence.records import EngineLayer

Sample = Callable[[str], Record]
Read = Callable[[bytes | str], Record]


def tensors_of(layer: EngineLayer) -> list[tuple[str, tuple[int, ...] | None, str | None, str | None]]:
    return [(t.name, t.dimensions, t.format, t.datatype) for t in layer.inputs + layer.outputs]


def test_e1_of_8_0_with_an_awkward_tensor_name(sample: Sample) -> None:
    layers = sample("b_8.0_python.log").engine_layers
    assert [(layer.type, layer.name, layer.tactic, layer.kernel) for layer in layers] == [
        ("CudaDepthwiseConvolution", "Conv_4 + Relu_5", "-1", None),
        ("Constant", "weights", "0", None),
        ("CaskConvolution", "Conv_9", "1825138533642645384", "volta_scudnn_128x32_relu_interior_nn_v1"),
    ]
    assert [t[:2] for t in tensors_of(layers[0])] == [
        ("t1", (6, 28, 28)),
        ("t, [x] -> y", (-2, 1)),
        ("t2", (6, 28, 28)),
    ]
    assert (layers[1].inputs, tensors_of(layers[1])) == ((), [("w", (4, 8), "Float(4,8)", "float32")])
    assert layers[2].outputs[0].dimensions == ()


def test_e1_of_8_6_with_vectors(sample: Sample) -> None:
    (layer,) = sample("b_8.6_python.log").engine_layers
    assert tensors_of(layer) == [
        ("in", (-1, 32, 28, 28), "Half[-1,32:2,28,28]", "float16"),
        ("out", (-1, 32, 28, 28), "Half[-1,32:8,28,28]", "float16"),
    ]
    assert layer.kernel == "sm80_xmma_gemm_f16f16_f16f16_f16_tn_n_tilesize32x32x64"


def test_e1_name_with_an_arrow(sample: Sample) -> None:
    reformat, convolution = sample("b_8.4_trtexec.log").engine_layers
    assert reformat.name == "Reformatting CopyNode for Input Tensor 0 to Conv_8 -> (x) + PWN(Clip_9)"
    assert reformat.outputs[0].name == "Reformatted Input Tensor 0 to Conv_8 -> (x) + PWN(Clip_9)"
    assert convolution.kernel == "sm80_xmma_fprop_implicit_gemm_f16f16_nhwc_t1r1s1"


def test_e2_names_and_details(sample: Sample) -> None:
    assert [layer.name for layer in sample("e2_names.log").engine_layers] == [
        "Conv_0 + PWN(Clip_1)",
        "Conv_2",
    ]
    first, second = sample("e2_detailed.log").engine_layers
    assert (first.type, first.tactic, first.kernel) == (
        "CaskConvolution",
        "0x8047bcfcebface4a",
        "sm80_xmma_fprop_x",
    )
    assert tensors_of(first) == [
        ("in, a", (1, 3, 224, 224), "Row major linear FP32", "float32"),
        ("mid {x}", (1, 32, 112, 112), "Channel major FP16 format where channel % 8 == 0", "float16"),
    ]
    assert (second.tactic, second.kernel) == ("0xfffffffffffffffc", None)


def test_e3_names_and_details(sample: Sample) -> None:
    assert [layer.name for layer in sample("e3_names.json").engine_layers] == [
        "Conv_0 + PWN(Clip_1)",
        "Conv_2",
    ]
    depthwise, bare, pointwise, shape = sample("e3_detailed.json").engine_layers
    assert depthwise.attributes["groups"] == depthwise.attributes["out_maps"] == 96
    assert depthwise.outputs[0].datatype == "int8"
    assert (bare.name, bare.type) == ("bare name", None)
    assert pointwise.attributes["original_names"] == ("/b1/pw/Conv", "/b1/pw/Clip")
    assert (pointwise.tactic, shape.kernel) == (None, None)


def test_e4_and_e5_are_no_engine_layers(sample: Sample) -> None:
    assert sample("e4_e5_no_lists.log").engine_layers == ()


def test_e6(sample: Sample) -> None:
    first, second = sample("e6_polygraphy.log").engine_layers
    assert (first.name, first.type) == ("Conv_0 + Relu_1", "CaskConvolution")
    assert [(t[0], t[1]) for t in tensors_of(first)] == [
        ("x", (1, 3, 224, 224)),
        ("y z", (1, 8)),
        ("out", (1, 32, 112, 112)),
    ]
    assert second.outputs[0].dimensions == (1, 32, 1, 1)


def test_two_lists_of_one_engine_become_one(read: Read) -> None:
    log = (
        "Engine Layer Information:\nLayer(CaskConvolution): a, Tactic: 0x1, x[Float(1)] -> y[Float(1)]\n"
        "Layer Information:\nName: a, LayerType: CaskConvolution, Inputs: [], Outputs: [], TacticName: k, "
        "TacticValue: 0x1\n"
    )
    (layer,) = read(log).engine_layers
    assert (layer.name, layer.kernel, len(layer.inputs)) == ("a", "k", 1)


def test_a_list_shorter_than_announced(read: Read) -> None:
    row = "Layer(NoOp): a, Tactic: 0x0, x[Float(1)] -> y[Float(1)]\n"
    record = read("After reformat layers: 2 layers\nEngine Layer Information:\n" + row)
    assert ["1 of 2 layers" in warning.text for warning in record.warnings] == [True]


def spread(values: Mapping[str, float], *keys: str) -> list[float | None]:
    return [values.get(key) for key in keys]


def test_s1_and_s2_give_a_row_a_line(sample: Sample) -> None:
    assert [row.gpu_ms for row in sample("s1_4.txt").summary] == [
        {"mean": 1.23411},
        {"mean": 1.3, "percentile": 1.5},
    ]
    first, second = sample("s2_5.1.log").summary
    assert (first.gpu_ms, first.host_ms) == ({"mean": 1.23411, "p99": 1.40288}, {"mean": 1.31902})
    assert second.gpu_ms["p99"] == 1.4


def test_s3_and_s4_keys_belong_to_their_title(sample: Sample) -> None:
    (row,) = sample("s3_7.0.log").summary
    assert spread(row.latency_ms, "min", "max", "mean", "median", "p99") == [1.31, 1.51, 1.41, 1.40, 1.50]
    assert spread(row.host_ms, "min", "max", "mean", "median", "p99") == [2.01, 2.51, 2.11, 2.10, 2.50]
    assert spread(row.gpu_ms, "min", "max", "mean", "median", "p99") == [1.1, 1.3, 1.2, 1.19, 1.29]
    assert (row.throughput_qps, row.enqueue_ms) == (750.1, {})
    (row,) = sample("s4_7.2.log").summary
    assert row.enqueue_ms == {"min": 0.3, "max": 0.5, "median": 0.4}
    assert row.gpu_ms == {"mean": 1.20177, "p99": 1.31004}


@pytest.mark.parametrize(
    ("name", "version", "host"), [("s5_8.0.log", "8003", 1.1), ("s7_8.5.log", "8.5.2", None)]
)
def test_s5_to_s7(sample: Sample, name: str, version: str, host: float | None) -> None:
    record = sample(name)
    (row,) = record.summary
    assert spread(row.gpu_ms, "min", "max", "mean", "median", "p90", "p95", "p99") == [
        0.61,
        0.72,
        0.64,
        0.639,
        0.65,
        0.655,
        0.70,
    ]
    assert spread(row.h2d_ms, "min", "max", "mean") == [0.0131, 1e-05, 0.012]
    assert (row.latency_ms["median"], row.host_ms.get("min")) == (0.69, host)
    assert (row.throughput_qps, row.build_s, record.facts.tensorrt) == (1520.4, 12.5, version)
    assert record.warnings == ()


def test_averages_stand_in_for_a_summary_that_was_cut(read: Read) -> None:
    line = "Average on 10 runs - GPU latency: {} ms - Host latency: 0.7 ms (enqueue 0.4 ms)\n"
    rows = read(line.format(0.64) + line.format(0.66)).summary
    assert [(row.gpu_ms, row.enqueue_ms) for row in rows] == [
        ({"mean": 0.64}, {"mean": 0.4}),
        ({"mean": 0.66}, {"mean": 0.4}),
    ]


def test_missing_statistics_are_null_in_the_json(sample: Sample) -> None:
    (row,) = sample("s4_7.2.log").as_json()["summary"]  # type: ignore[misc]
    assert row["gpu_ms"] == {
        "min": None,
        "max": None,
        "mean": 1.20177,
        "median": None,
        "p90": None,
        "p95": None,
        "p99": 1.31004,
    }
    assert set(row["d2h_ms"].values()) == {None}


@pytest.mark.parametrize(("name", "enqueue"), [("times_7.0.json", None), ("times_7.2.json", 0.4)])
def test_times_of_7(sample: Sample, name: str, enqueue: float | None) -> None:
    (time,) = sample(name).times
    assert (time.gpu_ms, time.host_ms, time.enqueue_ms, time.h2d_ms, time.d2h_ms) == (
        0.6,
        0.62,
        enqueue,
        0.01,
        0.011,
    )


def test_times_of_8(sample: Sample) -> None:
    times = sample("times_8.6.json").times
    assert [(time.gpu_ms, time.host_ms, time.enqueue_ms) for time in times] == [
        (0.6, 0.62, 0.4),
        (0.61, 0.63, 0.4),
    ]
