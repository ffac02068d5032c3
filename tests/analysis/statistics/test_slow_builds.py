"""The rule for rare slow builds: finds them, leaves ordinary builds, and hides no change of a version."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.analysis.statistics.levels import Values
from harness.analysis.statistics.slow_builds import slow_builds


def cells(seed: int, cells: int = 4, builds: int = 5, deviation: float = 0.0036) -> Values:
    return np.random.default_rng(seed).normal(0, deviation, (cells, builds))


def test_a_slow_build_is_found() -> None:
    values = cells(1)
    values[2, 3] += 0.2
    values[0, 1] += 0.03
    assert np.argwhere(slow_builds(values)).tolist() == [[0, 1], [2, 3]]


def test_ordinary_builds_are_left() -> None:
    found = slow_builds(np.random.default_rng(2).normal(0, 0.0036, (4000, 6, 5)))
    assert found.mean() < 0.001
    noisy = slow_builds(np.random.default_rng(2).normal(0, 0.02, (4000, 6, 5)))
    assert noisy.mean() < 0.003


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 2**32 - 1), st.floats(-0.5, 0.5), st.integers(0, 3))
def test_a_change_of_a_whole_version_is_no_slow_build(seed: int, change: float, cell: int) -> None:
    values = cells(seed)
    before = slow_builds(values)
    values[cell] += change
    assert (slow_builds(values) == before).all()


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 2**32 - 1), st.integers(1, 8), st.floats(0.02, 1.0))
def test_only_a_minority_is_ever_set_aside(seed: int, slow: int, by: float) -> None:
    values = cells(seed, builds=8)
    values[1, :slow] += by
    found = slow_builds(values)
    assert found[1].sum() in (0, slow) if by > 0.1 else found[1].sum() <= 3
    assert found[1].sum() <= 3


def test_half_of_a_version_is_how_it_is() -> None:
    values = cells(3, builds=4)
    values[1, :2] += 0.2
    assert not slow_builds(values).any()


def test_of_two_builds_nobody_knows_which_is_slow() -> None:
    values = cells(4, builds=2)
    values[1, 0] += 0.2
    assert not slow_builds(values).any()


def test_a_fast_build_is_never_set_aside() -> None:
    values = cells(5)
    values[1, 0] -= 0.2
    assert not slow_builds(values).any()


def test_less_than_material_is_no_slow_build() -> None:
    values = cells(6, deviation=1e-5)
    values[1, 0] += 0.008
    assert not slow_builds(values).any()
    assert slow_builds(values, smallest=0.005).sum() == 1


def test_a_cell_that_scatters_is_not_cut_to_the_others_measure() -> None:
    values = cells(7, cells=6)
    values[1] = [0.0, 0.02, 0.04, 0.06, 0.09]
    assert not slow_builds(values)[1].any()


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32 - 1))
def test_the_order_of_builds_and_missing_ones_change_nothing(seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = cells(seed)
    values[0, 0] += 0.1
    found = slow_builds(values)
    order = rng.permutation(5)
    assert (slow_builds(values[:, order]) == found[:, order]).all()
    wider = np.concatenate([values, np.full((4, 2), np.nan)], axis=1)
    assert (slow_builds(wider)[:, :5] == found).all()
    assert not slow_builds(wider)[:, 5:].any()


@pytest.mark.parametrize("by", [0.0, 0.2])
def test_without_any_spread_only_what_is_far_is_slow(by: float) -> None:
    values = np.zeros((2, 5))
    values[0, 0] = by
    assert slow_builds(values).sum() == (by > 0)
