"""Spreads: pooled where they do not differ, a group's own where it spreads more."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from harness.analysis.statistics.levels import Values
from harness.analysis.statistics.spreads import (
    APART,
    OWN,
    larger_probability,
    spread,
    spreads_by_kind,
    together,
)


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


def ragged(seed: int) -> Values:
    """Return groups of one to five repetitions, of which one may spread ten times as much."""
    rng = np.random.default_rng(seed)
    values = np.where(np.arange(5) < rng.integers(1, 6, 6)[:, None], rng.normal(0, 0.01, (6, 5)), np.nan)
    values[rng.integers(6)] *= rng.choice([1.0, 10.0])
    return values


def by_hand(values: Values, own: float = OWN, apart: float = APART) -> list[tuple[float, float, bool, bool]]:
    """Return variance, degrees, own and apart of each group, one group and one test after the other."""
    groups = [[x for x in row if np.isfinite(x)] for row in values.tolist()]
    tested = sum(len(group) > 1 for group in groups)

    def p(mine: int, out: set[int]) -> float:
        others = [g for i, g in enumerate(groups) if i != mine and i not in out and len(g) > 1]
        free = sum(len(g) - 1 for g in others)
        if len(groups[mine]) < 2 or not free:
            return 1.0
        theirs = sum(np.var(g, ddof=1) * (len(g) - 1) for g in others) / free
        return float(stats.f.sf(np.var(groups[mine], ddof=1) / theirs, len(groups[mine]) - 1, free))

    every = range(len(groups))
    out = {i for i in every if p(i, set()) < apart / max(tested, 1)}
    sure = [p(i, out) for i in every]
    out |= {i for i in every if sure[i] < apart / max(tested, 1)}
    pool = [g for i, g in enumerate(groups) if i not in out and len(g) > 1]
    free = sum(len(g) - 1 for g in pool)
    common = sum(np.var(g, ddof=1) * (len(g) - 1) for g in pool) / free if free else float("nan")
    told = []
    for i, group in enumerate(groups):
        mine = i in out or sure[i] < own
        alone = (np.var(group, ddof=1), len(group) - 1.0) if mine else (common, float(free))
        told.append((*alone, mine, i in out))
    return told


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 2**32 - 1))
def test_it_is_the_f_test_of_each_group_against_the_others_done_twice(seed: int) -> None:
    values = ragged(seed)
    found = spread(values)
    variance, degrees, own, apart = zip(*by_hand(values), strict=True)
    assert found.variance == pytest.approx(variance, nan_ok=True)
    assert found.degrees == pytest.approx(degrees)
    assert (found.own.tolist(), found.apart.tolist()) == (list(own), list(apart))


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32 - 1))
def test_kinds_have_nothing_to_do_with_each_other(seed: int) -> None:
    rng = np.random.default_rng(seed)
    values, kinds = ragged(seed), rng.permutation([3, 3, 3, 7, 7, 7])
    by_kind = spreads_by_kind(values, kinds)
    found = together(by_kind, kinds)
    assert sorted(by_kind) == [3, 7]
    pooled = []
    for kind in (3, 7):
        mine = kinds == kind
        alone = spread(values[mine])
        assert found.variance[mine] == pytest.approx(alone.variance, nan_ok=True)
        assert found.degrees[mine] == pytest.approx(alone.degrees)
        assert found.apart[mine].tolist() == alone.apart.tolist()
        pooled += [(float(alone.pooled), float(alone.pooled_degrees))]
    assert found.own.all()
    free = sum(degrees for _, degrees in pooled)
    assert float(found.pooled_degrees) == free
    mean = sum(v * f for v, f in pooled if f) / free if free else np.nan
    assert float(found.pooled) == pytest.approx(mean, nan_ok=True)


def test_a_kind_is_given_its_own_spreads_as_rarely_as_it_is_asked() -> None:
    values, kinds = np.array([[0.0, 0.01, 0.02], [0.0, 0.01, 0.02], [0.0, 0.025, 0.05]]), np.zeros(3, np.int_)
    assert spreads_by_kind(values, kinds)[0].own.tolist() == [False, False, True]
    assert not spreads_by_kind(values, kinds, own=0.0)[0].own.any()


def test_repetitions_that_agree_are_no_spread_and_as_rare_as_nothing_else() -> None:
    still, moved = np.zeros(3), np.array([0.0, 1.0, 0.0])
    args = np.array([0.0, 2.0]), np.array([2.0, 2.0])
    assert larger_probability(*args, np.array([0.0, 0.0]), np.array([4.0, 4.0])).tolist() == [
        pytest.approx(float(stats.f.sf(1.0, 2, 4))),
        0.0,
    ]
    found = spread(np.stack([still, still, moved]))
    assert (found.own.tolist(), found.apart.tolist()) == ([False, False, True], [False, False, True])
    assert float(found.pooled) == 0.0
