"""Inception v2: names, shapes, totals, ONNX, and ReLU6 of which it has none."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
import pytest

from harness.errors import UsageError
from harness.networks.accounting import op_costs, total
from harness.networks.graph import Graph, OpKind
from harness.networks.inception import InceptionV2
from harness.networks.inputs import probe_inputs
from harness.networks.onnx_export import to_onnx
from harness.networks.reference import probe_reference, reference_outputs
from harness.plugins import registry


@pytest.fixture(scope="module")
def graph() -> Graph:
    return registry.networks()["inception_v2"].graph()


def test_totals_agree_with_published_ones(graph: Graph) -> None:
    """Open Model Zoo says 11.185 M parameters and 4.058 GFLOPs, with a plain first convolution.

    TF-slim's is separable: a 7x7 depthwise to 24 channels and a 1x1 instead of a 7x7 to 64 channels.
    """
    found = total(op_costs(graph).values())
    area = 112 * 112
    plain = found.multiply_adds + area * (7 * 7 * 3 * 64 - 7 * 7 * 24 - 24 * 64)
    assert found.parameters == pytest.approx(11.185e6, rel=0.02)
    assert 2 * plain == pytest.approx(4.058e9, rel=0.02)


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("Conv2d_1a_7x7/separable_conv2d", (1, 64, 112, 112)),
        ("Conv2d_2c_3x3/Relu", (1, 192, 56, 56)),
        ("Mixed_3b/concat", (1, 256, 28, 28)),
        ("Mixed_3c/concat", (1, 320, 28, 28)),
        ("Mixed_4a/concat", (1, 576, 14, 14)),
        ("Mixed_4e/concat", (1, 576, 14, 14)),
        ("Mixed_5a/concat", (1, 1024, 7, 7)),
        ("Mixed_5c/concat", (1, 1024, 7, 7)),
        ("logits", (1, 1001, 1, 1)),
    ],
)
def test_shapes(graph: Graph, name: str, shape: tuple[int, ...]) -> None:
    assert graph.shapes[name] == shape


def test_names_and_kinds(graph: Graph) -> None:
    assert graph.op("Mixed_4b/Branch_1/Conv2d_0b_3x3/Conv2D").kind is OpKind.CONV
    assert graph.op("Mixed_5b/Branch_3/AvgPool_0a_3x3/AvgPool").kind is OpKind.AVERAGE_POOL
    assert graph.op("Mixed_5c/Branch_3/MaxPool_0a_3x3/MaxPool").kind is OpKind.MAX_POOL
    assert not any(op.kind is OpKind.CLIP for op in graph.ops)
    stem = graph.op("Conv2d_1a_7x7/separable_conv2d/depthwise")
    assert (stem.attributes["groups"], graph.shapes[stem.output][1], set(stem.weights)) == (3, 24, {"kernel"})


@pytest.mark.parametrize("opset", [7, 20])
def test_onnx_agrees_with_the_reference(opset: int) -> None:
    graph = InceptionV2(resolution=64, classes=11).graph(batch=2)
    model = to_onnx(graph, opset)
    onnx.checker.check_model(model, full_check=True)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # IR 3 repeats initializers as inputs, which it warns about
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    inputs = probe_inputs(graph)
    (found,) = session.run(None, inputs)
    expected = reference_outputs(graph, inputs)["logits"]
    assert np.abs(found - expected).max() < 1e-4 * np.abs(expected).max()


def test_outputs_are_in_range(graph: Graph) -> None:
    assert 1 < np.abs(probe_reference(graph)["logits"]).max() < 50


def test_relu6_in_pieces_is_refused() -> None:
    with pytest.raises(UsageError, match="'inception_v2' has no ReLU6, so no form 'relu_sub'"):
        InceptionV2().graph(relu6="relu_sub")
