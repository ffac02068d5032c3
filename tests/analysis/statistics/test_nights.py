"""Tonight against earlier nights: the night is the unit, and what a bad one says does not count."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from harness.analysis.statistics.levels import Values
from harness.analysis.statistics.nights import Earlier, against_nights, usual

NONE: Values = np.zeros(0)


def steady(count: int, seed: int = 0) -> Values:
    return np.random.default_rng(seed).normal(0.0, 0.01, count)


def test_tonight_is_one_more_night_like_the_others() -> None:
    """The interval of one new value: Student's t with the nights' scatter times sqrt(1 + 1 / nights)."""
    level = steady(10)
    (found,) = against_nights([0.05], [Earlier(level, NONE)])
    assert found is not None
    scatter = np.std(level, ddof=1)
    assert (found.nights, found.set_aside) == (10, ())
    assert found.scatter == pytest.approx(scatter)
    assert float(found.difference.estimate) == pytest.approx(0.05 - level.mean())
    half = stats.t.ppf(0.975, 9) * scatter * np.sqrt(1 + 1 / 10)
    assert float(found.difference.half_width(0.95)) == pytest.approx(half)


def test_what_tonight_is_known_less_well_widens_the_answer() -> None:
    level = steady(10)
    (plain,) = against_nights([0.05], [Earlier(level, NONE)])
    (wide,) = against_nights([0.05], [Earlier(level, NONE, excess=1e-4, degrees=2.0)])
    assert plain is not None
    assert wide is not None
    usual_part = float(plain.difference.variance)
    assert float(wide.difference.variance) == pytest.approx(usual_part + 1e-4)
    w = 1e-4 / (usual_part + 1e-4)
    degrees = 1 / (w**2 / 4 + (1 - w) ** 2 / 11) - 2
    assert float(wide.difference.degrees) == pytest.approx(degrees)


@pytest.mark.parametrize(
    ("level", "before", "told"), [(3, 0, True), (2, 1, True), (1, 2, True), (2, 0, False), (1, 1, False)]
)
def test_three_nights_say_how_nights_scatter(level: int, before: int, told: bool) -> None:
    (found,) = against_nights([0.0], [Earlier(steady(level), steady(before, 1))])
    assert (found is not None) is told
    if found is not None:
        assert found.nights == level


def test_the_level_before_lends_its_scatter_where_it_is_wider() -> None:
    level, before = np.array([0.0, 0.001, -0.001, 0.0005]), np.array([0.5, 0.6, 0.4, 0.55, 0.45])
    (found,) = against_nights([0.0], [Earlier(level, before)])
    assert found is not None
    assert found.scatter == pytest.approx(np.std(before, ddof=1))
    assert float(found.difference.estimate) == pytest.approx(-level.mean())
    (turned,) = against_nights([0.0], [Earlier(before, level)])
    assert turned is not None
    assert turned.scatter == pytest.approx(np.std(before, ddof=1))


def test_only_the_chosen_nights_are_compared_with() -> None:
    level = np.array([0.0, 0.01, 0.02, 0.03])
    (found,) = against_nights([0.1], [Earlier(level, NONE, chosen=(1, 3))])
    assert found is not None
    assert (found.nights, float(found.difference.estimate)) == (2, pytest.approx(0.1 - 0.02))
    assert found.scatter == pytest.approx(np.std(level, ddof=1)), "all of them say how nights scatter"


def test_a_bad_night_is_set_aside_unless_it_alone_was_asked_for() -> None:
    level = np.array([0.0, 0.01, 0.3, -0.01, 0.005, -0.005])
    kept = np.delete(level, 2)
    (found,) = against_nights([0.1], [Earlier(level, NONE)])
    assert found is not None
    assert (found.set_aside, found.nights) == ((2,), 5)
    assert found.scatter == pytest.approx(np.std(kept, ddof=1))
    assert float(found.difference.estimate) == pytest.approx(0.1 - kept.mean())
    (asked,) = against_nights([0.1], [Earlier(level, NONE, chosen=(2,))])
    assert asked is not None
    assert (asked.nights, float(asked.difference.estimate)) == (1, pytest.approx(0.1 - 0.3))


@pytest.mark.parametrize(("off", "bad"), [(0.0029, False), (0.0031, True), (-0.0031, True)])
def test_a_night_is_bad_six_scatters_from_the_middle_and_no_scatter_is_below_a_two_thousandth(
    off: float, bad: bool
) -> None:
    found = usual(np.array([0.0, 0.0, 0.0, 0.0, off]) + 5.0)
    assert np.isnan(found).tolist() == [False] * 4 + [bad]


@pytest.mark.parametrize(("off", "bad"), [(0.088, False), (0.09, True)])
def test_scatter_is_the_median_distance_from_the_middle(off: float, bad: bool) -> None:
    """Distances 0, 0.01, 0.01, 0.02 and the last: their median 0.01 is a scatter of 0.014826."""
    found = usual(np.array([0.0, 0.01, -0.01, -0.02, off]))
    assert np.isnan(found).tolist() == [False] * 4 + [bad]


def test_of_four_nights_none_is_called_bad() -> None:
    values = np.array([0.0, 0.0, 0.0, 9.0])
    assert usual(values).tolist() == values.tolist()


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32 - 1), st.floats(-5, 5))
def test_the_level_of_a_series_and_the_order_of_series_change_nothing(seed: int, shift: float) -> None:
    rng = np.random.default_rng(seed)
    series = [Earlier(rng.normal(0, 0.01, n), rng.normal(1, 0.01, m)) for n, m in ((5, 4), (8, 0), (3, 6))]
    tonight = rng.normal(0, 0.02, 3).tolist()
    moved = [Earlier(one.level + shift, one.before - shift) for one in series]
    one, two = against_nights(tonight, series), against_nights([x + shift for x in tonight], moved)
    three = against_nights(tonight[::-1], series[::-1])[::-1]
    for a, b, c in zip(one, two, three, strict=True):
        assert a is not None
        assert b is not None
        assert c is not None
        for other in (b, c):
            assert float(other.difference.estimate) == pytest.approx(float(a.difference.estimate), abs=1e-9)
            assert other.scatter == pytest.approx(a.scatter)
            assert float(other.difference.degrees) == pytest.approx(float(a.difference.degrees))


def test_series_that_scatter_alike_share_what_they_know() -> None:
    levels = [np.array([0.0, 0.01, 0.02]) + shift for shift in (0.0, 1.0, 2.0)]
    found = against_nights([0.0, 1.0, 2.0], [Earlier(level, NONE) for level in levels])
    for one in found:
        assert one is not None
        assert one.scatter == pytest.approx(0.01)
        assert float(one.difference.degrees) == pytest.approx(6.0)
