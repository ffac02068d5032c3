"""Depthwise convolutions: little arithmetic, much time."""

from __future__ import annotations

from harness.bottlenecks.base import Cost
from harness.bottlenecks.convolutions import convolution_cost
from harness.layers.observation import BuildObservation
from harness.layers.shares import cost_of as operations_of
from harness.networks.graph import Graph, OpClass, op_class


class DepthwiseRule:
    """Cost: time of depthwise convolutions above their roofline bound. Evidence: share of the arithmetic."""

    name = "depthwise"
    title = "depthwise convolutions"

    def cost(self, build: BuildObservation) -> Cost | None:
        """Return the cost in *build*, None without layer times or with too much unattributed."""
        graph = build.picture.graph if build.picture is not None else None
        evidence = {"flop_share": None if graph is None else _share_of_arithmetic(graph)}
        return convolution_cost(build, OpClass.DEPTHWISE, evidence)


def _share_of_arithmetic(graph: Graph) -> float:
    counts = [(op_class(op), operations_of(graph, op)) for op in graph.ops]
    return sum(n for kind, n in counts if kind is OpClass.DEPTHWISE) / sum(n for _, n in counts)
