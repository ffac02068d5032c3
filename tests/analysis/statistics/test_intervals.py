"""The intervals against numbers worked by hand, by SciPy, and against their promise."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from harness.analysis.statistics.intervals import (
    Interval,
    one_side,
    ratio,
    welch_degrees,
    welch_probabilities,
)
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


POSITIVE = st.lists(st.floats(0.01, 100.0), min_size=2, max_size=6)


@given(POSITIVE, POSITIVE)
def test_a_ratio_turned_round_is_its_reciprocal(old: list[float], new: list[float]) -> None:
    """A law: who is called old decides the direction, not how sure the answer is."""
    forward, back = ratio(old, new), ratio(new, old)
    assert forward is not None
    assert back is not None
    assert back.interval.estimate == pytest.approx(1 / forward.interval.estimate)
    assert np.log(back.interval.low) == pytest.approx(-np.log(forward.interval.high), abs=1e-9)
    assert back.p == pytest.approx(forward.p)
    assert back.builds == forward.builds[::-1]


@given(POSITIVE, POSITIVE, st.sampled_from([1e-3, 1e3]))
def test_the_unit_of_the_builds_does_not_matter(old: list[float], new: list[float], unit: float) -> None:
    one, scaled = ratio(old, new), ratio([x * unit for x in old], [x * unit for x in new])
    assert one is not None
    assert scaled is not None
    assert scaled.interval.estimate == pytest.approx(one.interval.estimate)
    assert scaled.standard_error == pytest.approx(one.standard_error, abs=1e-9)


@given(POSITIVE)
def test_an_interval_holds_its_estimate_and_widens_with_the_confidence(values: list[float]) -> None:
    usual, wider = one_side(values), one_side(values, 0.99)
    assert usual is not None
    assert wider is not None
    assert usual.low <= usual.estimate * (1 + 1e-12)
    assert usual.estimate <= usual.high * (1 + 1e-12)
    assert wider.low <= usual.low
    assert wider.high >= usual.high


def test_builds_without_spread_have_the_degrees_of_both_sides() -> None:
    """f1 + f2, with sides of different sizes."""
    assert welch_degrees(Side(0.0, 0.0, 3), Side(0.0, 0.0, 6)) == 7.0


def test_a_wider_confidence_is_kept_with_the_ratio() -> None:
    usual, wider = ratio([1.0, 1.1], [1.2, 1.3]), ratio([1.0, 1.1], [1.2, 1.3], confidence=0.99)
    assert usual is not None
    assert wider is not None
    assert (usual.confidence, wider.confidence) == (0.95, 0.99)
    for found in (usual, wider):
        assert np.log(found.interval.high / found.interval.estimate) == pytest.approx(found.half_width)
    assert wider.half_width > usual.half_width


def test_a_quantile_is_student_t() -> None:
    found = ratio([1.0, 1.1, 1.05], [1.2, 1.3])
    assert found is not None
    assert found.quantile(0.9) == pytest.approx(stats.t.ppf(0.9, found.degrees))


def test_one_side_is_not_shifted_by_a_single_build() -> None:
    assert one_side(np.array([[0.4]])) is None


@given(
    st.lists(st.lists(st.floats(0.1, 10.0), min_size=3, max_size=3), min_size=1, max_size=4),
    st.lists(st.lists(st.floats(0.1, 10.0), min_size=4, max_size=4), min_size=1, max_size=4),
)
def test_probabilities_of_many_layers_are_those_of_welchs_test(
    old: list[list[float]], new: list[list[float]]
) -> None:
    count = min(len(old), len(new))
    a, b = np.array(old[:count]), np.array(new[:count])
    found = welch_probabilities(a, b)
    for row, here, there in zip(found, np.log(a), np.log(b), strict=True):
        if max(np.ptp(here), np.ptp(there)) > 1e-3:
            sides = [Side(float(x.mean()), float(x.var(ddof=1)), x.size) for x in (here, there)]
            degrees = welch_degrees(*sides)
            error = (here.var(ddof=1) / here.size + there.var(ddof=1) / there.size) ** 0.5
            t = abs(there.mean() - here.mean()) / error
            assert row == pytest.approx(2 * stats.t.sf(t, degrees), rel=1e-6, abs=1e-12)


@pytest.mark.parametrize(("new", "p"), [(2.0, 1.0), (2.02, 0.0), (1.0, 0.0)])
def test_without_any_spread_what_differs_at_all_is_sure(new: float, p: float) -> None:
    assert welch_probabilities(np.full((1, 3), 2.0), np.full((1, 3), new)).tolist() == [p]
