"""A network read back from a bundle has no weights; its costs are the same."""

from __future__ import annotations

from dataclasses import replace

from harness.attribution.shares import cost_of
from harness.networks.mobilenet import MobileNetV2


def test_costs_do_not_need_the_weights() -> None:
    graph = MobileNetV2().graph()
    bare = replace(graph, weights={})
    assert [cost_of(bare, op) for op in bare.ops] == [cost_of(graph, op) for op in graph.ops]
