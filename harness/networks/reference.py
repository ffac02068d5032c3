"""FP32 reference outputs of a network, in NumPy: no runtime needed, and none trusted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol, cast

import numpy as np

from harness.errors import NetworkInputsError
from harness.networks.graph import FloatArray, Graph, OpKind, SourceOp
from harness.networks.inputs import probe_inputs
from harness.networks.kernels import Array, compute

Visitor = Callable[[SourceOp, Array], Array]
"""Sees each op with its output as soon as it is there; what it returns is what the next ops read."""

Step = Callable[[SourceOp, list[Array], Mapping[str, Array]], Array]
"""Computes one op from its operands and its weights by role, as :func:`harness.networks.kernels.compute`."""


class Foreign(Protocol):
    """Computes ops of kind OTHER (:class:`harness.networks.foreign.ForeignOps`)."""

    def compute(self, op: SourceOp, operands: list[Array]) -> Array:
        """Return the output of *op*."""
        ...


def evaluate(
    graph: Graph,
    inputs: Mapping[str, Array],
    weights: Mapping[str, Array] | None = None,
    visit: Visitor | None = None,
    step: Step = compute,
) -> dict[str, Array]:
    """Run *graph* and return its output tensors by name, in the element type of inputs and weights.

    Tensors are dropped after their last reader, so that memory stays near that of the largest layer.

    :param weights: key to array, where other than the graph's own
    :raises UsageError: an input is missing or has the wrong shape; an op has no reference
    """
    _check(graph, inputs)
    foreign = cast("Foreign | None", graph.meta.get("foreign"))
    held: dict[str, Array] = dict(inputs)
    own = graph.weights if weights is None else weights
    last = {tensor: op.name for op in graph.ops for tensor in op.inputs}
    for op in graph.ops:
        roles = {role: own[key] for role, key in op.weights.items()}
        operands = [held[tensor] for tensor in op.inputs]
        if op.kind is OpKind.OTHER and foreign is not None:
            result = foreign.compute(op, operands)
        else:
            result = step(op, operands, roles)
        held[op.output] = visit(op, result) if visit is not None else result
        for tensor in set(op.inputs):
            if last[tensor] == op.name and tensor not in graph.outputs:
                del held[tensor]
    return {name: held[name] for name in graph.outputs}


def reference_outputs(graph: Graph, inputs: Mapping[str, FloatArray]) -> dict[str, FloatArray]:
    """Return output tensor name to float32 array: arithmetic in float32, as the network is defined.

    :param inputs: input tensor name to array, batch first
    :raises UsageError: an input is missing or has the wrong shape; an op has no reference
    """
    outputs = evaluate(graph, inputs)
    return {name: np.ascontiguousarray(array, np.float32) for name, array in outputs.items()}


_references: dict[tuple[str, int, int], dict[str, FloatArray]] = {}


def probe_reference(graph: Graph, seed: int = 0) -> dict[str, FloatArray]:
    """Return the reference outputs for :func:`harness.networks.inputs.probe_inputs`, kept for the process.

    :raises UsageError: an op has no reference
    """
    key = (graph.digest, graph.batch, seed)
    if not graph.digest or key not in _references:
        _references[key] = reference_outputs(graph, probe_inputs(graph, seed))
    return _references[key]


def _check(graph: Graph, inputs: Mapping[str, Array]) -> None:
    for name in graph.inputs:
        if name not in inputs:
            raise NetworkInputsError(f"network '{graph.name}': the input '{name}' is missing")
        if tuple(inputs[name].shape) != tuple(graph.shapes[name]):
            raise NetworkInputsError(
                f"network '{graph.name}': input '{name}' has shape {tuple(inputs[name].shape)},"
                f" the network wants {tuple(graph.shapes[name])}"
            )
