"""A/A thresholds, the margin, the smallest detectable change, many questions at once."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from harness.analysis.statistics.intervals import Ratio, ratio, welch_probabilities
from harness.analysis.statistics.multiple import adjusted
from harness.analysis.statistics.thresholds import aa_threshold, margin, smallest_detectable


def found(noise: float, builds: int, seed: int = 0) -> Ratio:
    rng = np.random.default_rng(seed)
    answer = ratio(np.exp(rng.normal(0, noise, builds)), np.exp(rng.normal(0, noise, builds)))
    assert answer is not None
    return answer


def test_threshold_from_builds_is_the_99_per_cent_quantile_of_their_noise() -> None:
    r = found(0.016, 5)
    assert aa_threshold(r) == pytest.approx(1 - np.exp(-stats.t.ppf(0.995, r.degrees) * r.standard_error))


def test_one_in_a_hundred_aa_ratios_exceeds_the_threshold() -> None:
    beyond = 0
    for seed in range(2000):
        r = found(0.016, 5, seed)
        beyond += abs(r.interval.estimate - 1) > aa_threshold(r)
    assert beyond <= 40


def test_pairs_count_from_five_on() -> None:
    r = found(0.0005, 5)
    apart = [1.1, 0.9, 1.1, 0.9]
    assert aa_threshold(r, apart) == aa_threshold(r)
    spread = np.log([*apart, 1.0])
    expected = stats.t.ppf(0.995, 5) * np.sqrt(np.mean(spread**2))
    assert aa_threshold(r, [*apart, 1.0]) == pytest.approx(1 - np.exp(-expected))


def test_threshold_stays_below_one_however_large_the_noise() -> None:
    assert 0.9 < aa_threshold(found(3.0, 2)) < 1


def test_margin_is_at_least_two_per_cent() -> None:
    assert margin(0.001) == 0.02
    assert margin(0.05) == 0.05


def test_smallest_detectable_change_is_seen_four_times_of_five() -> None:
    rng = np.random.default_rng(11)
    noises = [found(0.016, 10, seed) for seed in range(200)]
    size = 1 + float(np.mean([smallest_detectable(x, margin(aa_threshold(x))) for x in noises]))
    assert size > 1.02
    seen = 0
    for _ in range(500):
        r = ratio(np.exp(rng.normal(0, 0.016, 10)), size * np.exp(rng.normal(0, 0.016, 10)))
        assert r is not None
        seen += r.interval.above(1 + margin(aa_threshold(r)))
    # four of five for builds whose spread is known; theirs is estimated anew each time
    assert 0.7 <= seen / 500 <= 0.9


def test_smallest_detectable_is_a_number_even_for_hopeless_builds() -> None:
    assert np.isfinite(smallest_detectable(found(20.0, 2), 0.9))


def test_adjusted_is_benjamini_hochberg_by_hand() -> None:
    # p(i) * n / i, made monotone from the largest down
    assert adjusted([0.04, None, 0.01, 0.03]) == [
        pytest.approx(0.04),
        None,
        pytest.approx(0.03),
        pytest.approx(0.04),
    ]
    assert adjusted([]) == []
    assert adjusted([None]) == [None]


def test_many_probabilities_are_those_of_one_at_a_time() -> None:
    rng = np.random.default_rng(7)
    old, new = np.exp(rng.normal(0, 0.02, (20, 3))), np.exp(rng.normal(0.02, 0.01, (20, 5)))
    together = welch_probabilities(old, new)
    for i in range(20):
        one = ratio(old[i], new[i])
        assert one is not None
        assert together[i] == pytest.approx(one.p)


def test_layers_without_any_spread_are_certain_or_equal() -> None:
    ones = np.ones((2, 3))
    assert list(welch_probabilities(ones, ones * [[1.0], [2.0]])) == [1.0, 0.0]
