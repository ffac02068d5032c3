"""The probe of ReLU6 behind a matrix product."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import onnx
import onnx.reference
import pytest

from harness.networks.accounting import op_costs, total
from harness.networks.bounds import check_outputs, error_bound
from harness.networks.emulation import PRECISIONS
from harness.networks.graph import OpKind
from harness.networks.inputs import probe_inputs
from harness.networks.onnx_export import to_onnx
from harness.networks.probes import LinearRelu6Probe
from harness.networks.reference import probe_reference, reference_outputs
from harness.plugins import registry
from tests.networks.shares import shares_above_6


def test_ops() -> None:
    graph = registry.networks()["linear_relu6_probe"].graph()
    assert [(op.name, op.kind) for op in graph.ops] == [
        ("Linear_0/MatMul", OpKind.MATMUL),
        ("Linear_0/BiasAdd", OpKind.ADD_VECTOR),
        ("Linear_0/Relu6", OpKind.CLIP),
        ("Linear_1/MatMul", OpKind.MATMUL),
        ("Linear_1/BiasAdd", OpKind.ADD_VECTOR),
        ("Linear_1/Relu6", OpKind.CLIP),
    ]
    assert graph.op("Linear_0/Relu6").attributes == {"minimum": 0.0, "maximum": 6.0}
    assert total(op_costs(graph).values()).multiply_adds == 64 * 128 + 128 * 64


def test_some_activations_pass_6() -> None:
    shares = shares_above_6(LinearRelu6Probe().graph(batch=8))
    assert all(0.02 < share < 0.2 for share in shares.values())


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("layer", ["Linear_0/Relu6", "Linear_1/Relu6"])
def test_a_dropped_upper_bound_is_seen_in_every_precision(layer: str, precision: str) -> None:
    graph = LinearRelu6Probe().graph(batch=4)
    ops = tuple(replace(op, kind=OpKind.RELU) if op.name == layer else op for op in graph.ops)
    outputs = reference_outputs(replace(graph, ops=ops), probe_inputs(graph))
    assert not check_outputs(outputs, probe_reference(graph), error_bound(graph, precision)).valid


@pytest.mark.parametrize("relu6", ["clip", "relu_sub"])
@pytest.mark.parametrize("opset", [7, 11, 20])
def test_export(opset: int, relu6: str) -> None:
    graph = LinearRelu6Probe().graph(batch=2, relu6=relu6)
    model = to_onnx(graph, opset)
    onnx.checker.check_model(model, full_check=True)
    (found,) = onnx.reference.ReferenceEvaluator(model).run(None, dict(probe_inputs(graph)))
    np.testing.assert_allclose(found, probe_reference(graph)["Linear_1/Relu6"], atol=1e-5)
    assert found.max() == 6.0
