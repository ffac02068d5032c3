"""Values of builds, windows, and what lies below the build."""

from __future__ import annotations

import numpy as np
import pytest

from harness.analysis.statistics.levels import (
    build_mean_log,
    build_value,
    drift,
    window_medians,
    within_build_interval,
)


def test_build_value_is_the_median() -> None:
    assert build_value([1.0, 1.1, 50.0]) == 1.1


@pytest.mark.parametrize("samples", [[], [1.0, float("nan")], [float("inf")]])
def test_a_build_without_usable_samples_is_refused(samples: list[float]) -> None:
    with pytest.raises(ValueError, match="at least one sample"):
        build_value(samples)


def test_side_is_mean_and_unbiased_variance_of_logarithms() -> None:
    side = build_mean_log([0.5, 2.0])
    assert side.mean_log == pytest.approx(0.0)
    assert side.variance == pytest.approx(2 * np.log(2) ** 2)
    assert (side.builds, side.mean) == (2, pytest.approx(1.0))
    assert build_mean_log([3.0]).variance is None


def test_windows_are_consecutive_and_use_every_sample() -> None:
    assert list(window_medians([1, 1, 2, 2, 3, 3, 3], 3)) == [1.0, 2.5, 3.0]
    with pytest.raises(ValueError, match="cannot be cut"):
        window_medians([1.0], 2)


def test_within_a_build_the_interval_covers_its_median() -> None:
    rng = np.random.default_rng(5)
    held = 0
    for number in range(200):
        low, high = within_build_interval(np.exp(rng.normal(0, 0.05, 400)), seed=number)
        held += low <= 1.0 <= high
    assert 180 <= held <= 200


def test_drift_is_a_slope_a_round_and_ignores_one_outlier() -> None:
    rounds = np.exp(0.01 * np.arange(6))
    assert drift(rounds) == pytest.approx(0.01)
    rounds[3] *= 2
    assert drift(rounds) == pytest.approx(0.01, abs=0.003)
    assert drift([1.0, 2.0]) is None
    assert drift([]) is None
