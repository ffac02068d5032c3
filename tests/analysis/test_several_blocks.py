"""One answer of several blocks: each weighs as often as both of its sides were repeated."""

from __future__ import annotations

import numpy as np
import pytest

from harness.analysis.material import SlowBuilds
from harness.analysis.pair import Pair
from harness.analysis.several_blocks import combined
from harness.analysis.statistics.components import Components, Repetitions
from harness.analysis.statistics.differences import Difference
from harness.analysis.statistics.intervals import one_probability
from harness.analysis.statistics.spending import Costs, Situation

COSTS = Costs(60.0, 8.0, 0.03)
PARTS = Components(1e-4, 0.0, 0.0)


def pair(
    estimate: float,
    builds: tuple[int, int],
    *,
    slow: tuple[int, int] = (0, 0),
    by: tuple[float, float] | None = None,
    joined: float = 0.0,
    variance: float = 1e-4,
) -> Pair:
    degrees = sum(builds) - 2.0
    old, new = (Repetitions(count - out, 2, 10) for count, out in zip(builds, slow, strict=True))
    sides = [SlowBuilds(out, of, by if out else None) for out, of in zip(slow, builds, strict=True)]
    return Pair(
        difference=Difference(np.array(estimate), np.array(variance), np.array(degrees)),
        builds=builds,
        slow=(sides[0], sides[1]),
        situation=Situation(PARTS, old, new, degrees, joined),
        costs=COSTS,
    )


def test_blocks_weigh_as_both_of_their_sides_were_repeated() -> None:
    """Three of either make 3 / 2, two and six 12 / 8: as much; a variance found by chance does not count."""
    one, other = pair(0.02, (3, 3)), pair(0.05, (2, 6), variance=1e-8)
    assert float(combined([one, other]).difference.estimate) == pytest.approx(0.035)
    found = combined([one, pair(0.05, (6, 6))])
    assert float(found.difference.estimate) == pytest.approx((0.02 + 2 * 0.05) / 3)
    assert float(found.difference.variance) == pytest.approx((1 + 4) / 9 * 1e-4)
    assert found.builds == (9, 9)
    assert found.situation.old == (9, 2, 10)
    assert found.situation.new == (9, 2, 10)
    assert found.situation.degrees == pytest.approx(float(found.difference.degrees))
    assert (found.situation.components, found.costs) == (PARTS, COSTS)


def test_a_slow_build_is_no_repetition_and_is_told_of_all_blocks() -> None:
    one = pair(0.02, (4, 3), slow=(1, 0), by=(0.1, 0.2))
    other = pair(0.05, (3, 5), slow=(0, 2), by=(0.05, 0.3))
    last = pair(0.05, (4, 3), slow=(1, 0), by=(0.15, 0.25))
    found = combined([one, other])
    assert float(found.difference.estimate) == pytest.approx(0.035), "three of either are left in both"
    assert found.builds == (7, 8)
    assert found.slow == (SlowBuilds(1, 7, (0.1, 0.2)), SlowBuilds(2, 8, (0.05, 0.3)))
    assert found.situation.old.builds == found.situation.new.builds == 6
    assert combined([one, other, last]).slow[0] == SlowBuilds(2, 11, (0.1, 0.25))


def test_what_an_anchor_adds_is_weighed_as_a_variance() -> None:
    found = combined([pair(0.0, (3, 3), joined=9e-5), pair(0.0, (6, 6), joined=9e-6)])
    assert found.situation.joined == pytest.approx(9e-5 / 9 + 9e-6 * 4 / 9)


def test_of_one_block_it_is_the_pair_itself() -> None:
    one = pair(0.02, (3, 3))
    assert combined([one]) is one
    assert one.p == pytest.approx(one_probability(0.02, 0.01, 4.0))
