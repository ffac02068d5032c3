"""Pieces cut out of networks: valid, connected, with the same weights, and they compute the same."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper, shape_inference

from harness.networks.graph import FloatArray
from harness.networks.mobilenet import MobileNetV2
from harness.networks.user_onnx import onnx_family
from harness.reproduce.whole import Nodes, Whole
from tests.reproduce.composed_onnx import networks


def computed(model: onnx.ModelProto, feeds: Mapping[str, FloatArray]) -> dict[str, FloatArray]:
    """The outputs of *model* by onnxruntime, nothing fused."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    names = [value.name for value in model.graph.output]
    return dict(zip(names, session.run(names, dict(feeds)), strict=True))


def every_tensor(whole: Whole) -> dict[str, FloatArray]:
    """All tensors of the whole network for one drawn input."""
    model = onnx.ModelProto()
    model.CopyFrom(whole.model)
    shown = {value.name for value in model.graph.output}
    inner = [name for node in whole.nodes for name in node.output if name not in shown]
    model.graph.output.extend(helper.make_tensor_value_info(n, TensorProto.FLOAT, None) for n in inner)
    draws = np.random.default_rng(1)
    feeds = {
        value.name: draws.standard_normal(whole.shapes[value.name]).astype(np.float32)
        for value in model.graph.input
    }
    return {**feeds, **computed(model, feeds)}


def check(whole: Whole, piece: Nodes, tensors: Mapping[str, FloatArray]) -> None:
    """Hold the model of *piece* against the network that it was cut out of."""
    model = whole.cut(piece)
    onnx.checker.check_model(model, full_check=True)
    shape_inference.infer_shapes(model, strict_mode=True, data_prop=True)
    assert {node.name for node in model.graph.node} == set(whole.names(piece))
    weights = {tensor.name: tensor for tensor in whole.model.graph.initializer}
    for tensor in model.graph.initializer:
        assert np.array_equal(numpy_helper.to_array(tensor), numpy_helper.to_array(weights[tensor.name]))
    feeds = {value.name: tensors[value.name] for value in model.graph.input}
    for name, array in computed(model, feeds).items():
        np.testing.assert_allclose(array, tensors[name], rtol=1e-5, atol=1e-6)
    for value in (*model.graph.input, *model.graph.output):
        sizes = tuple(axis.dim_value for axis in value.type.tensor_type.shape.dim)
        assert sizes == tensors[value.name].shape


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("whole")


@given(model=networks(), data=st.data())
def test_every_piece_is_valid_connected_and_computes_what_the_network_does(
    folder: Path, model: onnx.ModelProto, data: st.DataObject
) -> None:
    path = folder / "drawn.onnx"
    onnx.save(model, str(path))
    whole = Whole.of(onnx_family("drawn", path).graph(), 13)
    places = range(len(whole.nodes))
    asked = frozenset(data.draw(st.sets(st.sampled_from(places), min_size=1)))
    piece = whole.connected(asked)
    assert asked <= piece
    assert len(list(whole.parts(piece))) <= len(list(whole.parts(places))), "joined where they can be"
    assert whole.connected(piece) == piece
    assert _left_and_entered(whole, piece) == []
    grown = whole.grown(piece, 1)
    assert piece <= grown
    assert _left_and_entered(whole, grown) == []
    check(whole, piece, every_tensor(whole))


def _left_and_entered(whole: Whole, piece: Nodes) -> list[str]:
    """Inputs of *piece* that depend on what it writes."""
    reached = set(whole.outputs(piece))
    for place, node in enumerate(whole.nodes):
        if place not in piece and reached.intersection(node.input):
            reached.update(node.output)
    return [name for name in whole.inputs(piece) if name in reached]


@pytest.mark.parametrize("opset", [8, 13])
def test_a_block_of_a_built_in_network_keeps_its_names_in_every_opset(opset: int) -> None:
    graph = MobileNetV2(width=0.25, resolution=32, classes=11, calibrated=False).graph()
    whole = Whole.of(graph, opset)
    ops = [op.name for op in graph.ops if op.name.startswith("expanded_conv_2/")]
    piece = whole.connected(whole.places(ops))
    assert set(ops) <= set(whole.names(piece))
    check(whole, piece, every_tensor(whole)) if opset > 8 else onnx.checker.check_model(whole.cut(piece))


def test_a_node_of_several_source_ops_is_one_piece(tmp_path: Path) -> None:
    weights = [
        numpy_helper.from_array(np.ones((3, 2), np.float32), "w"),
        numpy_helper.from_array(np.ones(2, np.float32), "b"),
    ]
    model = helper.make_model(
        helper.make_graph(
            [
                helper.make_node("Gemm", ["x", "w", "b"], ["y"], "dense"),
                helper.make_node("Relu", ["y"], ["z"], "r"),
            ],
            "g",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3])],
            [helper.make_tensor_value_info("z", TensorProto.FLOAT, [1, 2])],
            weights,
        ),
        opset_imports=[helper.make_opsetid("", 13)],
        ir_version=7,
    )
    onnx.save(model, str(tmp_path / "m.onnx"))
    graph = onnx_family("m", tmp_path / "m.onnx").graph()
    whole = Whole.of(graph, 13)
    assert [op.name for op in graph.ops] == ["dense", "dense/bias", "r"]
    assert whole.places(["dense"]) == whole.places(["dense/bias"]) == frozenset({0})
    check(whole, frozenset({0}), every_tensor(whole))
