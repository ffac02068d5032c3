"""The intervals against numbers worked by hand, by SciPy, and against their promise."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from harness.analysis.statistics.intervals import Interval, one_side, ratio, welch_degrees
from harness.analysis.statistics.levels import Side


def test_one_side_is_student_t_on_logarithms() -> None:
    values = np.array([0.348, 0.368, 0.368, 0.378, 0.409])
    expected = stats.ttest_1samp(np.log(values), 0).confidence_interval(0.95)
    found = one_side(values)
    assert found is not None
    assert found.estimate == pytest.approx(stats.gmean(values))
    assert np.log([found.low, found.high]) == pytest.approx([expected.low, expected.high])


def test_ratio_has_welchs_standard_error_and_estimate() -> None:
    old, new = [0.439, 0.441, 0.428, 0.428], [0.348, 0.368, 0.378]
    found = ratio(old, new)
    assert found is not None
    scipy = stats.ttest_ind(np.log(new), np.log(old), equal_var=False)
    difference = np.log(new).mean() - np.log(old).mean()
    assert found.interval.estimate == pytest.approx(np.exp(difference))
    assert found.standard_error == pytest.approx(difference / scipy.statistic)
    assert found.builds == (4, 3)
    assert found.p < 0.01
    half = stats.t.ppf(0.975, found.degrees) * found.standard_error
    assert found.interval.high == pytest.approx(np.exp(difference + half))


def test_one_build_has_no_interval() -> None:
    assert one_side([0.4]) is None
    assert one_side([]) is None
    assert ratio([0.4], [0.3, 0.31]) is None
    assert ratio([0.4, 0.41], [0.3]) is None


@pytest.mark.parametrize("values", [[], [0.0, 1.0], [-1.0, 1.0], [float("nan"), 1.0], [float("inf"), 1.0]])
def test_values_without_a_logarithm_are_refused(values: list[float]) -> None:
    with pytest.raises(ValueError, match="positive and finite"):
        ratio(values, [1.0, 1.1])


@pytest.mark.parametrize(
    ("variances", "expected"),
    [
        ((1.0, 1.0), 4.0),  # (1 + 1)^2 / (2 / 3) - 2
        ((1.0, 0.0), 1.0),  # one side decides: its own builds - 1
        ((0.0, 0.0), 2.0),
        ((1e-300, 1e-300), 4.0),
    ],
)
def test_degrees_of_freedom_at_two_builds(variances: tuple[float, float], expected: float) -> None:
    old, new = (Side(0.0, v, 2) for v in variances)
    assert welch_degrees(old, new) == pytest.approx(expected)


def test_degrees_of_freedom_of_many_builds_are_scipys() -> None:
    rng = np.random.default_rng(3)
    a, b = np.exp(rng.normal(0, 0.01, 300)), np.exp(rng.normal(0, 0.04, 200))
    found = ratio(a, b)
    assert found is not None
    assert found.degrees == pytest.approx(stats.ttest_ind(np.log(a), np.log(b), equal_var=False).df, rel=0.02)


def test_sides_that_do_not_vary_differ_certainly_or_not_at_all() -> None:
    same, other = ratio([0.1, 0.1], [0.1, 0.1]), ratio([0.1, 0.1], [0.2, 0.2])
    assert same is not None
    assert other is not None
    assert (same.p, other.p) == (1.0, 0.0)
    assert other.interval == Interval(pytest.approx(2.0), pytest.approx(2.0), pytest.approx(2.0))


def test_interval_compares_with_limits() -> None:
    found = Interval(1.0, 0.9, 1.1)
    assert found.inside(0.9, 1.1)
    assert not found.inside(0.91, 1.1)
    assert found.below(1.11)
    assert not found.below(1.1)
    assert found.above(0.89)
    assert not found.above(0.9)


@pytest.mark.parametrize("builds", [2, 3, 5, 10])
def test_interval_holds_the_truth_as_often_as_it_says(builds: int) -> None:
    rng = np.random.default_rng(builds)
    held = 0
    for _ in range(1000):
        found = ratio(np.exp(rng.normal(0, 0.016, builds)), np.exp(rng.normal(0.1, 0.016, builds)))
        assert found is not None
        held += not (found.interval.above(np.exp(0.1)) or found.interval.below(np.exp(0.1)))
    assert 930 <= held <= 970
