"""Attribution of onnxruntime's nodes, on builds it really made (level ALL, AVX-512 host)."""

from __future__ import annotations

import pytest

from harness.runtimes.onnxruntime.runtime import OnnxRuntime
from tests.runtimes.recorded_cpu import covered, engine, only, rows
from tests.worker.worker_jobs import small_network

VERSIONS = ("1.18.1", "1.32.0")


@pytest.mark.parametrize("version", VERSIONS)
def test_fused_nodes_carry_all_that_went_into_them(version: str) -> None:
    evidence, found = engine("onnxruntime", version, "clip")
    assert rows(found) == [
        ("direct", "compute", "convolution", ("Conv/Conv2D", "Conv/Relu6")),
        ("direct", "compute", "pointwise", ("block/expand/Conv2D", "block/expand/Relu6")),
        ("depthwise", "compute", "depthwise", ("block/depthwise/depthwise", "block/depthwise/Relu6")),
        ("direct", "compute", "pointwise", ("block/project/Conv2D", "block/add")),
        ("pooling", "compute", "pooling", ("Logits/AvgPool",)),
        ("direct", "compute", "pointwise", ("Logits/Conv2d_1c_1x1/Conv2D",)),
        ("reformat", "reformat", "reformat", ()),
    ]
    assert found.unattributed_ms == 0
    assert found.total_ms == pytest.approx(sum(layer.time_ms or 0 for layer in found.layers))
    assert evidence.warnings == ()
    assert evidence.iterations == 5
    assert evidence.facts["onnxruntime"] == version


@pytest.mark.parametrize("version", VERSIONS)
def test_relu6_in_pieces_thrashes_layouts(version: str) -> None:
    _, found = engine("onnxruntime", version, "relu_sub")
    assert covered(found) == {op.name for op in small_network("relu_sub").ops}
    assert found.unattributed_ms == 0
    assert len(only(found, "reformat")) == 12
    assert sum(layer.standalone_activation for layer in found.layers) == 12
    by_name = {layer.name: layer for layer in found.layers}
    out = by_name["ReorderOutput(block/expand/Conv2D)"]
    assert (out.before, out.after) == (("block/expand/Conv2D",), ("block/expand/Relu6/sub1",))
    assert (out.input_formats, out.output_formats) == (("NCHWc",), ("NCHW",))
    back = by_name["ReorderInput(block/expand/Relu6)"]
    assert (back.before, back.after) == (("block/expand/Relu6",), ("block/depthwise/depthwise",))
    assert (back.input_formats, back.output_formats) == (("NCHW",), ("NCHWc",))


@pytest.mark.parametrize("version", VERSIONS)
def test_layer_names_are_those_of_tensors_never_of_tokens(version: str) -> None:
    evidence, _ = engine("onnxruntime", version, "relu_sub")
    names = [layer.name for layer in evidence.layers]
    assert len(set(names)) == len(names)
    assert not [name for name in names if "token" in name]
    assert names == [row.name for row in evidence.times]


def test_shares_of_a_fused_node_sum_to_one() -> None:
    _, found = engine("onnxruntime", "1.32.0", "clip")
    for layer in only(found, "compute"):
        assert sum(layer.shares.values()) == pytest.approx(1.0)
        assert set(layer.shares) == set(layer.source_ops)
    assert sum(found.time_of_op().values()) == pytest.approx(
        found.total_ms - sum(layer.time_ms or 0 for layer in only(found, "reformat"))
    )


def test_without_a_network_nothing_is_attributed() -> None:
    runtime = OnnxRuntime()
    evidence, _ = engine("onnxruntime", "1.32.0", "clip")
    found = runtime.attribute(None, evidence)
    assert covered(found) == set()
    assert found.unattributed_ms == pytest.approx(
        found.total_ms - sum(layer.time_ms or 0 for layer in only(found, "reformat"))
    )
    assert {layer.op_class for layer in found.layers} == {"unknown", "reformat"}
