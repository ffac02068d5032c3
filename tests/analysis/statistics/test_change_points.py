"""Change points of series with known steps."""

from __future__ import annotations

import numpy as np
import pytest

from harness.analysis.statistics.change_points import change_points


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
