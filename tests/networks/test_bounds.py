"""Bounds per precision, and what they let pass and what not."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from harness.errors import UsageError
from harness.networks.bounds import SAFETY_FACTORS, Bound, check_outputs, error_bound
from harness.networks.emulation import PRECISIONS, dynamic_ranges, emulate, half, mantissa, steps
from harness.networks.graph import Graph, OpKind
from harness.networks.inputs import probe_inputs
from harness.networks.mobilenet import MobileNetV1, MobileNetV2
from harness.networks.reference import evaluate, probe_reference, reference_outputs


@pytest.fixture(scope="module")
def graph() -> Graph:
    return MobileNetV2().graph()


def test_precisions_are_ordered(graph: Graph) -> None:
    values = {precision: error_bound(graph, precision).value for precision in PRECISIONS}
    assert values["fp32"] < 1e-3 < values["tf32"] < values["fp16"] < values["bf16"] < values["int8"] < 0.5


def test_every_precision_has_a_factor() -> None:
    assert set(SAFETY_FACTORS) == set(PRECISIONS)


@pytest.mark.parametrize("precision", PRECISIONS)
def test_relu6_without_its_upper_bound_is_invalid(graph: Graph, precision: str) -> None:
    ops = tuple(replace(op, kind=OpKind.RELU) if op.kind is OpKind.CLIP else op for op in graph.ops)
    outputs = reference_outputs(replace(graph, ops=ops), probe_inputs(graph))
    found = check_outputs(outputs, probe_reference(graph), error_bound(graph, precision))
    assert not found.valid
    assert found.error > 1
    assert "is allowed" in found.reason


@pytest.mark.parametrize("family", [MobileNetV1(resolution=96), MobileNetV2(resolution=96)])
@pytest.mark.parametrize("precision", PRECISIONS)
def test_other_images_keep_to_the_bound(family: MobileNetV1 | MobileNetV2, precision: str) -> None:
    """The bound comes from one image; the emulation of others must lie within it."""
    graph = family.graph()
    inputs = probe_inputs(graph, seed=7)
    found = check_outputs(
        emulate(graph, inputs, precision), reference_outputs(graph, inputs), error_bound(graph, precision)
    )
    assert found.valid, found.reason


def test_one_wrong_weight_is_invalid_in_fp32(graph: Graph) -> None:
    key = "expanded_conv_5/project/Conv2D/kernel"
    kernel = graph.weights[key].copy()
    kernel.flat[0] += 0.1
    outputs = evaluate(graph, probe_inputs(graph), {**graph.weights, key: kernel})
    found = check_outputs(outputs, probe_reference(graph), error_bound(graph, "fp32"))
    assert not found.valid


def test_bound_does_not_depend_on_the_batch() -> None:
    small = MobileNetV2(width=0.25, resolution=32, classes=11)
    large = error_bound(replace(small.graph(batch=3), digest=""), "fp16")
    assert large == error_bound(small.graph(), "fp16")


def test_right_outputs(graph: Graph) -> None:
    reference = probe_reference(graph)
    found = check_outputs(reference, reference, error_bound(graph, "fp32"))
    assert (found.valid, found.error, found.top1, found.reason) == (True, 0.0, 1.0, "")
    squeezed = {"logits": reference["logits"].reshape(1, 1001)}
    assert check_outputs(squeezed, reference, error_bound(graph, "fp32")).valid


BOUND = Bound("fp16", 0.01, 4.0)


def _logits(*values: float) -> dict[str, np.ndarray]:
    return {"logits": np.array([values], np.float32)}


def test_top1_is_asked_only_where_the_margin_allows() -> None:
    reference = _logits(1.0, 0.97, 0.0)
    assert check_outputs(_logits(0.99, 0.995, 0.0), reference, BOUND).top1 is None
    clear = _logits(1.0, 0.955, 0.0)
    assert check_outputs(clear, clear, BOUND).top1 == 1.0
    swapped = check_outputs(_logits(0.97, 0.98, 0.0), clear, BOUND)
    assert (swapped.valid, swapped.top1) == (False, 0.0)
    assert "first class" in swapped.reason


def test_top1_is_not_asked_of_feature_maps() -> None:
    maps = {"boxes": np.ones((1, 4, 3), np.float32)}
    assert check_outputs(maps, maps, BOUND).top1 is None


@pytest.mark.parametrize(
    ("outputs", "reason"),
    [
        ({}, "the output 'logits' is missing"),
        (_logits(1.0, 2.0), r"output 'logits' has shape \(1, 2\), expected \(1, 3\)"),
        (_logits(1.0, float("nan"), 0.0), "output 'logits' holds values that are not finite"),
        (_logits(1.0, float("inf"), 0.0), "output 'logits' holds values that are not finite"),
    ],
)
def test_outputs_that_cannot_be_compared(outputs: dict[str, np.ndarray], reason: str) -> None:
    found = check_outputs(outputs, _logits(1.0, 0.0, 0.0), BOUND)
    assert not found.valid
    assert found.error == float("inf")
    assert re.fullmatch(reason, found.reason)


def test_mantissa_rounds_to_nearest_even() -> None:
    ulp = 2.0**-10
    values = np.array(
        [1 + 0.49 * ulp, 1 + 0.5 * ulp, 1 + 1.5 * ulp, 1 + 0.51 * ulp, -1 - 1.5 * ulp], np.float32
    )
    assert mantissa(10)(values).tolist() == [1.0, 1.0, 1 + 2 * ulp, 1 + ulp, -1 - 2 * ulp]
    assert np.array_equal(mantissa(10)(values), half(values))


def test_steps() -> None:
    found = steps(np.array([0.0, 0.4, 0.6, 127.4, 500.0, -500.0], np.float32), 127.0)
    assert found.tolist() == [0.0, 0.0, 1.0, 127.0, 127.0, -127.0]
    assert steps(np.zeros(3, np.float32), 0.0).tolist() == [0.0, 0.0, 0.0]


def test_dynamic_ranges_cover_every_tensor(graph: Graph) -> None:
    ranges = dynamic_ranges(graph, probe_inputs(graph))
    assert set(ranges) == set(graph.shapes)
    assert ranges["Conv/Relu6"] == 6.0
    assert ranges["Conv/Conv2D"] > 6.0


def test_unknown_precision(graph: Graph) -> None:
    with pytest.raises(UsageError, match="no emulation of precision 'fp4'"):
        emulate(graph, probe_inputs(graph), "fp4")
