"""Each kind of source op in NumPy: what the reference and the emulation of lower precisions compute with.

Tensors are NCHW. The element type of the result is that of the operands.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from harness.errors import UnsupportedOpError
from harness.networks.graph import OpKind, SourceOp

Array = NDArray[Any]
Round = Callable[[Array], Array]
"""Rounds the elements of an array to a number format."""

ACCUMULATION_DEPTH = 16
"""Products added before a partial sum is rounded: the depth of one tensor-core step in half precision."""


def _pair(op: SourceOp, key: str) -> tuple[int, int]:
    first, second = cast("list[int]", op.attributes[key])
    return first, second


def _padded(op: SourceOp, tensor: Array, value: float = 0.0) -> Array:
    top, left, bottom, right = cast("list[int]", op.attributes["pads"])
    if not (top or left or bottom or right):
        return tensor
    return np.pad(tensor, ((0, 0), (0, 0), (top, bottom), (left, right)), constant_values=value)


def _windows(op: SourceOp, tensor: Array) -> Array:
    """Return a view (N, C, OH, OW, R, S) of the windows of the padded *tensor*."""
    rows, columns = _pair(op, "strides")
    dilation = cast("list[int]", op.attributes.get("dilations", [1, 1]))
    kernel = _pair(op, "kernel")
    extent = tuple((k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True))
    return sliding_window_view(tensor, extent, axis=(2, 3))[
        :, :, ::rows, ::columns, :: dilation[0], :: dilation[1]
    ]


def convolution(
    op: SourceOp, tensor: Array, weights: Mapping[str, Array], accumulate: Round | None = None
) -> Array:
    """Return the convolution of *tensor* (N, C, H, W) with kernel (K, C/groups, R, S), plus bias (K,).

    :param accumulate: rounds partial sums of :data:`ACCUMULATION_DEPTH` products (of one, depthwise)
    """
    kernel = weights["kernel"]
    filters, per_group, _, _ = kernel.shape
    groups = cast("int", op.attributes.get("groups", 1))
    windows = _windows(op, _padded(op, tensor))
    if per_group == 1 and filters == groups:
        result = _depthwise(windows, kernel, accumulate)
    else:
        batch, height, width = windows.shape[0], windows.shape[2], windows.shape[3]
        grouped = windows.reshape(batch, groups, per_group, *windows.shape[2:])
        unfolded = grouped.transpose(0, 1, 2, 5, 6, 3, 4).reshape(batch, groups, -1, height * width)
        product = _product(kernel.reshape(groups, filters // groups, -1), unfolded, accumulate)
        result = product.reshape(batch, filters, height, width)
    if "bias" in weights:
        result = result + weights["bias"][:, None, None]
    return result


def _depthwise(windows: Array, kernel: Array, accumulate: Round | None) -> Array:
    # One product a tap instead of an unfolded copy: the input of a depthwise layer is large.
    _, _, rows, columns = kernel.shape
    result: Array = windows[..., 0, 0] * kernel[:, 0, 0, 0, None, None]
    for row, column in [divmod(tap, columns) for tap in range(1, rows * columns)]:
        result += windows[..., row, column] * kernel[:, 0, row, column, None, None]
        result = result if accumulate is None else accumulate(result)
    return result


def _product(matrix: Array, columns: Array, accumulate: Round | None) -> Array:
    if accumulate is None:
        return cast("Array", np.matmul(matrix, columns))
    depth = matrix.shape[-1]
    result = np.zeros((*columns.shape[:-2], matrix.shape[-2], columns.shape[-1]), columns.dtype)
    for start in range(0, depth, ACCUMULATION_DEPTH):
        part = slice(start, start + ACCUMULATION_DEPTH)
        result = accumulate(result + np.matmul(matrix[..., part], columns[..., part, :]))
    return result


def average_pool(op: SourceOp, tensor: Array) -> Array:
    """Return the mean of each window; padded elements do not count."""
    ones = np.ones((1, 1, *tensor.shape[2:]), tensor.dtype)
    counts = _windows(op, _padded(op, ones)).sum(axis=(4, 5))
    return cast("Array", _windows(op, _padded(op, tensor)).sum(axis=(4, 5)) / counts)


def max_pool(op: SourceOp, tensor: Array) -> Array:
    """Return the largest element of each window."""
    return cast("Array", _windows(op, _padded(op, tensor, -np.inf)).max(axis=(4, 5)))


def softmax(tensor: Array) -> Array:
    """Return the softmax over axis 1."""
    powers = np.exp(tensor - tensor.max(axis=1, keepdims=True))
    return cast("Array", powers / powers.sum(axis=1, keepdims=True))


def reshape(op: SourceOp, tensor: Array) -> Array:
    """Return *tensor* reshaped; 0 copies the axis of the input, -1 infers."""
    shape = cast("list[int]", op.attributes["shape"])
    return tensor.reshape([tensor.shape[axis] if size == 0 else size for axis, size in enumerate(shape)])


def _scalar(op: SourceOp, key: str, tensor: Array) -> Any:
    return tensor.dtype.type(op.attributes[key])


_UNARY: dict[OpKind, Callable[[SourceOp, Array], Array]] = {
    OpKind.CLIP: lambda op, x: np.clip(x, _scalar(op, "minimum", x), _scalar(op, "maximum", x)),
    OpKind.RELU: lambda _, x: np.maximum(x, x.dtype.type(0)),
    OpKind.SHIFT: lambda op, x: x + _scalar(op, "value", x),
    OpKind.GLOBAL_AVERAGE_POOL: lambda _, x: x.mean(axis=(2, 3), keepdims=True),
    OpKind.AVERAGE_POOL: average_pool,
    OpKind.MAX_POOL: max_pool,
    OpKind.SIGMOID: lambda _, x: 1 / (1 + np.exp(-x)),
    OpKind.SOFTMAX: lambda _, x: softmax(x),
    OpKind.TRANSPOSE: lambda op, x: x.transpose(cast("list[int]", op.attributes["permutation"])),
    OpKind.RESHAPE: reshape,
}


def compute(
    op: SourceOp, operands: list[Array], weights: Mapping[str, Array], accumulate: Round | None = None
) -> Array:
    """Return the output tensor of *op*.

    :param operands: tensors read, in the order of ``op.inputs``
    :param weights: role (``kernel``, ``bias``, ...) to array
    :param accumulate: rounds the partial sums of convolutions and products
    :raises UsageError: an op of a user's file that has no kind here
    """
    if op.kind in _UNARY:
        return _UNARY[op.kind](op, operands[0])
    match op.kind:
        case OpKind.CONV:
            return convolution(op, operands[0], weights, accumulate)
        case OpKind.ADD:
            return operands[0] + operands[1]
        case OpKind.SUB:
            return operands[0] - operands[1]
        case OpKind.CONCAT:
            return np.concatenate(operands, axis=1)
        case OpKind.MATMUL:
            return _product(operands[0], weights["matrix"], accumulate)
        case OpKind.ADD_VECTOR:
            return operands[0] + weights["vector"]
    raise UnsupportedOpError(
        f"op '{op.name}' ({op.attributes.get('op_type', op.kind)}) has no reference here"
    )
