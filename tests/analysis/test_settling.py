"""What would settle an answer is said where more builds would, and not of what makes no alarm."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from harness.analysis.grid import grid_of
from harness.analysis.judge import judge
from harness.analysis.material import SlowBuilds
from harness.analysis.pair import Pair
from harness.analysis.rules.builtin import trtmatrix_bottlenecks
from harness.analysis.settling import first_builds, what_settles
from harness.analysis.statistics.components import Components, Repetitions
from harness.analysis.statistics.differences import Difference
from harness.analysis.statistics.spending import Costs, Situation
from harness.analysis.verdict import Verdict

RULES = {rule.name: rule for rule in trtmatrix_bottlenecks()}


def verdict(compose: Any, old: Sequence[float], new: Sequence[float]) -> Verdict:
    """Return the verdict on reformats that take so much of about 1 ms."""
    rest = {"pointwise": 0.4, "depthwise": 0.3, "other": 0.3}
    cells = [
        compose.cell(v, [compose.build(n, 1.0, {**rest, "reformat": ms}) for n, ms in enumerate(side)])
        for v, side in (("1.0", old), ("2.0", new))
    ]
    found = judge(grid_of(compose.run(*cells)), rules={"reformat": RULES["reformat"]})
    return next(v for v in found if (v.bottleneck, v.version) == ("reformat", "2.0"))


@pytest.mark.parametrize(("level", "more", "asked"), [(0.2, 0.015, True), (0.01, 0.018, False)])
def test_nothing_settles_what_is_no_bottleneck_on_either_side(
    compose: Any, level: float, more: float, asked: bool
) -> None:
    """A cost that is absent before and after gives no alarm, however far it moved."""
    old = [level + by for by in (-0.006, 0.0, 0.006, 0.002)]
    new = [level + by + more for by in (0.005, -0.006, 0.001, 0.0)]
    found = verdict(compose, old, new)
    assert found.verdict == "indeterminate"
    assert (found.settles is not None) is asked


def answered(estimate: float, builds: int = 4, build: float = 1e-6, costs: Costs | None = None) -> Pair:
    """Return a latency whose builds have the variance *build* and nothing else."""
    side = Repetitions(builds)
    situation = Situation(Components(build, 0.0, 0.0), side, side, 2.0 * builds - 2)
    found = Difference(np.array(estimate), np.array(2 * build / builds), np.array(situation.degrees))
    none = SlowBuilds(0, builds)
    return Pair(
        difference=found, builds=(builds, builds), slow=(none, none), situation=situation, costs=costs
    )


def test_what_settles_is_said_in_builds_and_in_time_where_it_is_known() -> None:
    one = what_settles(answered(0.02, build=4e-5), 0.01)
    assert one is not None
    assert one.startswith("about ")
    assert one.endswith(" a side")
    timed = what_settles(answered(0.02, build=4e-5, costs=Costs(60.0, np.inf, np.inf)), 0.01)
    assert timed is not None
    count = int(one.split()[1])
    assert timed == f"{one}, {2 * count} minutes"


def test_at_the_margin_itself_no_number_of_builds_settles() -> None:
    assert what_settles(answered(0.01), 0.01) == "more than 40 more builds a side"
    assert what_settles(answered(0.0099, build=1e-2), 0.01) == "more than 40 more builds a side"


def test_what_is_settled_needs_nothing() -> None:
    assert what_settles(answered(0.5), 0.01) is None


@pytest.mark.parametrize(
    ("builds", "seconds", "said"),
    [
        ((1, 5), None, "about 2 more builds a side"),
        ((0, 5), 30.0, "about 3 more builds a side, 3 minutes"),
        ((5, 0), 30.0, "about 3 more builds a side, 3 minutes"),
        ((3, 3), 5.0, "about 1 more build a side, 10 seconds"),
        ((1, 1), 0.0, "about 2 more builds a side, 1 second"),
        ((1, 1), None, "about 2 more builds a side"),
        ((1, 3), 30.0, "about 2 more builds a side, 2 minutes"),
        ((2, 5), 1.0, "about 1 more build a side, 2 seconds"),
    ],
)
def test_a_first_interval_takes_three_builds_a_side(
    builds: tuple[int, int], seconds: float | None, said: str
) -> None:
    assert first_builds(builds, seconds) == said
