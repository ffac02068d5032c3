"""What each of TensorFlow's ops becomes: source ops, or a constant where it depends on no input."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from harness.errors import TensorflowModelError
from harness.networks.graph import OpKind
from harness.networks.graphdef import FREEZE, array, attribute
from harness.networks.graphdef_images import affine, batch_norm, bias, conv, mean, pad, pool
from harness.networks.graphdef_nodes import Made, Tensor, data
from harness.networks.graphdef_reading import Reading, UnreadableNodeError, Value, like

_UNFROZEN = {
    **dict.fromkeys(("Variable", "VariableV2", "VarHandleOp", "ReadVariableOp"), "a variable"),
    **dict.fromkeys(("PartitionedCall", "StatefulPartitionedCall"), "a call of a function"),
}
_FOLDED: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    **dict.fromkeys(("Add", "AddV2", "AddN"), np.add),
    "Sub": np.subtract,
    "Mul": np.multiply,
    "RealDiv": np.divide,
}
"""Arithmetic of constants, which is done here: that of shapes, mostly."""

_LONGEST = 64  # of a range: it counts axes

_HIGHEST = float(np.finfo(np.float32).max)


def _per_channel(tensor: Tensor, constant: np.ndarray) -> np.ndarray:
    """Return *constant*, which is broadcast over all but the channels of *tensor*, as a vector of them."""
    axis = 1 if len(tensor.shape) == 4 and not tensor.last else len(tensor.shape) - 1
    padded = constant.reshape((1,) * (len(tensor.shape) - constant.ndim) + constant.shape)
    if padded.size not in (1, padded.shape[axis]) or padded.shape[axis] not in (1, tensor.shape[axis]):
        raise UnreadableNodeError(f"a constant of {constant.shape} is not one a channel of {tensor.shape}")
    return np.broadcast_to(padded.reshape(-1).astype(np.float64), (tensor.shape[axis],))


def _arithmetic(at: Reading) -> Value:
    op, (first, second) = at.node.op, (at.operand(0), at.operand(1))
    if not isinstance(first, Tensor) and not isinstance(second, Tensor):
        return _FOLDED[op](first, second)
    if isinstance(first, Tensor) and isinstance(second, Tensor):
        if op not in ("Add", "AddV2", "AddN", "Sub") or first.shape != second.shape or len(at.values) > 2:
            raise UnreadableNodeError(f"of {first.shape} and {second.shape} has no kind here")
        if first.last != second.last:
            first, second = at.made.plain(first, at.name), at.made.plain(second, at.name)
        return like(at, OpKind.SUB if op == "Sub" else OpKind.ADD, [first, second])
    if isinstance(second, Tensor):
        if op in ("Sub", "RealDiv"):
            raise UnreadableNodeError("of a constant and a tensor has no kind here")
        first, second = second, first
    first = at.tensor(0 if isinstance(at.values[0], Tensor) else 1)
    constant = np.asarray(second, np.float64)
    if op in ("Mul", "RealDiv"):
        scale = _per_channel(first, constant if op == "Mul" else 1 / constant)
        return affine(at, first, scale, np.zeros(len(scale)))
    constant = -constant if op == "Sub" else constant
    if constant.size == 1 and constant.ndim <= len(first.shape):
        return like(at, OpKind.SHIFT, [first], value=float(np.float32(constant.reshape(()))))
    return affine(at, first, None, _per_channel(first, constant))


def _extremum(at: Reading) -> Tensor:
    index = 0 if isinstance(at.values[0], Tensor) else 1
    tensor, limit = at.tensor(index), at.constant(1 - index)
    if limit.size != 1:
        raise UnreadableNodeError(f"with a constant of {limit.shape} has no kind here")
    value = float(limit.reshape(()))
    if at.node.op == "Minimum":
        return like(at, OpKind.CLIP, [tensor], minimum=-_HIGHEST, maximum=value)
    upper = at.made.alone(tensor, OpKind.CLIP)
    if upper is not None and upper.attributes["minimum"] == -_HIGHEST:
        # The two halves of one clip.
        del at.made.ops[upper.name], at.made.shapes[upper.name]
        before = replace(tensor, name=upper.inputs[0])
        return like(at, OpKind.CLIP, [before], minimum=value, maximum=upper.attributes["maximum"])
    if value == 0.0:
        return like(at, OpKind.RELU, [tensor])
    return like(at, OpKind.CLIP, [tensor], minimum=value, maximum=_HIGHEST)


def _clip_by_value(at: Reading) -> Tensor:
    low, high = (float(at.constant(index).reshape(())) for index in (1, 2))
    return like(at, OpKind.CLIP, [at.tensor()], minimum=low, maximum=high)


def _concat(at: Reading) -> Value:
    *parts, axis = range(len(at.values))
    if all(not isinstance(at.values[index], Tensor) for index in parts):
        return np.concatenate([np.asarray(at.values[index]) for index in parts], at.ints(axis)[0])
    tensors = [at.tensor(index) for index in parts]
    if len({(tensor.last, len(tensor.shape)) for tensor in tensors}) > 1:
        tensors = [at.made.plain(tensor, f"{at.name}/{index}") for index, tensor in enumerate(tensors)]
    first = tensors[0]
    along = at.ints(axis)[0] % len(first.shape)
    others = {tensor.shape[:along] + tensor.shape[along + 1 :] for tensor in tensors}
    if along != (3 if first.last else 1) or len(others) > 1:
        shapes = [list(tensor.shape) for tensor in tensors]
        raise UnreadableNodeError(f"of {shapes} along axis {along} has no kind here: channels are joined")
    total = sum(tensor.shape[along] for tensor in tensors)
    if len(tensors) == 1:
        return first
    if first.last:
        return at.made.image(at.name, OpKind.CONCAT, tensors, (total, *first.image[1:]), True)
    return at.made.add(at.name, OpKind.CONCAT, tensors, (first.shape[0], total, *first.shape[2:]))


def _matmul(at: Reading) -> Tensor:
    tensor, matrix = at.tensor(), at.constant(1)
    matrix = matrix.T if attribute(at.node, "transpose_b").b else matrix
    fits = matrix.ndim == 2 and len(tensor.shape) == 2 and matrix.shape[0] == tensor.shape[1]
    if not fits or attribute(at.node, "transpose_a").b:
        raise UnreadableNodeError(f"of {tensor.shape} and {matrix.shape} has no kind here")
    shape = (tensor.shape[0], matrix.shape[1])
    return at.made.add(at.name, OpKind.MATMUL, [tensor], shape, {"matrix": matrix})


def _softmax(at: Reading) -> Tensor:
    tensor = at.tensor()
    if len(tensor.shape) == 4:
        tensor = at.made.laid(tensor, True, at.name)
    elif len(tensor.shape) != 2:
        raise UnreadableNodeError(f"over the last of the axes {tensor.shape} has no kind here")
    return like(at, OpKind.SOFTMAX, [tensor])


def _transpose(at: Reading) -> Tensor:
    tensor, order = at.tensor(), at.ints(1)
    if sorted(order) != list(range(len(tensor.shape))):
        raise UnreadableNodeError(f"has the order {order} for {tensor.shape}")
    shape = tuple(tensor.shape[axis] for axis in order)
    # Where the source tensor has the axis that lies at each place: its channels are second already.
    order = [(0, 2, 3, 1)[axis] for axis in order] if tensor.last else order
    if order == sorted(order):
        return replace(tensor, shape=shape, last=False)
    return at.made.add(at.name, OpKind.TRANSPOSE, [tensor], shape, permutation=order)


def _reshaped(at: Reading, shape: Sequence[int]) -> Tensor:
    tensor, wanted = at.tensor(), list(shape)
    known = math.prod(size for size in wanted if size != -1)
    if wanted.count(-1) == 1 and known > 0:
        wanted[wanted.index(-1)] = math.prod(tensor.shape) // known
    if min(wanted, default=0) < 1 or math.prod(wanted) != math.prod(tensor.shape):
        raise UnreadableNodeError(f"makes {list(shape)} of {list(tensor.shape)}")
    if tuple(wanted) == tensor.shape:
        return tensor
    if wanted[0] != tensor.shape[0]:
        raise UnreadableNodeError(f"makes {wanted} of {list(tensor.shape)}: the batch must stay first")
    # The order of the axes is seen where there is more than one place, and more than one channel.
    if tensor.last and tensor.image[0] > 1 and tensor.image[1:] != (1, 1):
        tensor = at.made.plain(tensor, at.name)
    return at.made.add(at.name, OpKind.RESHAPE, [tensor], wanted, shape=[0, *wanted[1:]])


def _reshape(at: Reading) -> Value:
    source = at.operand(0)
    return _reshaped(at, at.ints(1)) if isinstance(source, Tensor) else source.reshape(at.ints(1))


def _squeeze(at: Reading) -> Value:
    source = at.operand(0)
    shape = source.shape
    said = list(attribute(at.node, "squeeze_dims").list.i)
    if not said:
        # A batch of 1 stays, so that every batch is one network.
        said = [axis for axis in range(isinstance(source, Tensor), len(shape)) if shape[axis] == 1]
    axes = {axis % len(shape) for axis in said}
    if any(shape[axis] != 1 for axis in axes):
        raise UnreadableNodeError(f"takes the axes {sorted(axes)} out of {list(shape)}")
    left = [size for axis, size in enumerate(shape) if axis not in axes]
    return _reshaped(at, left) if isinstance(source, Tensor) else source.reshape(left)


def _expand(at: Reading) -> Tensor:
    shape = list(at.tensor().shape)
    shape.insert(at.ints(1)[0] % (len(shape) + 1), 1)
    return _reshaped(at, shape)


def _pack(at: Reading) -> np.ndarray:
    return np.stack([at.constant(index) for index in range(len(at.values))], attribute(at.node, "axis").i)


def _slice(at: Reading) -> np.ndarray:
    """Read the one element, or the run of them, that shape arithmetic takes out of a shape."""
    source, (begin,), (end,), (step,) = at.constant(0), *(at.ints(index) for index in (1, 2, 3))
    masks = {
        name: attribute(at.node, f"{name}_mask").i for name in ("begin", "end", "shrink_axis", "new_axis")
    }
    if masks["shrink_axis"]:
        return np.asarray(source[begin])
    low, high = (None if masks["begin"] else begin), (None if masks["end"] else end)
    return np.asarray(source[low:high:step])


def _folded(make: Callable[[np.ndarray], np.ndarray]) -> Callable[[Reading], Value]:
    return lambda at: make(at.constant(0))


def _range(at: Reading) -> np.ndarray:
    (start,), (limit,), (step,) = (at.ints(index) for index in range(3))
    return np.array(range(start, limit, step)[:_LONGEST], np.int64)


def _unary(kind: OpKind, **attributes: object) -> Callable[[Reading], Value]:
    return lambda at: like(at, kind, [at.tensor()], **attributes)


READERS: dict[str, Callable[[Reading], Value]] = {
    "Const": lambda at: array(attribute(at.node, "value").tensor),
    **dict.fromkeys(("Conv2D", "DepthwiseConv2dNative"), conv),
    **dict.fromkeys(("AvgPool", "MaxPool"), pool),
    **dict.fromkeys(("Pad", "PadV2"), pad),
    "BiasAdd": bias,
    **dict.fromkeys(("FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3"), batch_norm),
    **dict.fromkeys(("Add", "AddV2", "AddN", "Sub", "Mul", "RealDiv"), _arithmetic),
    **dict.fromkeys(("Maximum", "Minimum"), _extremum),
    "ClipByValue": _clip_by_value,
    "Relu": _unary(OpKind.RELU),
    "Relu6": _unary(OpKind.CLIP, minimum=0.0, maximum=6.0),
    "Sigmoid": _unary(OpKind.SIGMOID),
    "Softmax": _softmax,
    "Mean": mean,
    "ConcatV2": _concat,
    "MatMul": _matmul,
    "Transpose": _transpose,
    "Reshape": _reshape,
    "Squeeze": _squeeze,
    "ExpandDims": _expand,
    "Shape": lambda at: np.array(at.tensor().shape, np.int64),
    "Rank": lambda at: np.array(len(at.tensor().shape), np.int64),
    "Range": _range,
    "Pack": _pack,
    # Batch norms in pieces: statistics are constants.
    "Rsqrt": _folded(lambda values: 1 / np.sqrt(values)),
    "Sqrt": _folded(np.sqrt),
    "Square": _folded(np.square),
    "Neg": _folded(np.negative),
    "StridedSlice": _slice,
}
"""TensorFlow's op to what reads a node of it."""


def read_node(made: Made, node: Any, values: dict[str, Value]) -> Value:
    """Return what *node* gives, and add its source ops to *made*.

    :param values: node to what it gives, of all that *node* reads
    :raises InputError: the op has no kind here, or this form of it has none
    """
    what = f"node '{node.name}' ({node.op})"
    if node.op in _UNFROZEN:
        raise TensorflowModelError(made.path, f"{what} is {_UNFROZEN[node.op]}: {FREEZE}")
    if node.op not in READERS:
        raise TensorflowModelError(
            made.path, f"{what} has no kind here; name outputs that lie before it with --output NODE"
        )
    operands = [values[said.removesuffix(":0")] for said in data(node)]
    try:
        with np.errstate(divide="raise", invalid="raise"):
            return READERS[node.op](Reading(made, node, operands))
    except (ValueError, IndexError, TypeError, ArithmeticError) as error:
        line = (str(error).splitlines() or [type(error).__name__])[0]
        raise TensorflowModelError(made.path, f"{what}: {line}") from None
