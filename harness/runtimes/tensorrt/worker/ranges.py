"""Largest magnitudes of all tensors of a network, from one pass of NumPy over the job's inputs.

They are fixed by package and inputs alone, so that every version is given the same INT8 network.
"""

from typing import Any, Callable, Dict, List, Mapping  # noqa: F401

import numpy

from harness.worker.errors import UnsupportedError
from harness.worker.package import Network, Op


def tensor_ranges(package: Network, inputs: Mapping[str, Any]) -> Dict[str, float]:
    """Return tensor name to max |x| for the first image of *inputs* (float32, NCHW, batch first)."""
    values = {name: inputs[name][:1] for name in package.inputs}  # type: Dict[str, Any]
    left = {}  # type: Dict[str, int]
    for op in package.ops:
        for name in op.inputs:
            left[name] = left.get(name, 0) + 1
    found = {name: float(numpy.abs(value).max()) for name, value in values.items()}
    for op in package.ops:
        if op.kind not in _KINDS:
            raise UnsupportedError("int8: no ranges for op {} of kind '{}'".format(op.name, op.kind))
        values[op.output] = _KINDS[op.kind](package, op, [values[name] for name in op.inputs])
        found[op.output] = float(numpy.abs(values[op.output]).max())
        for name in op.inputs:  # large engines are let go as soon as nothing reads them
            left[name] -= 1
            if not left[name]:
                del values[name]
    return found


def _convolution(package: Network, op: Op, inputs: List[Any]) -> Any:
    kernel = package.weight(op, "kernel")
    groups = int(op.attributes.get("groups", 1))
    windows = _windows(inputs[0], kernel.shape[2:], op, 0.0)  # (R*S, C, H, W) of one image
    outputs, depth = kernel.shape[:2]
    flat = kernel.reshape(groups, outputs // groups, depth, -1)
    parts = windows.reshape(windows.shape[0], groups, depth, -1)
    total = numpy.zeros((groups, outputs // groups, parts.shape[3]), dtype=numpy.float32)
    for position in range(parts.shape[0]):
        total += numpy.matmul(flat[..., position], parts[position])
    total = total.reshape((1, outputs) + windows.shape[2:])
    return total + package.weight(op, "bias").reshape(1, -1, 1, 1) if "bias" in op.weights else total


def _windows(image: Any, size: Any, op: Op, fill: float) -> Any:
    top, left, bottom, right = op.attributes.get("pads", (0, 0, 0, 0))
    down, across = op.attributes.get("strides", (1, 1))
    padded = numpy.pad(image[0], ((0, 0), (top, bottom), (left, right)), "constant", constant_values=fill)
    height = (padded.shape[1] - size[0]) // down + 1
    width = (padded.shape[2] - size[1]) // across + 1
    return numpy.stack(
        [
            padded[:, y : y + down * (height - 1) + 1 : down, x : x + across * (width - 1) + 1 : across]
            for y in range(size[0])
            for x in range(size[1])
        ]
    )


def _max_pool(package: Network, op: Op, inputs: List[Any]) -> Any:
    return _windows(inputs[0], op.attributes["kernel"], op, -numpy.inf).max(axis=0)[None]


def _average_pool(package: Network, op: Op, inputs: List[Any]) -> Any:
    size = op.attributes["kernel"]
    counted = _windows(numpy.ones_like(inputs[0]), size, op, 0.0).sum(axis=0)
    return (_windows(inputs[0], size, op, 0.0).sum(axis=0) / counted)[None]


def _softmax(package: Network, op: Op, inputs: List[Any]) -> Any:
    power = numpy.exp(inputs[0] - inputs[0].max(axis=1, keepdims=True))
    return power / power.sum(axis=1, keepdims=True)


def _reshape(package: Network, op: Op, inputs: List[Any]) -> Any:
    return inputs[0].reshape((1,) + package.shapes[op.output][1:])


_KINDS = {
    "conv": _convolution,
    "clip": lambda package, op, x: numpy.clip(x[0], op.attributes["minimum"], op.attributes["maximum"]),
    "relu": lambda package, op, x: numpy.maximum(x[0], 0),
    "sigmoid": lambda package, op, x: 1.0 / (1.0 + numpy.exp(-x[0])),
    "add": lambda package, op, x: x[0] + x[1],
    "sub": lambda package, op, x: x[0] - x[1],
    "shift": lambda package, op, x: x[0] + numpy.float32(op.attributes["value"]),
    "global_average_pool": lambda package, op, x: x[0].mean(axis=(2, 3), keepdims=True),
    "average_pool": _average_pool,
    "max_pool": _max_pool,
    "concat": lambda package, op, x: numpy.concatenate(x, axis=1),
    "matmul": lambda package, op, x: numpy.matmul(x[0], package.weight(op, "matrix")),
    "add_vector": lambda package, op, x: x[0] + package.weight(op, "vector"),
    "softmax": _softmax,
    "transpose": lambda package, op, x: x[0].transpose(op.attributes["permutation"]),
    "reshape": _reshape,
}  # type: Dict[str, Callable[[Network, Op, List[Any]], Any]]
