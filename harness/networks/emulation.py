"""What each precision's rounding does to a network, emulated in NumPy float32.

This is what the bounds of :mod:`harness.networks.bounds` are made of: they follow from the number format,
never from a runtime's answer.

============ ===============================================================================================
precision    what is rounded
============ ===============================================================================================
``fp32``     nothing; the network is run in float64, the distance is float32's own rounding
``tf32``     weights and the tensors between ops to 10 bits of mantissa; sums in float32
``bf16``     weights and tensors to 7 bits of mantissa; sums in float32
``fp16``     weights and tensors to float16, and each partial sum of 16 products (the depth of one
             tensor-core step) too, since kernels are free to accumulate in half precision
``int8``     weights to 127 steps a filter, tensors to 127 steps of their largest absolute value
============ ===============================================================================================
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import cast

import numpy as np

from harness.errors import UnsupportedOpError
from harness.networks.graph import FloatArray, Graph, OpKind, SourceOp
from harness.networks.kernels import Array, Round, compute
from harness.networks.reference import evaluate

PRECISIONS = ("fp32", "tf32", "bf16", "fp16", "int8")

_ACTIVATIONS = (OpKind.CLIP, OpKind.RELU, OpKind.SHIFT, OpKind.SUB)


def mantissa(bits: int) -> Round:
    """Return a function that rounds float32 to *bits* of mantissa, ties to even."""
    drop = 23 - bits

    def rounded(array: Array) -> Array:
        words = np.ascontiguousarray(array, np.float32).view(np.uint32)
        odd = (words >> np.uint32(drop)) & np.uint32(1)
        words = words + np.uint32((1 << (drop - 1)) - 1) + odd
        kept: Array = (words & np.uint32(0xFFFFFFFF << drop & 0xFFFFFFFF)).view(np.float32)
        return kept

    return rounded


def half(array: Array) -> Array:
    """Round to float16 and back to float32."""
    return array.astype(np.float16).astype(np.float32)


def dynamic_ranges(graph: Graph, inputs: Mapping[str, FloatArray]) -> dict[str, float]:
    """Return tensor name to largest absolute value on *inputs*: what fixed INT8 ranges are set to."""
    ranges = {name: float(np.abs(array).max()) for name, array in inputs.items()}

    def visit(op: SourceOp, result: Array) -> Array:
        ranges[op.output] = float(np.abs(result).max())
        return result

    evaluate(graph, inputs, visit=visit)
    return ranges


def emulate(graph: Graph, inputs: Mapping[str, FloatArray], precision: str) -> dict[str, Array]:
    """Run *graph* with the rounding of *precision* and return its output tensors.

    :raises UsageError: no such precision, or an op without reference
    """
    match precision:
        case "fp32":
            wide = {key: array.astype(np.float64) for key, array in graph.weights.items()}
            return evaluate(graph, {n: a.astype(np.float64) for n, a in inputs.items()}, wide)
        case "tf32":
            return _float(graph, inputs, mantissa(10))
        case "bf16":
            return _float(graph, inputs, mantissa(7))
        case "fp16":
            return _float(graph, inputs, half, accumulate=half)
        case "int8":
            return _int8(graph, inputs)
    raise UnsupportedOpError(f"no emulation of precision '{precision}'; use one of {', '.join(PRECISIONS)}")


def _float(
    graph: Graph, inputs: Mapping[str, FloatArray], rounded: Round, accumulate: Round | None = None
) -> dict[str, Array]:
    return evaluate(
        graph,
        {name: rounded(array) for name, array in inputs.items()},
        {key: rounded(array) for key, array in graph.weights.items()},
        visit=lambda _, result: rounded(result),
        step=lambda op, operands, weights: compute(op, operands, weights, accumulate),
    )


def _int8(graph: Graph, inputs: Mapping[str, FloatArray]) -> dict[str, Array]:
    ranges = dynamic_ranges(graph, inputs)

    def visit(op: SourceOp, result: Array) -> Array:
        # Runtimes quantize behind the activation they fuse; network outputs are left in float32.
        readers = graph.consumers(op.output)
        if op.output in graph.outputs or any(reader.kind in _ACTIVATIONS for reader in readers):
            return result
        return steps(result, ranges[op.output])

    return evaluate(
        graph,
        {name: steps(array, ranges[name]) for name, array in inputs.items()},
        {key: _int8_weights(array) for key, array in graph.weights.items()},
        visit=visit,
    )


def steps(array: Array, limit: float | Array) -> Array:
    """Round to 127 symmetric steps on either side of 0, up to *limit*, as INT8 quantization does."""
    step = np.maximum(np.float32(1.0) * limit, np.finfo(np.float32).tiny) / np.float32(127)
    return cast("Array", (np.clip(np.rint(array / step), -127, 127) * step).astype(np.float32))


def _int8_weights(array: FloatArray) -> Array:
    if array.ndim < 2:
        return array  # biases stay wide (INT32 in every runtime)
    axes = (0,) if array.ndim == 2 else tuple(range(1, array.ndim))
    return steps(array, np.abs(array).max(axis=axes, keepdims=True))


def relative_error(outputs: Mapping[str, Array], reference: Mapping[str, Array]) -> float:
    """Return the largest absolute difference over the reference's largest absolute value, the worst output's.

    Not a number and infinity count as infinite; *outputs* must have the reference's names and shapes.
    """
    worst = 0.0
    for name, expected in reference.items():
        difference = np.abs(outputs[name].astype(np.float64) - expected.astype(np.float64))
        largest = float(np.abs(expected).max()) or 1.0
        error = float(difference.max()) / largest
        worst = max(worst, error if math.isfinite(error) else math.inf)
    return worst
