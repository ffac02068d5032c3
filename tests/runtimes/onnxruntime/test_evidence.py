"""onnxruntime's trace and saved graph: warm-up, fences, nodes without names, files that are not whole."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from harness.errors import InputError
from harness.runtimes.onnxruntime.evidence import condense, graph_nodes, read_onnxruntime


def event(name: str, op_name: str, microseconds: float, index: int = 0) -> dict[str, Any]:
    """Return an event of the profiler."""
    shape = [{"float": [1, 4, 8, 8]}]
    arguments = {"op_name": op_name, "node_index": str(index), "output_type_shape": shape}
    return {
        "cat": "Node",
        "name": name,
        "dur": microseconds,
        "args": {**arguments, "input_type_shape": shape},
    }


def write(folder: Path, nodes: list[dict[str, Any]], events: list[dict[str, Any]]) -> Path:
    """Write condensed evidence."""
    graph = {"inputs": ["x"], "outputs": ["y"], "initializers": {"w": [4, 1, 3, 3]}, "nodes": nodes}
    (folder / "optimized.json").write_text(json.dumps(graph))
    (folder / "trace.json.gz").write_bytes(gzip.compress(json.dumps(events).encode()))
    return folder


def node(name: str, op_type: str, inputs: list[str], output: str, domain: str = "") -> dict[str, Any]:
    """Return a node of the saved graph."""
    attributes = {"group": 4} if op_type == "Conv" else {}
    return {
        "name": name,
        "op_type": op_type,
        "domain": domain,
        "inputs": inputs,
        "outputs": [output],
        "attributes": attributes,
    }


def test_warm_up_and_fences_do_not_count(tmp_path: Path) -> None:
    events: list[dict[str, Any]] = [{"cat": "Session", "name": "model_run", "dur": 1, "args": {}}]
    for microseconds in (900, 10, 30, 20):
        events.append(event("conv_fence_before", "Conv", 5))
        events.append(event("conv_kernel_time", "Conv", microseconds))
    evidence = read_onnxruntime(write(tmp_path, [node("conv", "Conv", ["x", "w"], "y")], events), warmup=1)
    assert evidence.iterations == 3
    row = evidence.times[0]
    assert row.samples_ms == (0.01, 0.03, 0.02)
    assert (row.median_ms, row.total_ms) == (0.02, pytest.approx(0.06))


def test_a_kernel_is_told_by_operator_and_shape(tmp_path: Path) -> None:
    nodes = [
        node("a", "Conv", ["x", "w"], "t", "com.microsoft.nchwc"),
        node("b", "Relu", ["t"], "y"),
    ]
    events = [event("a_kernel_time", "Conv", 1), event("b_kernel_time", "Relu", 1)]
    first, second = read_onnxruntime(write(tmp_path, nodes, events)).layers
    assert (first.kernel, second.kernel) == ("nchwc Conv 3x3 depthwise", "Relu")
    # Weights are no inputs; what the blocked domain writes stays blocked in what follows.
    assert [tensor.name for tensor in first.inputs] == ["x"]
    assert (first.inputs[0].format, second.outputs[0].format) == ("NCHW", "NCHWc")
    assert first.outputs[0].datatype == "float32"


def test_nodes_without_names_are_paired_in_order(tmp_path: Path) -> None:
    nodes = [node("", "Relu", ["x"], "t"), node("", "Relu", ["t"], "y")]
    events = [event("Relu_7_kernel_time", "Relu", 1, 7), event("Relu_9_kernel_time", "Relu", 2, 9)]
    layers = read_onnxruntime(write(tmp_path, nodes, events)).layers
    assert [(layer.name, layer.outputs[0].name) for layer in layers] == [("Relu_7", "t"), ("Relu_9", "y")]


def test_an_event_of_no_node_is_told(tmp_path: Path) -> None:
    evidence = read_onnxruntime(write(tmp_path, [], [event("ghost_kernel_time", "Relu", 1)]))
    assert [warning.text for warning in evidence.warnings] == ["the trace has 'ghost', the graph has not"]


def test_no_profile_no_layers(tmp_path: Path) -> None:
    assert read_onnxruntime(tmp_path).layers == ()


def test_condensing_keeps_the_nodes_and_drops_the_weights(tmp_path: Path) -> None:
    weights = numpy_helper.from_array(np.zeros((4, 4, 3, 3), np.float32), "w")
    convolution = helper.make_node("Conv", ["x", "w"], ["y"], "conv", auto_pad="NOTSET", pads=[1, 1, 1, 1])
    ports = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 4, 8, 8]) for name in "xy"]
    graph = helper.make_graph([convolution], "g", ports[:1], ports[1:], [weights])
    onnx.save(helper.make_model(graph), str(tmp_path / "optimized.onnx"))
    (tmp_path / "trace.json").write_text("[]")
    condense(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["optimized.json", "trace.json.gz"]
    kept = json.loads((tmp_path / "optimized.json").read_text())
    assert kept["initializers"] == {"w": [4, 4, 3, 3]}
    assert kept["nodes"][0]["attributes"] == {"auto_pad": "NOTSET", "pads": [1, 1, 1, 1]}
    condense(tmp_path)  # nothing left to do


def test_a_saved_graph_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "optimized.onnx").write_bytes(b"\xff" * 50)
    with pytest.raises(InputError, match="not an ONNX file"):
        graph_nodes(tmp_path / "optimized.onnx")


@pytest.mark.parametrize("damage", ["cut", "no gzip", "no list", "no nodes"])
def test_torn_files_are_one_line(tmp_path: Path, damage: str) -> None:
    write(tmp_path, [node("conv", "Conv", ["x", "w"], "y")], [event("conv_kernel_time", "Conv", 1)])
    trace = tmp_path / "trace.json.gz"
    if damage == "cut":
        trace.write_bytes(trace.read_bytes()[:-12])
    elif damage == "no gzip":
        trace.write_bytes(b"[]")
    elif damage == "no list":
        trace.write_bytes(gzip.compress(b"{}"))
    else:
        (tmp_path / "optimized.json").write_text("{}")
    with pytest.raises(InputError) as caught:
        read_onnxruntime(tmp_path)
    assert "\n" not in str(caught.value)
