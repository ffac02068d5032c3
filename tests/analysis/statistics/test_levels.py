"""Builds of one side, and what drifts over the rounds."""

from __future__ import annotations

import numpy as np
import pytest

from harness.analysis.statistics.levels import build_mean_log, drift


def test_side_is_mean_and_unbiased_variance_of_logarithms() -> None:
    side = build_mean_log([0.5, 2.0])
    assert side.mean_log == pytest.approx(0.0)
    assert side.variance == pytest.approx(2 * np.log(2) ** 2)
    assert (side.builds, side.mean) == (2, pytest.approx(1.0))
    assert build_mean_log([3.0]).variance is None


def test_drift_is_a_slope_a_round_and_ignores_one_outlier() -> None:
    rounds = np.exp(0.01 * np.arange(6))
    assert drift(rounds) == pytest.approx(0.01)
    rounds[3] *= 2
    assert drift(rounds) == pytest.approx(0.01, abs=0.003)
    assert drift([1.0, 2.0]) is None
    assert drift([]) is None
