"""Values of builds on the logarithm, and their drift over rounds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

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


@given(st.lists(st.floats(1e-3, 1e3), min_size=3, max_size=12))
def test_drift_is_what_scipy_says(values: list[float]) -> None:
    assert drift(values) == pytest.approx(float(stats.theilslopes(np.log(values)).slope), abs=1e-12)


@given(st.lists(st.floats(1e-6, 1e6), min_size=2, max_size=40))
def test_mean_and_variance_are_those_of_numpy(values: list[float]) -> None:
    side, logs = build_mean_log(values), np.log(values)
    assert side.mean_log == pytest.approx(logs.mean(), abs=1e-12)
    assert side.variance == pytest.approx(logs.var(ddof=1), rel=1e-9, abs=1e-12)
