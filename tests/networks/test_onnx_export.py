"""ONNX export: every opset, both networks, both forms of ReLU6."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx.reference import ReferenceEvaluator

from harness.errors import UsageError
from harness.networks.bounds import check_outputs, error_bound
from harness.networks.graph import Graph, OpKind
from harness.networks.inputs import probe_inputs
from harness.networks.mobilenet import MobileNetV1, MobileNetV2
from harness.networks.onnx_export import IR_VERSIONS, to_onnx
from harness.networks.reference import probe_reference

SMALL = {
    "mobilenet_v1": MobileNetV1(width=0.25, resolution=32, classes=11),
    "mobilenet_v2": MobileNetV2(width=0.25, resolution=32, classes=11),
}
# onnxruntime of today starts at IR 3 and opset 7, too.
OPSETS = sorted(IR_VERSIONS)


def session(model: onnx.ModelProto) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3  # IR 3 repeats initializers as inputs, which it warns about
    return onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )


def test_opsets() -> None:
    assert list(range(7, 21)) == OPSETS


@pytest.mark.parametrize("opset", OPSETS)
@pytest.mark.parametrize("relu6", ["clip", "relu_sub"])
@pytest.mark.parametrize("name", sorted(SMALL))
def test_valid_and_right(name: str, relu6: str, opset: int) -> None:
    graph = SMALL[name].graph(batch=2, relu6=relu6)
    model = to_onnx(graph, opset)
    onnx.checker.check_model(model, full_check=True)
    assert model.opset_import[0].version == opset
    assert [node.name for node in model.graph.node] == [op.name for op in graph.ops]
    assert [node.output[0] for node in model.graph.node] == [op.output for op in graph.ops]
    outputs = dict(
        zip(graph.outputs, session(model).run(list(graph.outputs), probe_inputs(graph)), strict=True)
    )
    found = check_outputs(outputs, probe_reference(graph), error_bound(graph, "fp32"))
    assert found.valid, found.reason


@pytest.mark.parametrize("relu6", ["clip", "relu_sub"])
@pytest.mark.parametrize("family", [MobileNetV1(), MobileNetV2()])
@pytest.mark.parametrize("opset", [7, 13])
def test_full_size(family: MobileNetV1 | MobileNetV2, relu6: str, opset: int) -> None:
    graph = family.graph(relu6=relu6)
    model = to_onnx(graph, opset)
    onnx.checker.check_model(model, full_check=True)
    outputs = dict(
        zip(graph.outputs, session(model).run(list(graph.outputs), probe_inputs(graph)), strict=True)
    )
    found = check_outputs(outputs, probe_reference(graph), error_bound(graph, "fp32"))
    assert found.valid, found.reason
    assert found.top1 == 1.0


def test_inferred_shapes_are_the_graphs() -> None:
    graph = SMALL["mobilenet_v2"].graph(batch=2)
    inferred = onnx.shape_inference.infer_shapes(to_onnx(graph, 13), strict_mode=True)
    for value in inferred.graph.value_info:
        shape = tuple(axis.dim_value for axis in value.type.tensor_type.shape.dim)
        assert shape == graph.shapes[value.name]


def test_clip_limits() -> None:
    graph = SMALL["mobilenet_v1"].graph()
    before, after = (
        next(node for node in to_onnx(graph, opset).graph.node if node.op_type == "Clip")
        for opset in (10, 11)
    )
    assert {a.name: a.f for a in before.attribute} == {"min": 0.0, "max": 6.0}
    assert len(before.input) == 1
    assert list(after.input[1:]) == ["Conv2d_0/Relu6/minimum", "Conv2d_0/Relu6/maximum"]


def test_initializers_are_inputs_up_to_ir_3() -> None:
    graph = SMALL["mobilenet_v1"].graph()
    old, new = to_onnx(graph, 8).graph, to_onnx(graph, 9).graph
    assert {value.name for value in old.input} == {"input", *(tensor.name for tensor in old.initializer)}
    assert [value.name for value in new.input] == ["input"]


def test_same_bytes_and_digest() -> None:
    graph = SMALL["mobilenet_v2"].graph()
    first, second = (to_onnx(graph, 9).SerializeToString(deterministic=True) for _ in range(2))
    assert first == second
    model = onnx.load_from_string(first)
    assert {entry.key: entry.value for entry in model.metadata_props} == {"trtmatrix.digest": graph.digest}


@pytest.mark.parametrize("opset", [6, 21])
def test_other_opsets_are_refused(opset: int) -> None:
    with pytest.raises(UsageError, match=f"no ONNX export for opset {opset}; use 7 to 20"):
        to_onnx(SMALL["mobilenet_v1"].graph(), opset)


def test_foreign_op_is_refused() -> None:
    graph = SMALL["mobilenet_v1"].graph()
    foreign = replace(graph.ops[1], kind=OpKind.OTHER, attributes={"op_type": "HardSwish"})
    with pytest.raises(UsageError, match=r"op 'Conv2d_0/Relu6' \(HardSwish\) cannot be exported"):
        to_onnx(replace(graph, ops=(graph.ops[0], foreign, *graph.ops[2:])))


def test_independent_evaluator_agrees() -> None:
    """ONNX's own evaluator shares no code with the reference, nor with onnxruntime."""
    graph: Graph = SMALL["mobilenet_v2"].graph(relu6="relu_sub")
    (found,) = ReferenceEvaluator(to_onnx(graph, 13)).run(None, dict(probe_inputs(graph)))
    np.testing.assert_allclose(found, probe_reference(graph)["logits"], rtol=1e-3, atol=1e-4)
