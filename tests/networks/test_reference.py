"""Reference outputs: kernels against plain loops and an independent evaluator, and the inputs."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from harness.errors import UsageError
from harness.networks.graph import OpKind, SourceOp
from harness.networks.inputs import probe_inputs
from harness.networks.kernels import compute
from harness.networks.mobilenet import MobileNetV1, MobileNetV2
from harness.networks.reference import evaluate, probe_reference, reference_outputs

RNG = np.random.default_rng(3)


def slow_convolution(op: SourceOp, x: np.ndarray, kernel: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """The definition, one element at a time."""
    top, left, bottom, right = op.attributes["pads"]
    stride, groups = op.attributes["strides"][0], op.attributes["groups"]
    x = np.pad(x, ((0, 0), (0, 0), (top, bottom), (left, right)))
    filters, per_group, rows, columns = kernel.shape
    height, width = (x.shape[2] - rows) // stride + 1, (x.shape[3] - columns) // stride + 1
    result = np.zeros((len(x), filters, height, width))
    for n, k, i, j in itertools.product(*map(range, result.shape)):
        first = k // (filters // groups) * per_group
        window = x[
            n, first : first + per_group, i * stride : i * stride + rows, j * stride : j * stride + columns
        ]
        result[n, k, i, j] = (window * kernel[k]).sum() + bias[k]
    return result


@pytest.mark.parametrize(
    ("channels", "filters", "groups", "kernel", "stride", "pads"),
    [
        (3, 4, 1, 3, 2, [0, 0, 1, 1]),
        (3, 4, 1, 3, 1, [1, 1, 1, 1]),
        (4, 4, 4, 3, 2, [0, 0, 1, 1]),
        (4, 4, 4, 3, 1, [1, 1, 1, 1]),
        (4, 8, 4, 3, 1, [1, 1, 1, 1]),
        (4, 6, 2, 3, 1, [1, 0, 1, 2]),
        (5, 2, 1, 1, 1, [0, 0, 0, 0]),
        (5, 2, 1, 1, 2, [0, 0, 0, 0]),
    ],
)
@pytest.mark.parametrize("rounded", [False, True])
def test_convolution(
    channels: int, filters: int, groups: int, kernel: int, stride: int, pads: list[int], rounded: bool
) -> None:
    attributes = {"kernel": [kernel, kernel], "strides": [stride, stride], "pads": pads, "groups": groups}
    op = SourceOp("conv", OpKind.CONV, ("x",), "y", attributes)
    x = RNG.standard_normal((2, channels, 6, 8))
    weights = {
        "kernel": RNG.standard_normal((filters, channels // groups, kernel, kernel)),
        "bias": RNG.standard_normal(filters),
    }
    # Rounding that changes nothing must leave the sum as it is, whatever the chunks.
    found = compute(op, [x], weights, (lambda partial: partial) if rounded else None)
    np.testing.assert_allclose(found, slow_convolution(op, x, weights["kernel"], weights["bias"]), atol=1e-12)


def _unary(kind: OpKind, x: np.ndarray, **attributes: object) -> np.ndarray:
    return compute(SourceOp("op", kind, ("x",), "y", attributes), [x], {})


def test_activations() -> None:
    x = np.array([[-1.0, 0.5, 7.0]], np.float32)
    assert _unary(OpKind.CLIP, x, minimum=0.0, maximum=6.0).tolist() == [[0.0, 0.5, 6.0]]
    assert _unary(OpKind.RELU, x).tolist() == [[0.0, 0.5, 7.0]]
    assert _unary(OpKind.SHIFT, x, value=-6.0).tolist() == [[-7.0, -5.5, 1.0]]
    assert _unary(OpKind.SIGMOID, np.zeros((1, 2))).tolist() == [[0.5, 0.5]]
    np.testing.assert_allclose(_unary(OpKind.SOFTMAX, x).sum(), 1.0, rtol=1e-6)


def test_pools_leave_padding_out() -> None:
    x = -np.arange(1.0, 10.0).reshape(1, 1, 3, 3)
    attributes = {"kernel": [2, 2], "strides": [2, 2], "pads": [0, 0, 1, 1]}
    assert _unary(OpKind.AVERAGE_POOL, x, **attributes).ravel().tolist() == [-3.0, -4.5, -7.5, -9.0]
    assert _unary(OpKind.MAX_POOL, x, **attributes).ravel().tolist() == [-1.0, -3.0, -7.0, -9.0]
    assert _unary(OpKind.GLOBAL_AVERAGE_POOL, x).tolist() == [[[[-5.0]]]]


def test_shapes() -> None:
    x = np.arange(24.0).reshape(2, 3, 4)
    assert _unary(OpKind.TRANSPOSE, x, permutation=[0, 2, 1]).shape == (2, 4, 3)
    assert _unary(OpKind.RESHAPE, x, shape=[0, -1]).shape == (2, 12)
    two = SourceOp("op", OpKind.CONCAT, ("x", "y"), "z")
    assert compute(two, [x, x], {}).shape == (2, 6, 4)


def test_products_and_sums() -> None:
    x = RNG.standard_normal((2, 20))
    matrix, vector = RNG.standard_normal((20, 5)), RNG.standard_normal(5)
    product = SourceOp("op", OpKind.MATMUL, ("x",), "y")
    np.testing.assert_allclose(compute(product, [x], {"matrix": matrix}), x @ matrix)
    np.testing.assert_allclose(compute(product, [x], {"matrix": matrix}, lambda part: part), x @ matrix)
    assert compute(
        SourceOp("op", OpKind.ADD_VECTOR, ("x",), "y"), [x @ matrix], {"vector": vector}
    ).shape == (2, 5)
    assert np.all(compute(SourceOp("op", OpKind.SUB, ("x", "z"), "y"), [x, x], {}) == 0)


@pytest.mark.parametrize("family", [MobileNetV1(), MobileNetV2()])
def test_both_forms_of_relu6_give_the_same(family: MobileNetV1 | MobileNetV2) -> None:
    clip, pieces = family.graph(), family.graph(relu6="relu_sub")
    inputs = probe_inputs(clip)
    first, second = reference_outputs(clip, inputs)["logits"], reference_outputs(pieces, inputs)["logits"]
    np.testing.assert_allclose(first, second, atol=1e-4 * np.abs(first).max())


def test_outputs_are_in_range_and_depend_on_the_image() -> None:
    graph = MobileNetV2().graph(batch=2)
    logits = probe_reference(graph)["logits"]
    assert logits.shape == (2, 1001, 1, 1)
    assert logits.dtype == np.float32
    assert 1 < np.abs(logits).max() < 20
    assert np.abs(logits[0] - logits[1]).max() > 0.1 * np.abs(logits).max()


def test_an_item_does_not_depend_on_the_batch() -> None:
    one, three = MobileNetV2().graph(), MobileNetV2().graph(batch=3)
    assert np.array_equal(probe_inputs(one)["input"][0], probe_inputs(three)["input"][0])
    assert not np.array_equal(probe_inputs(one, seed=1)["input"], probe_inputs(one)["input"])
    assert not np.array_equal(probe_inputs(three)["input"][0], probe_inputs(three)["input"][1])


def test_inputs_are_the_same_on_every_machine() -> None:
    image = probe_inputs(MobileNetV2().graph())["input"]
    assert image.dtype == np.float32
    assert np.abs(image).max() <= 1.5
    assert [float(value) for value in image[0, :, 100, 100]] == [
        -0.519025444984436,
        -0.49919259548187256,
        0.1956266164779663,
    ]


def test_tensors_are_dropped_after_their_last_reader() -> None:
    """The residual source must live until its sum, and no op may read what is gone."""
    graph = MobileNetV2(width=0.25, resolution=32, classes=11).graph()
    seen: list[str] = []
    evaluate(graph, probe_inputs(graph), visit=lambda op, result: (seen.append(op.name), result)[1])
    assert seen == [op.name for op in graph.ops]


def test_wrong_inputs_are_refused() -> None:
    graph = MobileNetV2(width=0.25, resolution=32, classes=11).graph()
    with pytest.raises(UsageError, match="the input 'input' is missing"):
        reference_outputs(graph, {})
    with pytest.raises(UsageError, match=r"shape \(1, 3, 2, 2\), the network wants \(1, 3, 32, 32\)"):
        reference_outputs(graph, {"input": np.zeros((1, 3, 2, 2), np.float32)})


def test_foreign_op_has_no_reference() -> None:
    op = SourceOp("shuffle", OpKind.OTHER, ("x",), "y", {"op_type": "ChannelShuffle"})
    with pytest.raises(UsageError, match=r"op 'shuffle' \(ChannelShuffle\) has no reference"):
        compute(op, [np.zeros(math.prod((1, 2)))], {})
