"""Sharing of a fused layer's time: the rule, worked by hand on a small graph."""

from __future__ import annotations

import numpy as np
import pytest

from harness.attribution.shares import cost_of, heaviest_class, in_network_order, share_by_cost
from harness.networks.graph import Graph, OpKind, SourceOp


@pytest.fixture
def graph() -> Graph:
    """A 1x1 convolution, a depthwise, a sum, a clip, a pooling, a dense layer."""
    ops = (
        SourceOp(
            "pw",
            OpKind.CONV,
            ("x",),
            "pw:0",
            {"groups": 1, "kernel": [1, 1]},
            {"kernel": "pw/k", "bias": "b"},
        ),
        SourceOp(
            "dw",
            OpKind.CONV,
            ("pw:0",),
            "dw:0",
            {"groups": 4, "kernel": [3, 3]},
            {"kernel": "dw/k", "bias": "b"},
        ),
        SourceOp("add", OpKind.ADD, ("dw:0", "pw:0"), "add:0"),
        SourceOp("clip", OpKind.CLIP, ("add:0",), "clip:0", {"minimum": 0.0, "maximum": 6.0}),
        SourceOp("pool", OpKind.GLOBAL_AVERAGE_POOL, ("clip:0",), "pool:0"),
        SourceOp("flat", OpKind.RESHAPE, ("pool:0",), "flat:0", {"shape": [0, 4]}),
        SourceOp("fc", OpKind.MATMUL, ("flat:0",), "fc:0", {}, {"matrix": "fc/m"}),
    )
    big = (1, 4, 5, 5)
    shapes = {"x": (1, 8, 5, 5), "pw:0": big, "dw:0": big, "add:0": big, "clip:0": big}
    shapes |= {"pool:0": (1, 4, 1, 1), "flat:0": (1, 4), "fc:0": (1, 3)}
    weights = {
        "pw/k": np.zeros((4, 8, 1, 1), np.float32),
        "dw/k": np.zeros((4, 1, 3, 3), np.float32),
        "b": np.zeros(4, np.float32),
        "fc/m": np.zeros((4, 3), np.float32),
    }
    return Graph("small", "clip", 1, ("x",), ("fc:0",), ops, shapes, weights)


@pytest.mark.parametrize(
    ("name", "cost"),
    [
        ("pw", 2 * 4 * 25 * 8),
        ("dw", 2 * 4 * 25 * 9),
        ("add", 100),
        ("clip", 100),
        ("pool", 100),
        ("flat", 4),
        ("fc", 24),
    ],
)
def test_costs_by_hand(graph: Graph, name: str, cost: int) -> None:
    assert cost_of(graph, graph.op(name)) == cost


def test_shares_sum_to_one_and_follow_the_costs(graph: Graph) -> None:
    shares = share_by_cost(graph, ["pw", "add", "clip"])
    assert shares == {"pw": 1600 / 1800, "add": 100 / 1800, "clip": 100 / 1800}
    assert share_by_cost(graph, []) == {}


def test_the_heaviest_op_names_the_class(graph: Graph) -> None:
    assert heaviest_class(graph, ["clip", "pw"]) == "pointwise"
    assert heaviest_class(graph, ["pw", "dw"]) == "depthwise"
    assert heaviest_class(graph, ["add", "clip"]) == "elementwise"
    assert heaviest_class(graph, []) == "unknown"


def test_network_order(graph: Graph) -> None:
    assert in_network_order(graph, ["clip", "pw", "clip"]) == ("pw", "clip")
    with pytest.raises(KeyError):
        in_network_order(graph, ["nobody"])
