"""Differences against SciPy and numbers worked by hand, and coverage over processes rather than cycles."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from harness.analysis.statistics.differences import (
    Difference,
    added,
    cost_shares,
    difference,
    mean_difference,
    set_aside,
)
from harness.analysis.statistics.intervals import ratio
from harness.analysis.statistics.lockstep import process_values
from harness.analysis.statistics.slow_builds import slow_builds
from harness.analysis.statistics.spreads import spread


def test_two_sides_that_spread_alike_are_students_t() -> None:
    values = np.array([[0.0, 1.0, 2.5], [3.0, 4.0, 5.5]])
    found = difference(values, spread(values), 0, 1)
    scipy = stats.ttest_ind(values[1], values[0]).confidence_interval(0.95)
    interval = found.interval(0.95)
    assert (interval.low, interval.high) == pytest.approx((scipy.low, scipy.high))
    assert float(found.degrees) == pytest.approx(4.0)


def test_sides_with_spreads_of_their_own_are_welchs() -> None:
    values = np.array([[0.0, 0.01, 0.02], [1.0, 2.0, 4.0]])
    found = difference(values, spread(values, own=1.1), 0, 1)
    welch = ratio(np.exp(values[0]), np.exp(values[1]))
    assert welch is not None
    assert float(found.variance) == pytest.approx(welch.standard_error**2)
    assert float(found.degrees) == pytest.approx(welch.degrees)


def test_other_groups_lend_their_degrees_of_freedom() -> None:
    values = np.random.default_rng(1).normal(0, 0.01, (6, 3))
    found = spread(values, own=0.0, apart=0.0)
    one = difference(values, found, 2, 4)
    assert float(one.degrees) == pytest.approx(12.0)
    assert float(one.variance) == pytest.approx(float(found.pooled) * 2 / 3)


def test_what_joins_two_sub_blocks_widens_the_interval() -> None:
    values = np.random.default_rng(1).normal(0, 0.01, (2, 3))
    plain = difference(values, spread(values), 0, 1)
    joined = difference(values, spread(values), 0, 1, (1e-4, 5.0))
    assert float(joined.variance) == pytest.approx(float(plain.variance) + 1e-4)
    assert float(joined.half_width(0.95)) > float(plain.half_width(0.95))


def test_a_part_of_nothing_counts_nothing() -> None:
    total, degrees = added([(np.array(2.0), np.array(7.0)), (np.array(0.0), np.array(1.0))])
    assert (float(total), float(degrees)) == pytest.approx((2.0, 7.0))
    total, degrees = added([(np.array(0.0), np.array(7.0)), (np.array(0.0), np.array(1.0))])
    assert (float(total), float(degrees)) == pytest.approx((0.0, 7.0))


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32 - 1), st.floats(0.01, 100))
def test_a_ratio_knows_no_unit_and_turns_over(seed: int, factor: float) -> None:
    values = np.random.default_rng(seed).normal(0, 0.01, (3, 4))
    one = difference(values, spread(values), 0, 1).ratio(0.95)
    scaled = values + np.log(factor)
    assert difference(scaled, spread(scaled), 0, 1).ratio(0.95).low == pytest.approx(one.low)
    other = difference(values, spread(values), 1, 0).ratio(0.95)
    assert (1 / other.high, 1 / other.low) == pytest.approx((one.low, one.high))


def test_d_is_the_difference_of_costs_as_a_share_of_the_old_total() -> None:
    old, new, total = np.array([0.10, 0.12]), np.array([0.20, 0.21, 0.22]), np.array([1.0, 1.2])
    before, after = cost_shares(old, new, total)
    assert after.mean() - before.mean() == pytest.approx((0.21 - 0.11) / 1.1)


def test_d_scatters_as_its_values_say() -> None:
    rng = np.random.default_rng(3)
    draws = 4000
    total = np.exp(rng.normal(0, 0.03, (draws, 5)))
    old = 0.3 * total * np.exp(rng.normal(0, 0.02, (draws, 5)))
    new = 0.4 * np.exp(rng.normal(0, 0.04, (draws, 5)))
    before, after = cost_shares(old, new, total)
    values = np.stack([before, after], axis=1)
    found = difference(values, spread(values), 0, 1)
    assert np.mean(found.variance) == pytest.approx(np.var(found.estimate), rel=0.1)
    assert 0.93 < np.mean(np.abs(found.estimate - 0.1) < found.half_width(0.95)) < 0.97


@pytest.mark.parametrize("slow", [0.0, 0.05, 0.1])
@pytest.mark.parametrize("builds", [3, 5])
def test_the_interval_over_builds_holds_the_truth_as_often_as_it_says(slow: float, builds: int) -> None:
    rng = np.random.default_rng(builds)
    values = rng.normal(0, 0.0036, (4000, 4, builds))
    values += np.where(rng.random(values.shape) < slow, rng.uniform(0.02, 0.25, values.shape), 0.0)
    core = set_aside(values, slow_builds(values))
    found = difference(core, spread(core), 0, 1)
    assert 0.93 < np.mean(np.abs(found.estimate) <= found.half_width(0.95)) < 0.97


def test_cycles_are_no_repetitions() -> None:
    """What differs from process to process is unseen by cycles: their interval excludes the truth."""
    rng = np.random.default_rng(6)
    by_process = by_cycle = 0
    for _ in range(150):
        table = rng.normal(0, 0.01, 6) + rng.normal(0, 0.02, 30)[:, None] + rng.normal(0, 0.01, (30, 6))
        found = process_values(table)
        values = found.values.reshape(2, 3)
        interval = difference(values, spread(values), 0, 1).interval(0.95)
        by_process += interval.low <= 0.0 <= interval.high
        rows = table[:, 3:].mean(axis=1) - table[:, :3].mean(axis=1)
        by_cycle += stats.ttest_1samp(rows, 0.0).pvalue > 0.05
    assert by_process >= 135
    assert by_cycle < 100


def test_comparisons_side_by_side_have_nothing_to_do_with_each_other() -> None:
    rng = np.random.default_rng(1)
    old, new, total = (rng.uniform(1, 2, (3, builds)) for builds in (4, 5, 4))
    together = cost_shares(old, new, total)
    for i in range(3):
        for one, many in zip(cost_shares(old[i], new[i], total[i]), together, strict=True):
            assert one == pytest.approx(many[i])


def test_a_build_without_a_cost_does_not_count() -> None:
    old, new, total = np.array([1.0, 2.0]), np.array([1.0, 3.0]), np.array([10.0, 12.0])
    holed = cost_shares(np.append(old, np.nan), np.append(new, np.nan), np.append(total, np.nan))
    for one, many in zip(cost_shares(old, new, total), holed, strict=True):
        assert many[:2] == pytest.approx(one)
        assert np.isnan(many[2])


def test_degrees_are_those_of_the_part_alone_and_never_below_one() -> None:
    for degrees, told in ((1.0, 1.0), (1.5, 1.5), (0.25, 1.0)):
        total, found = added([(np.array(2.0), np.array(degrees)), (np.array(0.0), np.array(9.0))])
        assert (float(total), float(found)) == pytest.approx((2.0, told) if degrees > 1 else (2.0, 1.0))
    found = added([(np.array(0.0), np.array(0.5)), (np.array(0.0), np.array(0.25))])[1]
    assert float(found) == 1.0


def some(estimate: float, variance: float, degrees: float) -> Difference:
    return Difference(np.array(estimate), np.array(variance), np.array(degrees))


def test_the_mean_of_differences_is_weighed_by_repetitions() -> None:
    found = mean_difference([some(0.02, 4e-4, 6.0), some(0.05, 2e-5, 8.0)], [1.0, 3.0])
    assert float(found.estimate) == pytest.approx(0.25 * 0.02 + 0.75 * 0.05)
    parts = 0.25**2 * 4e-4, 0.75**2 * 2e-5
    assert float(found.variance) == pytest.approx(sum(parts))
    shares = [part / sum(parts) for part in parts]
    assert float(found.degrees) == pytest.approx(1 / (shares[0] ** 2 / 8 + shares[1] ** 2 / 10) - 2)
    few = mean_difference([some(0.0, 1e-4, 1.0), some(0.0, 1e-4, 1.0)], [1.0, 1.0])
    assert float(few.degrees) == pytest.approx(2.0), "no more than all of them have"
    with pytest.raises(ValueError, match="zip"):
        mean_difference([some(0.0, 1e-4, 1.0)], [1.0, 1.0])


def test_an_estimate_beyond_any_number_is_as_large_as_numbers_are() -> None:
    found = some(1000.0, 1.0, 5.0).ratio(0.95)
    assert found.low == found.estimate == found.high == pytest.approx(np.exp(700.0))
    assert some(-1000.0, 1.0, 5.0).ratio(0.95).high < 1e-300


@pytest.mark.parametrize("side", [0, 1])
def test_each_side_s_own_spread_counts_with_its_own_degrees(side: int) -> None:
    values = np.array(
        [[0.0, 0.01, 0.02, 0.0, 0.01], [0.0, 0.01, 0.02, 0.01, 0.0], [0.0, 1.0, 3.0, 2.0, np.nan]]
    )
    found = spread(values)
    assert found.own.tolist() == [False, False, True]
    pair = (side, 2) if side else (2, side)
    one = difference(values, found, *pair)
    common, own = float(found.pooled) / 5, np.nanvar(values[2], ddof=1) / 4
    assert float(one.variance) == pytest.approx(common + own)
    w = common / (common + own), own / (common + own)
    assert float(one.degrees) == pytest.approx(1 / (w[0] ** 2 / (8 + 2) + w[1] ** 2 / (3 + 2)) - 2)
    assert float(one.estimate) == pytest.approx((-1 if not side else 1) * (1.5 - np.mean(values[side])))
