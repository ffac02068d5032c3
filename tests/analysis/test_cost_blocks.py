"""Costs of builds of several blocks: compared in each, as a share of what the old layers took there."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from harness.analysis.grid import grid_of
from harness.analysis.judge import judge
from harness.analysis.rules.builtin import trtmatrix_bottlenecks
from harness.analysis.verdict import Verdict
from harness.observations.records import Slice

RULES = {rule.name: rule for rule in trtmatrix_bottlenecks()}
OTHERS = {"depthwise": 0.3, "other": 0.5}


def build(compose: Any, number: int, block: str, pointwise: float, level: float) -> Any:
    """Return a build of *block*, in which everything takes *level* times as long."""
    own = level * (1 + number % 3 / 1e3)
    times = {name: own * ms for name, ms in {**OTHERS, "pointwise": pointwise}.items()}
    slices = tuple(Slice(cycle, np.full(3, own * (1 + cycle / 100))) for cycle in range(4))
    return replace(compose.build(number, own, times), block=block, slices={"latency": slices})


def verdict(compose: Any, *blocks: tuple[str, int, int, float]) -> Verdict:
    """Return the verdict on 1x1 convolutions, of blocks with builds of the old and the new and a level."""
    old = [(block, level) for block, count, _, level in blocks for _ in range(count)]
    new = [(block, level) for block, _, count, level in blocks for _ in range(count)]
    cells = [
        compose.cell(version, [build(compose, n, block, ms, level) for n, (block, level) in enumerate(side)])
        for version, side, ms in (("1.0", old, 0.2), ("2.0", new, 0.25))
    ]
    found = judge(grid_of(compose.run(*cells)), rules={"pointwise": RULES["pointwise"]})
    return next(v for v in found if (v.bottleneck, v.version) == ("pointwise", "2.0"))


def test_a_block_of_a_slower_time_is_held_against_itself(compose: Any) -> None:
    """Its old builds are more: those of both blocks together would hide half of what was lost."""
    found = verdict(compose, ("b", 3, 6, 1.0), ("c", 6, 3, 1.4))
    assert (found.verdict, found.builds, found.measured) == ("regressed", (9, 9), "side by side")
    assert found.difference == pytest.approx(0.05, rel=0.02)


def test_a_block_with_one_build_of_a_side_says_nothing_and_is_told(compose: Any) -> None:
    """Its new builds are of a slower time: held against old ones of a quicker time they would look dearer."""
    alone = verdict(compose, ("b", 3, 6, 1.0))
    found = verdict(compose, ("b", 3, 6, 1.0), ("c", 1, 4, 1.4))
    assert (found.builds, found.measured) == ((3, 6), "side by side")
    assert (found.difference, found.difference_interval) == (alone.difference, alone.difference_interval)
    assert "not in this block and left out: 5 builds" in found.reason
    assert "left out" not in alone.reason


def test_of_three_blocks_those_count_that_have_two_builds_of_either_side(compose: Any) -> None:
    two = verdict(compose, ("b", 3, 6, 1.0), ("c", 6, 3, 1.4))
    three = verdict(compose, ("b", 3, 6, 1.0), ("c", 6, 3, 1.4), ("d", 5, 1, 1.2))
    assert (three.builds, three.difference) == ((9, 9), two.difference)
    assert "not in these blocks and left out: 6 builds" in three.reason
    assert "left out" not in two.reason


def test_where_no_block_has_two_builds_of_either_side_all_builds_are_compared(compose: Any) -> None:
    found = verdict(compose, ("b", 1, 3, 1.0), ("c", 3, 1, 1.0))
    assert (found.builds, found.measured) == ((4, 4), "one after the other")
    assert found.difference == pytest.approx(0.05, rel=0.02)
    assert "left out" not in found.reason
