"""Means of nights over their builds: what a slow build, few builds or a wild night do to them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from harness.analysis.statistics.nights import means_of_builds

NIGHTS = ((0.0, 0.01, -0.01), (0.003, -0.006, 0.003), (0.008, 0.0, -0.008))
"""Builds of three nights; their squares over 6 degrees of freedom are the spread."""

SPREAD = sum(value**2 for night in NIGHTS for value in night) / 6


def test_a_usual_night_is_known_as_well_as_others() -> None:
    found = means_of_builds(NIGHTS, (0.105, 0.1, 0.095))
    assert found.earlier.tolist() == pytest.approx([0.0, 0.0, 0.0])
    assert (found.tonight, found.excess, found.degrees) == (pytest.approx(0.1), 0.0, 6.0)
    assert not found.slow.any()


def test_a_slow_build_is_set_aside_tonight_and_earlier() -> None:
    earlier = ((0.0, 0.2, 0.01), *NIGHTS[1:])
    found = means_of_builds(earlier, (0.1, 0.3, 0.11))
    assert found.slow.tolist() == [False, True, False]
    assert found.tonight == pytest.approx(0.105)
    assert found.earlier[0] == pytest.approx(0.005)
    # two are left of three: known less well than a usual night, by the spread of all
    assert 0 < found.excess < 0.006**2
    assert found.degrees > 4


def test_fewer_builds_are_known_less_well_by_the_spread_of_all_nights() -> None:
    nights = tuple((*night, *night) for night in NIGHTS)
    found = means_of_builds(nights, (0.001, 0.0, -0.001))
    spread = 2 * 6 * SPREAD / 15
    assert found.excess == pytest.approx(spread * (1 / 3 - 1 / 6))
    assert found.degrees == 15


@pytest.mark.parametrize(("apart", "own"), [(0.03, False), (0.06, True)])
def test_builds_that_surely_scatter_more_speak_for_themselves(apart: float, own: bool) -> None:
    tonight = (-apart, -apart, apart, apart, 0.0)
    found = means_of_builds(NIGHTS, tonight)
    variance = float(np.var(tonight, ddof=1))
    assert bool(stats.f.sf(variance / SPREAD, 4, 6) < 0.001) is own
    usual = SPREAD / 3
    expected = (variance if own else SPREAD) / 5 - usual
    assert found.excess == pytest.approx(max(0.0, expected))
    assert found.degrees == (4 if own else 6)


def test_of_two_builds_none_is_the_slow_one_and_their_scatter_counts() -> None:
    found = means_of_builds(NIGHTS, (0.0, 0.2))
    assert not found.slow.any()
    assert (found.tonight, found.degrees) == (pytest.approx(0.1), 1.0)
    assert found.excess == pytest.approx(0.02 / 2 - SPREAD / 3)
    close = means_of_builds(NIGHTS, (0.1, 0.1))
    assert close.excess == pytest.approx(SPREAD / 2 - SPREAD / 3), "no better than builds are"
    one = means_of_builds(NIGHTS, (0.1,))
    assert (one.excess, one.degrees) == (pytest.approx(SPREAD - SPREAD / 3), 1.0)


def test_where_no_night_says_how_builds_scatter_tonight_s_own_counts() -> None:
    found = means_of_builds(((0.0,), (0.01,), (0.0,)), (0.01, 0.02, 0.03))
    assert (found.excess, found.degrees) == (pytest.approx(0.0001 / 3), 2.0)
    alone = means_of_builds((), (0.01, 0.02, 0.03))
    assert (alone.earlier.size, alone.tonight) == (0, pytest.approx(0.02))
    still = means_of_builds(((1.0, 1.0, 1.0),), (1.0, 1.0, 1.0))
    assert (still.excess, still.tonight) == (0.0, 1.0)


VALUES = st.lists(st.floats(-0.05, 0.05), min_size=1, max_size=5)


@settings(deadline=None, max_examples=60)
@given(st.lists(VALUES, min_size=1, max_size=6), VALUES, st.floats(-1, 1))
def test_neither_order_nor_level_matters(
    earlier: Sequence[Sequence[float]], tonight: Sequence[float], level: float
) -> None:
    found = means_of_builds(earlier, tonight)
    turned = means_of_builds(
        [[x + level for x in reversed(one)] for one in earlier], [x + level for x in tonight]
    )
    assert turned.tonight - level == pytest.approx(found.tonight, abs=1e-9)
    assert turned.earlier - level == pytest.approx(found.earlier, abs=1e-9)
    assert turned.excess == pytest.approx(found.excess, rel=1e-6, abs=1e-12)
    assert found.excess >= 0
    assert found.degrees >= 1
