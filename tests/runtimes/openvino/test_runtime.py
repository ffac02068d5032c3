"""Attribution of OpenVINO's nodes, on builds it really made (one thread, AVX2 cap)."""

from __future__ import annotations

import pytest

from tests.runtimes.recorded_cpu import covered, engine, only, rows
from tests.worker.worker_jobs import small_network

OPS = [
    ("convolution", ("Conv/Conv2D", "Conv/Relu6")),
    ("pointwise", ("block/expand/Conv2D", "block/expand/Relu6")),
    ("depthwise", ("block/depthwise/depthwise", "block/depthwise/Relu6")),
    ("pointwise", ("block/project/Conv2D", "block/add")),
    ("pooling", ("Logits/AvgPool",)),
    ("pointwise", ("Logits/Conv2d_1c_1x1/Conv2D",)),
]


@pytest.mark.parametrize(
    ("version", "families"),
    [
        ("2023.1.0", ["direct", "direct", "depthwise", "direct", "reduce", "direct"]),
        ("2026.2.1", ["implicit_gemm", "gemm", "depthwise", "gemm", "reduce", "gemm"]),
    ],
)
def test_fused_nodes_and_their_kernels(version: str, families: list[str]) -> None:
    evidence, found = engine("openvino", version, "clip")
    computing = [row for row in rows(found) if row[1] == "compute"]
    assert [(op_class, ops) for _, _, op_class, ops in computing] == OPS
    assert [family for family, _, _, _ in computing] == families
    assert found.unattributed_ms == 0
    assert evidence.warnings == ()
    assert evidence.iterations == 15  # five of each of three compiled models
    assert str(evidence.facts["openvino"]).startswith(version)


def test_the_input_is_reordered_to_nhwc_from_2024_on() -> None:
    _, old = engine("openvino", "2023.1.0", "clip")
    _, new = engine("openvino", "2026.2.1", "clip")
    first = only(new, "reformat")[0]
    assert (first.before, first.after) == ((), ("Conv/Conv2D", "Conv/Relu6"))
    assert (first.input_formats, first.output_formats) == (("abcd",), ("acdb",))
    assert not [layer for layer in only(old, "reformat") if layer.input_formats == ("abcd",)]


def test_layouts_leave_constants_out() -> None:
    _, found = engine("openvino", "2026.2.1", "clip")
    projection = next(layer for layer in found.layers if "block/add" in layer.source_ops)
    assert projection.input_formats == ("acdb", "acdb")  # what is convolved, and what is added


@pytest.mark.parametrize("version", ["2023.1.0", "2026.2.1"])
def test_relu6_in_pieces_becomes_one_generated_kernel_each(version: str) -> None:
    _, found = engine("openvino", version, "relu_sub")
    assert covered(found) == {op.name for op in small_network("relu_sub").ops}
    alone = [layer for layer in found.layers if layer.standalone_activation]
    assert [layer.type for layer in alone] == ["Subgraph"] * 3
    assert alone[0].source_ops == ("Conv/Relu6/relu1", "Conv/Relu6/sub1", "Conv/Relu6/relu2", "Conv/Relu6")
    assert {str(layer.family) for layer in alone} == {"pointwise"}


def test_inputs_and_outputs_do_nothing() -> None:
    _, found = engine("openvino", "2026.2.1", "clip")
    assert {layer.type for layer in only(found, "no_op")} == {"Input", "Output", "Reorder"}
    assert sum(layer.time_ms or 0 for layer in only(found, "no_op")) == 0
