"""A pass: when it stops, and what its slices hold."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from scipy import stats

from harness.worker.job import Measure
from harness.worker.measure import Pass
from harness.worker.stopping import PassEnd, measure_pass, relative_half_width, student_t


def settings(**changes: object) -> Measure:
    """Settings without warm-up that stop at the minimum unless *changes* say otherwise."""
    base = {
        "warmup_seconds": 0.0,
        "minimum_samples": 20,
        "maximum_samples": 100,
        "maximum_seconds": 30.0,
        "relative_half_width": 0.01,
        "windows": 4,
        "profile_iterations": 0,
        "passes": [],
    }
    return Measure({**base, **changes})


@pytest.mark.parametrize("freedom", [1, 2, 4, 9, 29, 30, 31, 60, 400])
def test_student_t_is_that_of_scipy(freedom: int) -> None:
    assert student_t(freedom) == pytest.approx(stats.t.ppf(0.975, freedom), rel=5e-5)


def test_half_width_is_that_of_scipy() -> None:
    means = [1.0, 1.2, 0.9, 1.1, 1.05]
    low, high = stats.t.interval(0.95, 4, loc=stats.tmean(means), scale=stats.sem(means))
    assert relative_half_width(means) == pytest.approx((high - low) / 2 / stats.tmean(means), rel=1e-4)
    assert relative_half_width(means[:1]) is None


def measured(sample: Callable[[], dict[str, float]], **changes: object) -> tuple[Pass, PassEnd]:
    """Measure a pass over *sample* until it stops."""
    one = Pass("latency", sample)
    return one, measure_pass(one.take, settings(**changes))


def sizes(one: Pass) -> list[int]:
    """Return the number of samples of each slice."""
    return [len(taken["latency_ms"]) for taken in one.slices]


def test_steady_samples_stop_at_the_minimum() -> None:
    one, end = measured(lambda: {"latency_ms": 2.0})
    assert (end.stopped_by, end.half_width) == ("interval", 0.0)
    assert sizes(one) == [5, 5, 5, 5]


def test_scattered_samples_stop_at_the_maximum() -> None:
    values = iter(range(1, 1000))
    one, end = measured(lambda: {"latency_ms": float(next(values))}, maximum_samples=23)
    assert end.stopped_by == "samples"
    assert sizes(one) == [5, 5, 5, 5, 3]
    assert end.half_width is not None
    assert end.half_width > 0.01


def test_the_time_limit_cuts_a_slice_short() -> None:
    def slow() -> dict[str, float]:
        time.sleep(0.02)
        return {"latency_ms": 20.0}

    one, end = measured(slow, maximum_seconds=0.05)
    assert (end.stopped_by, end.half_width) == ("seconds", None)
    assert len(one.slices) == 1
    assert 1 <= sizes(one)[0] < 5


def test_a_slice_has_at_least_what_is_asked_for_however_long_it_takes() -> None:
    one = Pass("latency", lambda: {"latency_ms": 1.0})
    assert len(one.take(0.0, 3, 10)["latency_ms"]) == 3
    assert len(one.take(60.0, 1, 4)["latency_ms"]) == 4
    assert one.values("latency_ms") == [1.0] * 7


def test_each_sample_has_its_start_and_unmeasured_columns_are_null() -> None:
    first = time.time_ns()
    calls: list[str] = []

    def sample() -> dict[str, float]:
        calls.append("sample")
        return {"latency_ms": 1.0, "host_ms": 3.0}

    one = Pass("cold_l2", sample, clock="gpu", before=lambda: calls.append("before"))
    assert one.warm_up(0.0) == 1  # one inference even at zero seconds
    taken = one.take(60.0, 1, 5, settle=2)
    assert first <= taken["start_ns"][0]
    assert taken["start_ns"] == sorted(taken["start_ns"])
    assert taken["clock"] == "gpu"
    assert (taken["host_ms"], taken["enqueue_ms"]) == ([3.0] * 5, None)
    # What is not counted is flushed before, too.
    assert calls == ["before", "sample"] * (1 + 2 + 5)
