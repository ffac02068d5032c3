"""The rule for rare slow builds: finds them, leaves ordinary builds, and hides no change of a version."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

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


@pytest.mark.parametrize("by", [0.02, 0.05, 0.2])
def test_ordinary_builds_are_left_beside_a_slow_one_too(by: float) -> None:
    values = np.random.default_rng(2).normal(0, 0.0036, (4000, 6, 5))
    values[:, 0, 0] += by
    found = slow_builds(values)
    assert found[:, 0, 1:].mean() < 0.001
    assert found[:, 1:].mean() < 0.001


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
    # All that are as slow or none; an ordinary one may seem slow beside the others, as rarely as elsewhere.
    assert by <= 0.1 or found[1, :slow].sum() in (0, slow)
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


def test_two_slow_builds_of_a_cell_do_not_hide_each_other() -> None:
    """Wherever the cell's level lies: the first look is at the builds below the middle of each cell."""
    values = cells(8, builds=5, deviation=0.002)
    values[1, :2] += 0.1
    values[1] += 5.0
    assert np.argwhere(slow_builds(values)).tolist() == [[1, 0], [1, 1]]
    even = np.concatenate([values, np.full((4, 1), np.nan)], axis=1)
    even[1, 5] = values[1, 4] + 0.001
    assert np.argwhere(slow_builds(even)).tolist() == [[1, 0], [1, 1]]


@pytest.mark.parametrize(("at", "slow"), [(0.0360, False), (0.0370, True)])
def test_a_slow_build_stands_four_deviations_clear_of_its_own_cell(at: float, slow: bool) -> None:
    """The others lie at -0.01, 0, 0 and 0.01: 4 x 0.008165 x sqrt(1 + 1/4) is 0.0365."""
    still = np.tile([-0.001, 0.0, 0.0, 0.0, 0.001], (4, 1))
    values = np.concatenate([still, [[-0.01, 0.0, 0.0, 0.01, at]]])
    assert bool(slow_builds(values)[4, 4]) is slow


@pytest.mark.parametrize(("at", "slow"), [(0.0058, False), (0.0061, True)])
def test_a_slow_build_stands_clear_of_the_block_by_the_spread_of_all(at: float, slow: bool) -> None:
    """Pooled over 3 cells of five and the others: Student's t of one in a thousand times their deviation."""
    still = np.tile([-0.002, -0.001, 0.0, 0.001, 0.002], (3, 1))
    values = np.concatenate([still, [[-0.0005, 0.0, 0.0, 0.0005, at]]])
    degrees, squares = 3 * 4 + 3, 3 * 1e-5 + 5e-7
    limit = stats.t.ppf(0.999, degrees) * np.sqrt(squares / degrees * (1 + 1 / 4))
    assert 0.0058 < limit < 0.0061
    assert bool(slow_builds(values, smallest=0.001)[3, 4]) is slow


@pytest.mark.parametrize(("at", "slow"), [(0.0099, False), (0.0101, True)])
def test_less_than_one_per_cent_is_never_slow(at: float, slow: bool) -> None:
    values = np.zeros((2, 5))
    values[0, 0] = at
    assert bool(slow_builds(values)[0, 0]) is slow


def ragged(seed: int) -> Values:
    """Return cells of one to six builds, a slow one in most of them."""
    rng = np.random.default_rng(seed)
    values = np.where(np.arange(6) < rng.permutation(6)[:, None] + 1, rng.normal(0, 0.003, (6, 6)), np.nan)
    values[:, 0] += rng.choice([0.0, 0.0, 0.05, 0.2], 6)
    return values


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 2**32 - 1), st.floats(0.1, 10.0))
def test_neither_levels_nor_the_order_of_cells_nor_the_unit_change_anything(seed: int, unit: float) -> None:
    rng = np.random.default_rng(seed)
    values = ragged(seed)
    found = slow_builds(values)
    order = rng.permutation(6)
    assert (slow_builds(values + rng.normal(0, 3, 6)[:, None]) == found).all()
    assert (slow_builds(values[order]) == found[order]).all()
    assert (slow_builds(values * unit, smallest=0.01 * unit) == found).all()


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 2**32 - 4))
def test_blocks_are_looked_at_each_on_its_own(seed: int) -> None:
    blocks = np.stack([ragged(seed + i) for i in range(3)])
    assert (slow_builds(blocks) == [slow_builds(block) for block in blocks]).all()


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32 - 1), st.integers(3, 6))
def test_a_build_far_above_its_like_is_found_in_any_cell_of_three_or_more(seed: int, builds: int) -> None:
    values = np.full((5, 6), np.nan)
    values[:, :builds] = np.random.default_rng(seed).normal(0, 0.0005, (5, builds)) + 2.0
    values[3, 1] += 0.5
    assert np.argwhere(slow_builds(values)).tolist() == [[3, 1]]


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32 - 1), st.floats(0.011, 0.02))
def test_cells_of_one_build_say_nothing_of_the_others(seed: int, by: float) -> None:
    values = np.random.default_rng(seed).normal(0, 0.003, (3, 4))
    values[0, 0] += by
    alone = np.full((20, 4), np.nan)
    alone[:, 2] = np.random.default_rng(seed).normal(0, 3, 20)
    found = slow_builds(np.concatenate([values, alone]))
    assert (found[:3] == slow_builds(values)).all()
    assert not found[3:].any()
