"""Which layers a search begins with, and the source ops of each (composed times)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from msgspec import structs

from harness.analysis.grid import grid_of
from harness.analysis.groups import BuildGroup
from harness.analysis.judge import judge
from harness.analysis.verdict import LATENCY, Verdict
from harness.attribution.engine import AttributedEngine, LayerRole
from harness.errors import NothingToReproduceError, UnknownNameError
from harness.reproduce.carriers import carriers_of, change_of, sides_of
from tests.report.composed import cell, engine, layers, run

NAMES = ("a", "b", "c", "d")


def compared(old: AttributedEngine, new: AttributedEngine) -> tuple[Verdict, BuildGroup, BuildGroup]:
    """The latency's verdict on two versions of these engines, and the builds of both."""
    grid = grid_of(
        run(cell("8.5.3.1", [1.0, 1.001], old), cell("8.6.0", [1.2, 1.201], new)),
    )
    (verdict,) = (v for v in judge(grid, rules={}) if v.bottleneck == LATENCY and v.against)
    return verdict, *sides_of(grid, verdict)


def slower(**times: float) -> AttributedEngine:
    """The engine of four layers, some of which take so many times as long."""
    return engine([replace(x, time_ms=(x.time_ms or 0.0) * times.get(x.name, 1.0)) for x in layers(NAMES)])


def test_the_layers_that_moved_along_come_first_the_largest_before_others() -> None:
    found = carriers_of(*compared(engine(layers(NAMES)), slower(a=0.5, b=1.5, c=2.0)))
    assert [one.name for one in found] == ["c", "b"], "a got faster and carries no slowdown"
    assert [one.ops for one in found] == [("c",), ("b",)]
    assert found[0].difference_ms == pytest.approx(0.03)


def test_where_no_layer_moved_the_heaviest_are_tried() -> None:
    found = carriers_of(*compared(engine(layers(NAMES)), engine(layers(NAMES))))
    assert [one.name for one in found] == ["d", "c", "b", "a"]


def test_fused_on_one_side_is_the_ops_of_both() -> None:
    both = replace(layers(NAMES)[1], source_ops=("a", "b"), shares={"a": 0.1, "b": 0.9}, time_ms=0.2)
    fused = engine([both, *layers(NAMES)[2:]])
    verdict, old, new = compared(engine(layers(NAMES)), fused)
    (found,) = (one for one in carriers_of(verdict, old, new) if one.name == "b")
    assert found.ops == ("b", "a")


def test_a_reformat_stands_for_the_ops_on_either_side() -> None:
    plain = layers(NAMES)
    moved = replace(
        plain[0],
        name="r",
        role=LayerRole.REFORMAT,
        source_ops=(),
        shares={},
        before=("a",),
        after=("b",),
        time_ms=0.5,
    )
    found = carriers_of(*compared(engine(plain), engine([plain[0], moved, *plain[1:]])))
    assert found[0].name == "reformat a -> b"
    assert found[0].ops == ("a", "b")


def test_a_layer_that_is_named_is_the_only_one() -> None:
    sides = compared(engine(layers(NAMES)), slower(c=2.0))
    assert [one.name for one in carriers_of(*sides, layer="a")] == ["a"]
    with pytest.raises(UnknownNameError, match="no layer or op is called 'e'"):
        carriers_of(*sides, layer="e")


def test_layers_of_no_op_carry_nothing_that_can_be_cut() -> None:
    unknown = engine([replace(x, source_ops=(), shares={}) for x in layers(NAMES)])
    with pytest.raises(NothingToReproduceError):
        carriers_of(*compared(unknown, unknown))


def test_the_change_is_that_of_the_latency_or_of_the_layers_of_a_bottleneck() -> None:
    verdict, old, new = compared(engine(layers(NAMES)), slower(c=2.0, d=1.5))
    found = carriers_of(verdict, old, new)
    assert change_of(verdict, found) == verdict.effect
    assert change_of(structs.replace(verdict, bottleneck="pointwise"), found) == pytest.approx(0.12 / 0.07)
    assert change_of(structs.replace(verdict, bottleneck="pointwise"), ()) is None
