"""Change points of series: how large, how sure, and which fact of the night changed with them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from harness.history.changes import change_points, with_changes
from harness.history.records import Facts, Point, Series, Subject
from tests.history.composed import FIRST

SUBJECT = Subject("mobilenet_v2", "fp32-b1-clip", "tensorrt", "8.6.1", "docker", "host-a")


def series(values: list[float], measure: str = "latency", unit: str = "ms") -> Series:
    points = [
        Point(f"run-{at}", FIRST + timedelta(days=at), value, None, None, (value,), Facts(driver="535.1"))
        for at, value in enumerate(values)
    ]
    return Series(SUBJECT, measure, unit, tuple(points))


def noisy(level: float, nights: int, seed: int = 1) -> list[float]:
    return [float(x) for x in level * np.exp(np.random.default_rng(seed).normal(0.0, 0.004, nights))]


def test_a_slower_driver_is_named_with_its_size() -> None:
    one = series([*noisy(2.0, 40), *noisy(2.1, 20, 2)])
    later = [replace(p, facts=Facts(driver="550.2")) if at >= 40 else p for at, p in enumerate(one.points)]
    (told,) = with_changes([replace(one, points=tuple(later))])
    (change,) = told.changes
    assert (change.index, change.night, change.facts) == (40, "run-40", ("driver 535.1 -> 550.2",))
    assert change.low < 1.05 < change.high
    assert change.high - change.low < 0.01
    (unknown,) = change_points(one)
    assert unknown.facts == ()


def test_a_bad_night_is_not_in_the_size() -> None:
    values = [*noisy(2.0, 40), *noisy(2.1, 20, 2)]
    values[20] = values[50] = 4.0
    (change,) = change_points(series(values))
    assert change.size == pytest.approx(1.05, abs=0.005)


def test_shares_and_costs_are_told_by_their_difference() -> None:
    (change,) = change_points(series([0.0] * 20 + [1.0] * 10, "adoption:gemm", "share"))
    assert (change.index, change.size) == (20, 1.0)
    (cost,) = change_points(series([0.2] * 20 + [-0.1] * 10, "cost:relu6"))
    assert cost.size == pytest.approx(-0.3)
    assert change_points(series([0.0] * 30, "cost:relu6")) == ()
