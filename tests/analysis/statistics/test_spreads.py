"""Spreads: pooled where they do not differ, a group's own where it spreads more."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from harness.analysis.statistics.spreads import larger_probability, spread


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32 - 1), st.floats(-3, 3))
def test_a_shift_and_the_order_of_repetitions_change_nothing(seed: int, shift: float) -> None:
    rng = np.random.default_rng(seed)
    values = rng.normal(0, 0.01, (4, 5))
    one = spread(values)
    two = spread(rng.permuted(values, axis=1) + shift)
    assert two.variance == pytest.approx(one.variance)
    assert (two.own == one.own).all()


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32 - 1), st.floats(1e-3, 1e3))
def test_spread_grows_with_the_square_of_the_scale(seed: int, factor: float) -> None:
    values = np.random.default_rng(seed).normal(0, 0.01, (4, 5))
    assert spread(values * factor).variance == pytest.approx(spread(values).variance * factor**2)


def test_groups_that_spread_alike_share_one_spread() -> None:
    values = np.array([[0.0, 2.0, np.nan], [0.0, 2.0, 1.0], [5.0, np.nan, np.nan]])
    found = spread(values)
    assert not found.own.any()
    assert found.pooled == pytest.approx((2.0 + 2.0) / 3)
    assert found.variance == pytest.approx([4 / 3] * 3)
    assert found.degrees == pytest.approx([3.0] * 3)


def test_a_group_that_spreads_far_more_keeps_its_own() -> None:
    values = np.array([[0.0, 0.01, 0.02], [0.0, 0.01, 0.02], [0.0, 0.01, 0.02], [0.0, 1.0, 2.0]])
    found = spread(values)
    assert found.own.tolist() == found.apart.tolist() == [False, False, False, True]
    assert found.pooled == pytest.approx(1e-4)
    assert found.variance[3] == pytest.approx(1.0)
    assert found.degrees.tolist() == [6.0, 6.0, 6.0, 2.0]


def test_two_groups_that_differ_keep_a_spread_each() -> None:
    found = spread(np.array([[0.0, 0.01, 0.02, 0.01], [0.0, 1.0, 2.0, 1.0]]))
    assert found.own.tolist() == [False, True]
    assert found.variance[0] == pytest.approx(np.var([0.0, 0.01, 0.02, 0.01], ddof=1))


def test_nothing_is_known_of_single_repetitions() -> None:
    found = spread(np.array([[1.0], [2.0]]))
    assert np.isnan(found.variance).all()
    assert found.pooled_degrees == 0.0
    assert not found.own.any()


def test_the_test_is_the_f_test() -> None:
    found = larger_probability(np.array([8.0]), np.array([2.0]), np.array([5.0]), np.array([10.0]))
    assert found[0] == pytest.approx(stats.f.sf(4.0 / 0.5, 2, 10))
    none = larger_probability(np.array([8.0]), np.array([2.0]), np.array([0.0]), np.array([0.0]))
    assert none[0] == 1.0


def test_own_spreads_are_as_rare_as_chosen() -> None:
    found = spread(np.random.default_rng(1).normal(0, 0.01, (4000, 6, 5)))
    assert 0.08 < found.own.mean() < 0.12
    assert found.apart.any(axis=-1).mean() < 0.06


def test_blocks_have_nothing_to_do_with_each_other() -> None:
    values = np.random.default_rng(2).normal(0, 0.01, (3, 4, 5))
    together = spread(values)
    for i in range(3):
        assert spread(values[i]).variance == pytest.approx(together.variance[i])
