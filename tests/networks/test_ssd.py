"""SSD MobileNet v2: names of the question, shapes, totals, ONNX, bounds."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
import pytest

from harness.networks.accounting import op_costs, total
from harness.networks.bounds import error_bound
from harness.networks.graph import Graph, OpKind
from harness.networks.inputs import probe_inputs
from harness.networks.onnx_export import to_onnx
from harness.networks.reference import probe_reference, reference_outputs
from harness.networks.ssd import SsdMobileNetV2
from harness.plugins import registry
from tests.networks.shares import shares_above_6

SCOPE = "FeatureExtractor/MobilenetV2"


@pytest.fixture(scope="module")
def graph() -> Graph:
    return registry.networks()["ssd_mobilenet_v2"].graph()


def test_totals_agree_with_published_ones(graph: Graph) -> None:
    """Open Model Zoo says 16.818 M parameters and 3.775 GFLOPs for ssd_mobilenet_v2_coco."""
    found = total(op_costs(graph).values())
    assert found.parameters == pytest.approx(16.818e6, rel=0.001)
    assert found.flops == pytest.approx(3.775e9, rel=0.02)


@pytest.mark.parametrize(
    ("tensor", "shape"),
    [
        (f"{SCOPE}/expanded_conv_5/depthwise/depthwise", (1, 192, 38, 38)),
        (f"{SCOPE}/expanded_conv_13/expand/Relu6", (1, 576, 19, 19)),
        (f"{SCOPE}/Conv_1/Relu6", (1, 1280, 10, 10)),
        (f"{SCOPE}/layer_19_2_Conv2d_2_3x3_s2_512/Relu6", (1, 512, 5, 5)),
        (f"{SCOPE}/layer_19_2_Conv2d_3_3x3_s2_256/Relu6", (1, 256, 3, 3)),
        (f"{SCOPE}/layer_19_2_Conv2d_4_3x3_s2_256/Relu6", (1, 256, 2, 2)),
        (f"{SCOPE}/layer_19_2_Conv2d_5_3x3_s2_128/Relu6", (1, 128, 1, 1)),
        ("raw_box_encodings", (1, 1917, 4)),
        ("class_scores", (1, 1917, 91)),
    ],
)
def test_shapes(graph: Graph, tensor: str, shape: tuple[int, ...]) -> None:
    assert graph.shapes[tensor] == shape


def test_names_of_the_question(graph: Graph) -> None:
    block = f"{SCOPE}/expanded_conv_5"
    for name, kind in (
        ("expand/Conv2D", OpKind.CONV),
        ("expand/Relu6", OpKind.CLIP),
        ("depthwise/depthwise", OpKind.CONV),
        ("depthwise/Relu6", OpKind.CLIP),
        ("project/Conv2D", OpKind.CONV),
        ("add", OpKind.ADD),
    ):
        assert graph.op(f"{block}/{name}").kind is kind
    assert graph.op("BoxPredictor_0/BoxEncodingPredictor/Conv2D").attributes["kernel"] == [3, 3]


def test_odd_sizes_are_padded_on_both_sides(graph: Graph) -> None:
    """300 halves to 75, and 75 to 38: SAME then pads one element before and one after."""
    assert graph.op(f"{SCOPE}/Conv/Conv2D").attributes["pads"] == [0, 0, 1, 1]
    assert graph.op(f"{SCOPE}/expanded_conv_3/depthwise/depthwise").attributes["pads"] == [1, 1, 1, 1]


@pytest.mark.parametrize("relu6", ["clip", "relu_sub"])
@pytest.mark.parametrize("opset", [7, 20])
def test_onnx_agrees_with_the_reference(opset: int, relu6: str) -> None:
    graph = SsdMobileNetV2(width=0.25, resolution=96, classes=5).graph(batch=2, relu6=relu6)
    model = to_onnx(graph, opset)
    onnx.checker.check_model(model, full_check=True)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # IR 3 repeats initializers as inputs, which it warns about
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    inputs = probe_inputs(graph)
    expected = reference_outputs(graph, inputs)
    for name, found in zip(graph.outputs, session.run(list(graph.outputs), inputs), strict=True):
        assert np.abs(found - expected[name]).max() < 1e-4 * np.abs(expected[name]).max()


def test_activations_pass_6_and_outputs_are_in_range(graph: Graph) -> None:
    assert all(0.04 < share < 0.14 for share in shares_above_6(graph).values())
    assert all(1 < np.abs(array).max() < 50 for array in probe_reference(graph).values())


def test_bounds_are_tight_enough_to_tell(graph: Graph) -> None:
    assert error_bound(graph, "fp32").value < 1e-3
    assert error_bound(graph, "fp16").value < 0.1
