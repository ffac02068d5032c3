"""Which source op an ONNX node is: a node that means the same as a built-in kind becomes that kind.

A reader returns None where the node's variant has no kind here (a convolution with computed weights, a
three-dimensional pooling, a broadcast sum); it then stays OTHER and is counted as such.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from harness.networks.builder import same_padding
from harness.networks.graph import OpKind, SourceOp
from harness.networks.onnx_nodes import Node, other

_LOWEST, _HIGHEST = float(np.finfo(np.float32).min), float(np.finfo(np.float32).max)
_SOFTMAX_TAKES_ONE_AXIS = 13

Reader = Callable[[Node], SourceOp | list[SourceOp] | None]


def source_ops(node: Node) -> list[SourceOp]:
    """Return the source ops of *node*: one, two for a Gemm, one an output for others with several outputs."""
    reader = _READERS.get(node.proto.op_type) if node.proto.domain in ("", "ai.onnx") else None
    found = reader(node) if reader is not None else None
    if found is None:
        return other(node)
    return found if isinstance(found, list) else [found]


def _pads(node: Node, kernel: list[int], strides: list[int]) -> list[int]:
    """Return [top, left, bottom, right]."""
    attributes = node.attributes
    mode = attributes.get("auto_pad", b"NOTSET").decode()
    if mode == "VALID":
        return [0, 0, 0, 0]
    if mode == "NOTSET":
        return list(attributes.get("pads", [0, 0, 0, 0]))
    before, after = zip(
        *(same_padding(*axis) for axis in zip(node.shape()[2:], kernel, strides, strict=True)), strict=True
    )
    return [*after, *before] if mode == "SAME_LOWER" else [*before, *after]


def _conv(node: Node) -> SourceOp | None:
    kernel = node.constant(1)
    has_bias = len(node.proto.input) > 2 and node.proto.input[2] != ""
    if kernel is None or kernel.ndim != 4 or (has_bias and node.constant(2) is None):
        return None
    strides = list(node.attributes.get("strides", [1, 1]))
    dilations = list(node.attributes.get("dilations", [1, 1]))
    window, groups = list(kernel.shape[2:]), int(node.attributes.get("group", 1))
    pads = _pads(node, [(k - 1) * d + 1 for k, d in zip(window, dilations, strict=True)], strides)
    attributes: dict[str, object] = {
        "kernel": window,
        "strides": strides,
        "pads": pads,
        "groups": groups,
        "depthwise": groups > 1 and groups == node.shape()[1],
    }
    if dilations != [1, 1]:
        attributes["dilations"] = dilations
    return node.op(OpKind.CONV, {"kernel": 1, "bias": 2} if has_bias else {"kernel": 1}, **attributes)


def _limits(node: Node, minimum: float, maximum: float) -> SourceOp:
    if minimum == 0.0 and maximum >= _HIGHEST:
        return node.op(OpKind.RELU)
    return node.op(OpKind.CLIP, minimum=max(minimum, _LOWEST), maximum=min(maximum, _HIGHEST))


def _clip(node: Node) -> SourceOp | None:
    limits = [node.attributes.get("min", _LOWEST), node.attributes.get("max", _HIGHEST)]
    for index in (1, 2):
        if index < len(node.proto.input) and node.proto.input[index]:
            scalar = node.scalar(index)
            if scalar is None:
                return None
            limits[index - 1] = scalar
    return _limits(node, limits[0], limits[1])


def _extremum(node: Node) -> SourceOp | None:
    scalar = _scalar_operand(node)
    if scalar is None:
        return None
    return _limits(node, scalar, _HIGHEST) if node.proto.op_type == "Max" else _limits(node, _LOWEST, scalar)


def _scalar_operand(node: Node) -> float | None:
    """Return the constant of a two-operand node of a tensor and a scalar."""
    if len(node.proto.input) != 2 or len(node.tensors) != 1:
        return None
    if node.model.shapes[node.tensors[0]] != node.output_shape:
        return None
    return node.scalar(0) if node.scalar(0) is not None else node.scalar(1)


def _sum(node: Node) -> SourceOp | None:
    if len(node.tensors) == 2:
        return node.op(OpKind.ADD) if node.shape(0) == node.shape(1) else None
    scalar = _scalar_operand(node)
    if scalar is not None:
        return node.op(OpKind.SHIFT, value=scalar)
    index = 0 if node.constant(0) is not None else 1
    vector, shape = node.constant(index), node.output_shape
    if vector is not None and len(shape) == 2 and vector.shape in (shape[1:], (1, shape[1])):
        return node.op(OpKind.ADD_VECTOR, {"vector": index})
    return None


def _difference(node: Node) -> SourceOp | None:
    if len(node.tensors) == 2:
        return node.op(OpKind.SUB) if node.shape(0) == node.shape(1) else None
    scalar = _scalar_operand(node) if node.constant(0) is None else None
    return node.op(OpKind.SHIFT, value=-scalar) if scalar is not None else None


def _pool(kind: OpKind) -> Reader:
    def read(node: Node) -> SourceOp | None:
        attributes = node.attributes
        kernel = list(attributes["kernel_shape"])
        strides = list(attributes.get("strides", [1, 1]))
        if len(kernel) != 2 or len(node.proto.output) != 1 or attributes.get("ceil_mode", 0):
            return None
        if any(step != 1 for step in attributes.get("dilations", [])):
            return None
        pads = _pads(node, kernel, strides)
        if kind is OpKind.AVERAGE_POOL and attributes.get("count_include_pad", 0) and any(pads):
            return None
        return node.op(kind, kernel=kernel, strides=strides, pads=pads)

    return read


def _global_average_pool(node: Node) -> SourceOp | None:
    return node.op(OpKind.GLOBAL_AVERAGE_POOL) if len(node.shape()) == 4 else None


def _axes(node: Node) -> list[int] | None:
    """Return the axes that a reduction or squeeze names, counted from 0, None where it names none."""
    listed = node.attributes.get("axes")
    if listed is None and node.constant(1) is not None:
        listed = np.atleast_1d(node.model.constants[node.proto.input[1]]).tolist()
    rank = max(len(node.shape()), len(node.output_shape))
    return sorted(int(axis) % rank for axis in listed) if listed is not None else None


def _mean(node: Node) -> SourceOp | None:
    kept = node.attributes.get("keepdims", 1) == 1
    whole = len(node.shape()) == 4 and _axes(node) == [2, 3] and kept
    return node.op(OpKind.GLOBAL_AVERAGE_POOL) if whole else None


def _concat(node: Node) -> SourceOp | None:
    along_c = node.attributes["axis"] % len(node.output_shape) == 1
    return node.op(OpKind.CONCAT) if along_c and len(node.tensors) == len(node.proto.input) else None


def _matmul(node: Node) -> SourceOp | None:
    matrix = node.constant(1)
    if matrix is None or matrix.ndim != 2 or len(node.shape()) != 2:
        return None
    return node.op(OpKind.MATMUL, {"matrix": 1})


def _gemm(node: Node) -> list[SourceOp] | None:
    attributes, matrix = node.attributes, node.constant(1)
    if matrix is None or attributes.get("transA", 0) or attributes.get("alpha", 1.0) != 1.0:
        return None
    output, key = node.proto.output[0], node.proto.input[1]
    if attributes.get("transB", 0):
        key, matrix = f"{key}/transposed", matrix.T
    has_bias = len(node.proto.input) > 2 and node.proto.input[2] != ""
    product = f"{node.name}/product" if has_bias else output
    ops = [SourceOp(node.name, OpKind.MATMUL, node.tensors, product, {}, {"matrix": key})]
    if has_bias:
        bias = node.constant(2)
        if bias is None or attributes.get("beta", 1.0) != 1.0 or bias.size != node.output_shape[1]:
            return None
        vector = f"{node.name}/vector"
        roles = {"vector": vector}
        ops.append(SourceOp(f"{node.name}/bias", OpKind.ADD_VECTOR, (product,), output, {}, roles))
        node.weights[vector] = np.ascontiguousarray(bias.reshape(-1), np.float32)
        node.shapes[product] = node.output_shape
    node.weights[key] = np.ascontiguousarray(matrix, np.float32)
    return ops


def _softmax(node: Node) -> SourceOp | None:
    shape, opset = node.output_shape, node.model.opset
    axis = node.attributes.get("axis", -1 if opset >= _SOFTMAX_TAKES_ONE_AXIS else 1) % len(shape)
    whole = opset >= _SOFTMAX_TAKES_ONE_AXIS or all(size == 1 for size in shape[2:])
    return node.op(OpKind.SOFTMAX) if axis == 1 and whole else None


def _transpose(node: Node) -> SourceOp:
    backwards = list(range(len(node.shape())))[::-1]
    return node.op(OpKind.TRANSPOSE, permutation=list(node.attributes.get("perm", backwards)))


def _reshape(node: Node) -> SourceOp | None:
    """Read whatever only changes the shape: Reshape, Flatten, Squeeze, Unsqueeze, Identity, Dropout."""
    source, target = node.shape(), node.output_shape
    if source[:1] != target[:1] or math.prod(source) != math.prod(target) or len(node.tensors) != 1:
        return None
    if any(name in node.model.shapes and name in node.model.outputs for name in node.proto.output[1:]):
        return None  # the mask of a dropout is asked for
    return node.op(OpKind.RESHAPE, shape=[0, *target[1:]])


_READERS: dict[str, Reader] = {
    "Conv": _conv,
    "Clip": _clip,
    "Relu": lambda node: node.op(OpKind.RELU),
    "Max": _extremum,
    "Min": _extremum,
    "Add": _sum,
    "Sub": _difference,
    "AveragePool": _pool(OpKind.AVERAGE_POOL),
    "MaxPool": _pool(OpKind.MAX_POOL),
    "GlobalAveragePool": _global_average_pool,
    "ReduceMean": _mean,
    "Concat": _concat,
    "MatMul": _matmul,
    "Gemm": _gemm,
    "Sigmoid": lambda node: node.op(OpKind.SIGMOID),
    "Softmax": _softmax,
    "Transpose": _transpose,
    **dict.fromkeys(("Reshape", "Flatten", "Squeeze", "Unsqueeze", "Identity", "Dropout"), _reshape),
}
