"""How much of what enters a ReLU6 lies above 6, measured on the probe images."""

from __future__ import annotations

from harness.networks.graph import Graph, OpKind, SourceOp
from harness.networks.inputs import probe_inputs
from harness.networks.kernels import Array
from harness.networks.reference import evaluate


def shares_above_6(graph: Graph) -> dict[str, float]:
    """Return ReLU6 name to the share of its input elements above 6 on the probe images (form ``clip``)."""
    before: dict[str, Array] = {}
    shares: dict[str, float] = {}

    def visit(op: SourceOp, result: Array) -> Array:
        if op.kind is OpKind.CLIP:
            shares[op.name] = float((before.pop(op.inputs[0]) > 6.0).mean())
        elif any(reader.kind is OpKind.CLIP for reader in graph.consumers(op.output)):
            before[op.output] = result
        return result

    evaluate(graph, probe_inputs(graph), visit=visit)
    return shares
