"""The pass loop: when it stops, and what its windows hold."""

from __future__ import annotations

import time

import pytest
from scipy import stats

from harness.worker.job import Measure
from harness.worker.measure import relative_half_width, run_pass, student_t


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


def test_steady_samples_stop_at_the_minimum() -> None:
    found = run_pass("latency", lambda: {"latency_ms": 2.0}, settings())
    assert found.stopped_by == "interval"
    assert [len(window["latency_ms"]) for window in found.windows] == [5, 5, 5, 5]
    assert found.half_width == 0.0


def test_scattered_samples_stop_at_the_maximum() -> None:
    values = iter(range(1, 1000))
    found = run_pass("latency", lambda: {"latency_ms": float(next(values))}, settings(maximum_samples=23))
    assert found.stopped_by == "samples"
    assert [len(window["latency_ms"]) for window in found.windows] == [5, 5, 5, 5, 3]
    assert found.half_width is not None
    assert found.half_width > 0.01


def test_the_time_limit_cuts_a_window_short() -> None:
    def slow() -> dict[str, float]:
        time.sleep(0.02)
        return {"latency_ms": 20.0}

    found = run_pass("latency", slow, settings(maximum_seconds=0.05))
    assert found.stopped_by == "seconds"
    assert len(found.windows) == 1
    assert 1 <= len(found.windows[0]["latency_ms"]) < 5
    assert found.half_width is None


def test_each_sample_has_its_start_and_unmeasured_columns_are_null() -> None:
    first = time.time_ns()
    calls: list[str] = []

    def sample() -> dict[str, float]:
        calls.append("sample")
        return {"latency_ms": 1.0, "host_ms": 3.0}

    found = run_pass("cold_l2", sample, settings(), clock="gpu", before=lambda: calls.append("before"))
    starts = [start for window in found.windows for start in window["start_ns"]]
    assert first <= starts[0]
    assert starts == sorted(starts)
    assert {window["pass"] for window in found.windows} == {"cold_l2"}
    assert {window["clock"] for window in found.windows} == {"gpu"}
    assert found.windows[0]["host_ms"] == [3.0] * 5
    assert found.windows[0]["enqueue_ms"] is None
    # One sample of warm-up even at zero seconds, and the flush before each.
    assert calls == ["before", "sample"] * (len(starts) + 1)
