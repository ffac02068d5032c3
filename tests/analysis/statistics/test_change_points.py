"""Change points of series with known steps."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.analysis.statistics.change_points import change_points
from harness.analysis.statistics.intervals import ratio


def series(levels: list[float], builds: int = 3, noise: float = 0.01, seed: int = 1) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [level * np.exp(rng.normal(0, noise, builds)) for level in levels]


def test_a_level_series_has_none() -> None:
    alarms = sum(bool(change_points(series([1.0] * 12, seed=seed))) for seed in range(200))
    assert alarms <= 20


def test_two_steps_are_found_with_their_size() -> None:
    found = change_points(series([0.43] * 5 + [0.35] * 4 + [0.39] * 5))
    assert [point.index for point in found] == [5, 9]
    assert found[0].change.interval.estimate == pytest.approx(0.35 / 0.43, rel=0.03)
    assert found[1].change.interval.estimate == pytest.approx(0.39 / 0.35, rel=0.03)
    assert all(point.p <= 0.05 for point in found)


def test_a_sure_step_of_less_than_two_per_cent_is_none() -> None:
    assert change_points(series([1.0] * 6 + [1.01] * 6, builds=10, noise=0.001)) == []


def test_members_of_one_build_each_are_enough() -> None:
    assert [p.index for p in change_points(series([1.0] * 8 + [1.2] * 8, builds=1))] == [8]


@pytest.mark.parametrize("short", [[], [[1.0]], [[1.0], [2.0]]])
def test_too_short_a_series_has_none(short: list[list[float]]) -> None:
    assert change_points(short) == []


def test_without_any_spread_the_step_is_where_it_is() -> None:
    assert [p.index for p in change_points([[1.0, 1.0]] * 4 + [[2.0, 2.0]] * 3)] == [4]


def test_a_change_is_measured_between_its_neighbours() -> None:
    """Each level has one value: the size of a step is that of the two levels beside it, not of the whole."""
    series = [[1.0, 1.0]] * 3 + [[2.0, 2.0]] * 3 + [[8.0, 8.0]] * 3
    first, second = change_points(series)
    assert (first.index, second.index) == (3, 6)
    assert first.change.interval.estimate == pytest.approx(2.0)
    assert second.change.interval.estimate == pytest.approx(4.0)
    assert (first.change.builds, second.change.builds) == ((6, 6), (6, 6))


def test_every_place_that_was_tried_makes_it_less_sure() -> None:
    """Bonferroni: three members have two places, so that p is twice that of the step alone."""
    members = [[1.0, 1.02, 0.98], [1.01, 0.99, 1.0], [1.2, 1.22, 1.18]]
    (found,) = change_points(members)
    assert found.index == 2
    assert found.p == pytest.approx(2 * found.change.p)
    assert found.p <= 1.0


def test_a_step_that_is_sure_once_but_not_among_many_places_is_none() -> None:
    """A p between 5 % / places and 5 %."""
    step = [[1.0, 1.04], [1.0, 1.04], [1.04, 1.08], [1.04, 1.08]]
    alone = ratio(step[0] + step[1], step[2] + step[3])
    assert alone is not None
    assert 0.05 / 3 < alone.p < 0.05
    assert change_points(step) == []


@given(
    levels=st.lists(st.sampled_from([1.0, 1.1, 2.0, 5.0]), min_size=1, max_size=12),
    unit=st.sampled_from([1e-3, 1.0, 1e6]),
)
def test_levels_without_noise_are_cut_where_they_differ(levels: list[float], unit: float) -> None:
    """A law: of builds without spread each member that differs from the one before begins a level.

    Two builds of one value each are certain; the unit does not matter.
    """
    found = change_points([[level * unit, level * unit] for level in levels])
    indexes = [point.index for point in found]
    assert indexes == sorted(set(indexes))
    assert set(indexes) <= {i for i in range(1, len(levels)) if levels[i] != levels[i - 1]}
