from __future__ import annotations

import time

import pytest

from harness.execution.progress import Clock, spoken


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.2, "1 s"), (40, "40 s"), (89.4, "89 s"), (95, "2 min"), (360, "6 min"), (7800, "2 h 10 min")],
)
def test_times_are_said_as_people_say_them(seconds: float, said: str) -> None:
    assert spoken(seconds) == said


def test_a_line_counts_and_the_last_one_leaves_nothing() -> None:
    clock = Clock(10)
    first = clock.step("round 1/3  a", "ok")
    assert first.startswith("[ 1/10] round 1/3  a")
    assert "left" in first
    for _ in range(8):
        clock.step("x", "ok")
    assert clock.step("b", "failed") == "[10/10] b  FAILED"


def test_what_is_left_is_as_slow_as_what_was_done(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    clock = Clock(4)
    now[0] += 30
    assert clock.step("a", "ok") == "[1/4] a  about 2 min left"
    now[0] += 10
    assert clock.step("b", "invalid") == "[2/4] b  INVALID  about 40 s left"
    now[0] += 2000
    assert clock.step("c", "ok") == "[3/4] c  about 11 min left"
    assert clock.step("d", "ok") == "[4/4] d"


@pytest.mark.parametrize(
    ("seconds", "said"), [(90, "2 min"), (5369, "89 min"), (5400, "1 h 30 min"), (7200 + 240, "2 h 04 min")]
)
def test_where_minutes_and_hours_begin(seconds: float, said: str) -> None:
    assert spoken(seconds) == said
