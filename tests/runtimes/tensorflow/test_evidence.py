"""Traces and graphs of TensorFlow, worked by hand: what is a layer, what it reads, files that are torn."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from harness.errors import InputError
from harness.runtimes.tensorflow.evidence import condense, read_tensorflow

CPU = "/job:localhost/replica:0/task:0/device:CPU:0"


def node(name: str, op: str, inputs: list[str], **attributes: object) -> dict[str, Any]:
    """Return a node of the graph that ran."""
    return {"name": name, "op": op, "inputs": inputs, "attributes": attributes}


def row(name: str, shape: list[int], *nanoseconds: int) -> dict[str, Any]:
    """Return a row of the trace."""
    return {
        "device": CPU,
        "name": name,
        "outputs": [{"shape": shape, "type": "float32"}],
        "op_ns": list(nanoseconds),
    }


NODES = [
    node("w", "Const", [], dtype="float32"),
    node("_arg_x_0_0", "_Arg", []),
    node("a/BiasAdd", "_FusedConv2D", ["_arg_x_0_0", "w", "^w"], fused_ops=["BiasAdd"], data_format="NHWC"),
    node("a/Relu6", "Relu6", ["a/BiasAdd:0"]),
    node("b/to_nchw", "Transpose", ["a/Relu6", "w"]),
    node("_retval_b_0_0", "_Retval", ["b/to_nchw"]),
]
ROWS = [
    {"device": CPU, "name": "_SOURCE", "outputs": [], "op_ns": [1, 1]},
    row("w", [1, 1, 3, 8], 200, 200),
    row("_arg_x_0_0", [1, 4, 4, 3], 300, 300),
    row("a/BiasAdd", [1, 4, 4, 8], 90_000, 110_000),
    row("a/Relu6", [1, 4, 4, 8], 2_000, 2_000),
    row("b/to_nchw", [1, 8, 4, 4], 4_000, 4_000),
    {"device": CPU, "name": "_retval_b_0_0", "outputs": [], "op_ns": [100, 100]},
]


def write(folder: Path, nodes: list[dict[str, Any]] = NODES, rows: list[dict[str, Any]] = ROWS) -> Path:
    """Write evidence as the worker does, and condense it."""
    written = {"a/Conv2D": ["a/Conv2D", "a/BiasAdd"], "a/Relu6": ["a/Relu6"]}
    (folder / "graph.json").write_text(json.dumps({"nodes": nodes, "written": written}))
    (folder / "trace.json").write_text(json.dumps({"inferences": 2, "rows": rows}))
    condense(folder)
    return folder


def test_what_hands_over_what_is_there_is_no_layer(tmp_path: Path) -> None:
    evidence = read_tensorflow(write(tmp_path))
    assert [layer.name for layer in evidence.layers] == ["a/BiasAdd", "a/Relu6", "b/to_nchw"]
    assert [time.typical_ms for time in evidence.times] == pytest.approx([0.1, 0.002, 0.004])
    assert evidence.times[0].samples_ms == pytest.approx((0.09, 0.11))
    assert (evidence.iterations, evidence.warnings) == (2, ())


def test_what_a_node_says_of_itself(tmp_path: Path) -> None:
    conv, relu, moved = read_tensorflow(write(tmp_path)).layers
    assert (conv.type, conv.kernel) == ("_FusedConv2D", "_FusedConv2D 1x1 + BiasAdd")
    # Weights are no tensors that flow; the network's input is laid as its reader wants it.
    assert [(x.name, x.dimensions, x.format) for x in conv.inputs] == [("_arg_x_0_0", (1, 4, 4, 3), "NHWC")]
    assert conv.attributes["original_names"] == ["a/Conv2D"]
    assert [(x.name, x.format, x.datatype) for x in relu.inputs] == [("a/BiasAdd", "NHWC", "float32")]
    assert relu.outputs[0].format == "NHWC"
    assert moved.outputs[0].format is None  # of a transposition nothing is told but the shape


def test_a_convolution_of_larger_steps_is_another_kernel(tmp_path: Path) -> None:
    strided = [dict(one) for one in NODES]
    strided[2] = {**strided[2], "attributes": {**strided[2]["attributes"], "strides": [1, 2, 2, 1]}}
    assert read_tensorflow(write(tmp_path, strided)).layers[0].kernel == "_FusedConv2D 1x1 strided + BiasAdd"


def test_a_row_of_no_node_is_told(tmp_path: Path) -> None:
    evidence = read_tensorflow(write(tmp_path, rows=[*ROWS, row("ghost", [1], 5, 5)]))
    assert [warning.text for warning in evidence.warnings] == ["the trace has 'ghost', the graph has not"]


def test_the_same_trace_gives_the_same_file(tmp_path: Path) -> None:
    first = (write(tmp_path) / "trace.json.gz").read_bytes()
    assert not (tmp_path / "trace.json").exists()
    assert (write(tmp_path) / "trace.json.gz").read_bytes() == first


def test_no_profile_no_layers(tmp_path: Path) -> None:
    assert read_tensorflow(tmp_path).layers == ()


@pytest.mark.parametrize("damage", ["cut", "keys", "no object", "garbage"])
def test_torn_files_are_one_line(tmp_path: Path, damage: str) -> None:
    trace = write(tmp_path) / "trace.json.gz"
    whole = trace.read_bytes()
    trace.write_bytes(
        {
            "cut": whole[:-20],
            "keys": gzip.compress(b'{"rows": [{"name": 1}]}'),
            "no object": gzip.compress(b"[3]"),
            "garbage": b"no gzip",
        }[damage]
    )
    with pytest.raises(InputError) as caught:
        read_tensorflow(tmp_path)
    assert "\n" not in str(caught.value)
