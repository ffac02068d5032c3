"""The decision table of what is material, line by line."""

from __future__ import annotations

import math

import numpy as np
import pytest

from harness.analysis.material import (
    ALARM,
    LIMIT,
    SHOWN,
    SlowBuilds,
    bottleneck_answer,
    latency_answer,
    settling_width,
    slow_side,
    smallest_seen,
)
from harness.analysis.statistics.differences import Difference
from harness.analysis.table import Change, State

PRESENT, ABSENT = State.PRESENT, State.ABSENT


def found(estimate: float, error: float = 0.001, degrees: float = 20.0) -> Difference:
    return Difference(np.array(estimate), np.array(error**2), np.array(degrees))


@pytest.mark.parametrize(
    ("estimate", "error", "change"),
    [
        (0.03, 0.001, Change.REGRESSED),
        (-0.03, 0.001, Change.REDUCED),
        (0.002, 0.001, Change.UNCHANGED),
        (0.012, 0.001, None),
        (0.0, 0.006, None),
        # beyond m at 95 %, not at the confidence of an alarm
        (LIMIT + 0.0023, 0.001, None),
        (LIMIT + 0.0030, 0.001, Change.REGRESSED),
    ],
)
def test_latency_by_its_interval(estimate: float, error: float, change: Change | None) -> None:
    assert latency_answer(found(estimate, error)).change is change


def test_what_is_material_is_the_policys() -> None:
    assert latency_answer(found(0.03), material=0.05).change is Change.UNCHANGED
    assert latency_answer(found(0.03), material=0.002).change is Change.REGRESSED


@pytest.mark.parametrize(
    ("d", "old", "new", "change"),
    [
        (0.04, PRESENT, PRESENT, Change.REGRESSED),
        (0.04, ABSENT, PRESENT, Change.REGRESSED),
        (0.04, None, None, Change.REGRESSED),
        (0.04, ABSENT, ABSENT, None),
        (-0.04, ABSENT, ABSENT, None),
        (-0.04, PRESENT, ABSENT, Change.REMOVED),
        (-0.04, PRESENT, PRESENT, Change.REDUCED),
        (-0.04, PRESENT, None, Change.REDUCED),
        (-0.04, None, ABSENT, Change.REDUCED),
        (0.0, ABSENT, ABSENT, Change.UNCHANGED),
        (0.0, PRESENT, ABSENT, Change.UNCHANGED),
        (0.011, PRESENT, PRESENT, None),
    ],
)
def test_a_bottleneck_by_d(d: float, old: State | None, new: State | None, change: Change | None) -> None:
    assert bottleneck_answer(found(d), old, new).change is change


def test_a_small_cost_that_doubles_is_no_regression() -> None:
    assert bottleneck_answer(found(0.002, 0.0001), ABSENT, ABSENT).change is Change.UNCHANGED


def test_slow_builds_are_told_beside_the_rest() -> None:
    old, new = SlowBuilds(0, 10), SlowBuilds(1, 10, (0.201, 0.201))
    said = latency_answer(found(0.0), slow=(old, new))
    assert said.change is Change.UNCHANGED
    assert said.reason.endswith("new: 1 of 10 builds is 20.1 % slower than the rest")


@pytest.mark.parametrize("turned", [False, True])
def test_many_slow_builds_of_one_side_are_not_called_unchanged(turned: bool) -> None:
    slow = (SlowBuilds(0, 5), SlowBuilds(2, 5, (0.02, 0.2)))
    said = latency_answer(found(0.0), slow=slow[::-1] if turned else slow)
    assert said.change is None
    assert "2 of 5 builds are 2.0 to 20.0 % slower than the rest" in said.reason
    # a change of the rest is one all the same
    assert latency_answer(found(0.03), slow=slow).change is Change.REGRESSED


def test_how_slow_is_counted_from_the_rest() -> None:
    logs = np.log(np.array([1.0, 1.0, 1.2, np.nan]))
    told = slow_side(logs, np.array([False, False, True, False]))
    assert (told.count, told.of) == (1, 3)
    assert told.by == pytest.approx((0.2, 0.2))
    assert slow_side(logs, np.zeros(4, dtype=np.bool_)).words == ""


def test_the_smallest_change_seen_is_seen_as_often_as_it_says() -> None:
    rng = np.random.default_rng(1)
    error, degrees, draws = 0.004, 12, 20000
    seen = np.sqrt(error**2 * rng.chisquare(degrees, draws) / degrees)
    promised = np.median([smallest_seen(found(0.0, float(x), degrees)) for x in seen[:500]])
    estimates = promised + rng.normal(0, error, draws)
    half = found(0.0, 1.0, degrees).half_width(ALARM) * seen
    assert 0.75 < np.mean(estimates - half > LIMIT) < 0.90


def test_alarms_stay_under_one_per_cent_up_to_a_change_of_m_itself() -> None:
    rng = np.random.default_rng(2)
    error, degrees, draws = 0.004, 8, 40000
    seen = np.sqrt(error**2 * rng.chisquare(degrees, draws) / degrees)
    half = found(0.0, 1.0, degrees).half_width(ALARM) * seen
    for truth in (0.0, LIMIT / 2, LIMIT):
        estimates = truth + rng.normal(0, error, draws)
        assert np.mean(estimates - half > LIMIT) <= 0.01


def test_what_would_settle_is_the_distance_to_the_margin() -> None:
    assert settling_width(found(0.004)) == (pytest.approx(LIMIT - 0.004), SHOWN)
    assert settling_width(found(-0.02)) == (pytest.approx(0.02 - LIMIT), ALARM)
    assert settling_width(found(LIMIT))[0] == 0.0
    assert math.expm1(LIMIT) == pytest.approx(0.01)


def test_each_answer_says_its_numbers_and_what_was_set_aside() -> None:
    slow = (SlowBuilds(1, 5, (0.05, 0.05)), SlowBuilds(2, 5, (0.02, 0.2)))
    beside = (
        "; old: 1 of 5 builds is 5.0 % slower than the rest"
        "; new: 2 of 5 builds are 2.0 to 20.0 % slower than the rest"
    )
    t = 2.086  # Student's t at 95 % with 20 degrees of freedom
    for estimate, change in ((0.03, Change.REGRESSED), (-0.03, Change.REDUCED), (0.0, Change.UNCHANGED)):
        said = latency_answer(found(estimate), slow=slow)
        low, middle, high = (math.exp(estimate + x * t * 0.001) for x in (-1, 0, 1))
        assert said.change is change
        numbers = f"{middle:.4f} times ({low:.4f} to {high:.4f})"
        assert said.reason.startswith(numbers)
        assert beside in said.reason
        cost = bottleneck_answer(found(estimate), PRESENT, PRESENT, slow=slow)
        span = f"{100 * (estimate - t * 0.001):+.2f} to {100 * (estimate + t * 0.001):+.2f}"
        assert cost.reason.startswith(f"{100 * estimate:+.2f} % of the old layer time ({span}){beside}")
