"""What each source op costs on paper: shape, parameters, FLOPs, bytes.

Conventions, the same everywhere in trtmatrix:

- one multiply-add is two FLOPs; convolutions and matrix products are counted by their products alone, the
  bias is where the sum starts and padding counts as data, as in the papers of MobileNet;
- an elementwise op is one FLOP an output element (ReLU6 in pieces is four ops, hence four), sigmoid three,
  softmax four; a pooling is one FLOP an element of each window;
- parameters are the elements of kernel, bias, matrix and vector; with batch norm folded a filter has one bias
  where a trained checkpoint stores two to four vectors of batch norm;
- bytes are compulsory traffic: each operand and weight read once, the output written once, nothing cached.
  A reshape moves nothing; concatenation and transposition move everything.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import cast

from harness.networks.graph import Graph, OpClass, OpKind, SourceOp, op_class

_FLOPS_PER_ELEMENT = {
    OpKind.CLIP: 1,
    OpKind.RELU: 1,
    OpKind.ADD: 1,
    OpKind.SUB: 1,
    OpKind.SHIFT: 1,
    OpKind.ADD_VECTOR: 1,
    OpKind.SIGMOID: 3,
    OpKind.SOFTMAX: 4,
}


@dataclass(frozen=True, slots=True)
class OpCost:
    """The cost of one source op for the batch of its graph.

    :param output_shape: batch first; :param parameters: elements of the weights
    :param multiply_adds: of convolutions and products, 0 elsewhere; :param flops: see the conventions above
    :param bytes_read: operands and weights; :param bytes_written: the output
    :param known: False for an op of a user's file whose arithmetic is not known (then FLOPs are 0)
    """

    name: str
    op_class: OpClass
    output_shape: tuple[int, ...]
    parameters: int
    multiply_adds: int
    flops: int
    bytes_read: int
    bytes_written: int
    known: bool = True

    @property
    def bytes(self) -> int:
        """Bytes read and written."""
        return self.bytes_read + self.bytes_written


@dataclass(frozen=True, slots=True)
class TotalCost:
    """Sums over ops; :param ops: how many; :param unknown: how many of them have unknown arithmetic."""

    ops: int
    parameters: int
    multiply_adds: int
    flops: int
    bytes_read: int
    bytes_written: int
    unknown: int = 0


def weight_shapes(graph: Graph, op: SourceOp) -> dict[str, tuple[int, ...]]:
    """Return role to shape of the weights of *op*, from structure alone.

    A network read back from a run has its structure, not its weights.
    """
    shapes: dict[str, tuple[int, ...]] = {}
    for role in op.weights:
        if op.weights[role] in graph.weights:
            shapes[role] = graph.weights[op.weights[role]].shape
        elif role == "kernel":
            groups = cast("int", op.attributes.get("groups", 1))
            window = cast("list[int]", op.attributes["kernel"])
            shapes[role] = (graph.shapes[op.output][1], graph.shapes[op.inputs[0]][1] // groups, *window)
        elif role == "matrix":
            shapes[role] = (graph.shapes[op.inputs[0]][-1], graph.shapes[op.output][-1])
        else:
            # A bias has one element a filter, a vector one a unit: both lie along axis 1 of the output.
            shapes[role] = (graph.shapes[op.output][1],)
    return shapes


def op_cost(graph: Graph, op: SourceOp, element_bytes: float = 4.0) -> OpCost:
    """Return the cost of *op*.

    :param element_bytes: bytes of an element of tensors and weights: 4 (FP32), 2 (FP16), 1 (INT8)
    """
    output = graph.shapes[op.output]
    elements = math.prod(output)
    shapes = weight_shapes(graph, op)
    parameters = sum(math.prod(shape) for shape in shapes.values())
    # Each output element sums over all axes of a kernel or matrix but that of the outputs.
    summed = math.prod(shapes["kernel"][1:]) if "kernel" in shapes else shapes.get("matrix", (0,))[0]
    multiply_adds = elements * summed
    moved = op.kind is not OpKind.RESHAPE
    read = sum(math.prod(graph.shapes[tensor]) for tensor in op.inputs) + parameters if moved else 0
    return OpCost(
        name=op.name,
        op_class=op_class(op),
        output_shape=output,
        parameters=parameters,
        multiply_adds=multiply_adds,
        flops=2 * multiply_adds or _flops(graph, op, elements),
        bytes_read=round(read * element_bytes),
        bytes_written=round(elements * element_bytes) if moved else 0,
        known=op.kind is not OpKind.OTHER,
    )


def _flops(graph: Graph, op: SourceOp, elements: int) -> int:
    if op.kind is OpKind.GLOBAL_AVERAGE_POOL:
        return math.prod(graph.shapes[op.inputs[0]])
    if op.kind in (OpKind.AVERAGE_POOL, OpKind.MAX_POOL):
        return elements * math.prod(cast("list[int]", op.attributes["kernel"]))
    return elements * _FLOPS_PER_ELEMENT.get(op.kind, 0)


def op_costs(graph: Graph, element_bytes: float = 4.0) -> dict[str, OpCost]:
    """Return source op name to its cost, in network order (see :func:`op_cost`)."""
    return {op.name: op_cost(graph, op, element_bytes) for op in graph.ops}


def total(costs: Iterable[OpCost]) -> TotalCost:
    """Return the sums over *costs*."""
    rows = list(costs)
    return TotalCost(
        ops=len(rows),
        parameters=sum(row.parameters for row in rows),
        multiply_adds=sum(row.multiply_adds for row in rows),
        flops=sum(row.flops for row in rows),
        bytes_read=sum(row.bytes_read for row in rows),
        bytes_written=sum(row.bytes_written for row in rows),
        unknown=sum(not row.known for row in rows),
    )


def totals_by_class(costs: Iterable[OpCost]) -> dict[OpClass, TotalCost]:
    """Return accounting class to the sums over its ops."""
    rows = list(costs)
    return {kind: total(row for row in rows if row.op_class is kind) for kind in {r.op_class for r in rows}}
