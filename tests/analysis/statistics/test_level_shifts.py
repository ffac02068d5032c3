"""Shifts of a nightly series: seen as nights come, not from bad nights, and never taken back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.analysis.statistics.level_shifts import (
    BEFORE,
    FIRST,
    LEAST,
    best_splits,
    level_shifts,
    scatter_before,
)
from harness.analysis.statistics.levels import Values


def nights(count: int, seed: int = 0, scatter: float = 0.005) -> Values:
    return np.random.default_rng(seed).normal(0.0, scatter, count)


def test_a_step_is_seen_within_a_week_and_begins_where_it_began() -> None:
    values = nights(80, seed=1)
    values[50:] += 0.05
    (shift,) = level_shifts(values)
    assert (shift.index, shift.up) == (50, True)
    assert 50 <= shift.seen < 57


def test_a_step_that_luck_let_be_seen_early_is_told_once() -> None:
    values = nights(80)  # the four nights before happen to lie high
    values[50:] += 0.05
    (shift,) = level_shifts(values)
    assert 46 <= shift.index <= 50


def test_a_step_that_goes_again_is_two_shifts() -> None:
    values = nights(90)
    values[40:50] += 0.05
    up, down = level_shifts(values)
    assert (up.index, down.index) == (40, 50)


@pytest.mark.parametrize("spell", [1, 2, 3])
def test_bad_nights_are_no_shift(spell: int) -> None:
    values = nights(80)
    for at in (20, 41, 60):
        values[at : at + spell] += 0.2
    assert level_shifts(values) == []


def test_too_few_nights_show_nothing() -> None:
    values = nights(FIRST + 4)
    values[FIRST - 1 :] += 1.0
    assert level_shifts(values) == []
    assert level_shifts(values[:0]) == []


def test_what_never_varies_is_seen_when_it_moves() -> None:
    assert level_shifts(np.zeros(60)) == []
    assert [shift.index for shift in level_shifts(np.repeat([0.0, 0.01], 30))] == [30]


@settings(max_examples=25)
@given(st.integers(0, 1000), st.integers(10, 60), st.floats(0.005, 0.1))
def test_more_nights_change_nothing_that_was_seen(seed: int, step: int, size: float) -> None:
    values = nights(70, seed)
    values[step:] += size
    whole = level_shifts(values)
    part = level_shifts(values[:60])
    assert part == [shift for shift in whole if shift.seen < 60]


@settings(max_examples=25)
@given(st.integers(0, 1000), st.floats(-5.0, 5.0))
def test_the_unit_does_not_matter(seed: int, level: float) -> None:
    values = nights(60, seed)
    values[30:] += 0.04
    moved = [(shift.index, shift.seen) for shift in level_shifts(values + level)]
    assert moved == [(shift.index, shift.seen) for shift in level_shifts(values)]


@settings(max_examples=25)
@given(st.integers(0, 1000), st.integers(2 * LEAST, 40), st.integers(0, 20))
def test_the_best_split_is_the_one_that_gains_most_likeness(seed: int, end: int, begin: int) -> None:
    values = nights(45, seed, 1.0)
    alike = np.exp(-0.5 * (values[:, None] - values[None, :]) ** 2)
    summed = np.zeros((46, 46))
    summed[1:, 1:] = alike.cumsum(axis=0).cumsum(axis=1)

    def likeness(first: int, last: int) -> float:
        return float(alike[first:last, first:last].sum() / (last - first))

    gains = {
        at: likeness(begin, at) + likeness(at, end) - likeness(begin, end)
        for at in range(begin + LEAST, end - LEAST + 1)
    }
    places, found = best_splits(summed, begin, np.array([end]))
    assert found[0] == pytest.approx(max([0.0, *gains.values()]), abs=1e-9)
    if gains and found[0] > 0:
        assert gains[int(places[0])] == pytest.approx(max(gains.values()))


def test_scatter_is_that_of_a_night_as_the_steps_between_neighbours_tell() -> None:
    values = nights(4000, seed=3, scatter=0.02)
    found = scatter_before(values)
    assert np.isnan(found[:FIRST]).all()
    assert np.isfinite(found[FIRST:]).all()
    assert np.mean(found[BEFORE:]) == pytest.approx(0.02, rel=0.03)


@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1), st.integers(FIRST + 1, 2 * BEFORE))
def test_the_scatter_before_a_night_is_of_the_nights_before_it(seed: int, count: int) -> None:
    values = nights(count, seed)
    found = scatter_before(values)
    changed = values.copy()
    changed[-1] += 5.0
    assert scatter_before(changed)[-1] == found[-1]
    window = np.abs(np.diff(values[:-1]))[-BEFORE:]
    assert found[-1] == pytest.approx(np.median(window) * 1.4826 / 2**0.5)
    assert scatter_before(values * 3 + 1) == pytest.approx(3 * found, nan_ok=True)
