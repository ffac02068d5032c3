"""How the time of one engine layer is shared out among the source ops it carries.

The rule: in proportion to arithmetic. A convolution or matrix product counts two operations a
multiply-add, a pooling one an input read, everything else (activations, sums, reshapes) one an output
element. A clip fused into a convolution so carries a few per cent of its time and never nothing. The
rule is a convention, not a measurement: inside a fused layer nobody can see who spent what, so a verdict
rests on whole layers (:func:`heaviest_class`), and shares only colour the table by source op.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import prod

from harness.networks.graph import Graph, OpKind, SourceOp
from harness.remembering import once_each

UNATTRIBUTED = "unknown"


def cost_of(graph: Graph, op: SourceOp) -> int:
    """Return the operations *op* is weighed with, at least 1 (see the rule above)."""
    elements = prod(graph.shapes[op.output])
    if op.kind is OpKind.CONV:
        # (K, C/groups, R, S): each output element sums over all of it but K, once multiplied, once added.
        return max(1, 2 * elements * prod(_kernel_shape(graph, op)[1:]))
    if op.kind is OpKind.MATMUL:
        return max(1, 2 * elements * graph.shapes[op.inputs[0]][-1])
    if op.kind is OpKind.GLOBAL_AVERAGE_POOL:
        return max(1, prod(graph.shapes[op.inputs[0]]))
    if op.kind in (OpKind.AVERAGE_POOL, OpKind.MAX_POOL):
        kernel = op.attributes.get("kernel", [1, 1])
        return max(1, elements * (prod(kernel) if isinstance(kernel, list | tuple) else 1))
    return max(1, elements)


@once_each
def _costs(graph: Graph) -> dict[str, int]:
    return {op.name: cost_of(graph, op) for op in graph.ops}


def _kernel_shape(graph: Graph, op: SourceOp) -> tuple[int, ...]:
    """Return (K, C/groups, R, S); a network read back from a bundle has its structure, not its weights."""
    key = op.weights.get("kernel", "")
    if key in graph.weights:
        return tuple(int(size) for size in graph.weights[key].shape)
    groups, kernel = op.attributes.get("groups", 1), op.attributes.get("kernel", [1, 1])
    channels = graph.shapes[op.inputs[0]][1] // (groups if isinstance(groups, int) else 1)
    window = tuple(int(size) for size in kernel) if isinstance(kernel, list | tuple) else (1, 1)
    return (graph.shapes[op.output][1], channels, *window)


def in_network_order(graph: Graph, op_names: Iterable[str]) -> tuple[str, ...]:
    """Return *op_names* once each, in the order of the network (KeyError when one is not in it)."""
    wanted = {graph.op(name).name for name in op_names}
    return tuple(op.name for op in graph.ops if op.name in wanted)


def share_by_cost(graph: Graph, op_names: Sequence[str]) -> dict[str, float]:
    """Return op name to its part of the layer's time; the parts sum to 1, empty for no ops."""
    known = _costs(graph)
    costs = {name: known[name] for name in op_names}
    total = sum(costs.values())
    return {name: cost / total for name, cost in costs.items()}


def heaviest_class(graph: Graph, op_names: Sequence[str]) -> str:
    """Return the accounting class of the op with the most arithmetic, ``unknown`` for no ops.

    Of equals the first counts: in a layer of a sum and the clip behind it, the sum.
    """
    if not op_names:
        return UNATTRIBUTED
    return str(graph.classes[max(op_names, key=_costs(graph).__getitem__)])
