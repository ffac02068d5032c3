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


def test_a_line_counts_and_the_last_block_leaves_nothing() -> None:
    clock = Clock(10)
    first = clock.step("round 1/3  a", "ok", later=5)
    assert first.startswith("[ 1/10] round 1/3  a")
    assert "left" in first
    for _ in range(8):
        clock.step("x", "ok")
    assert clock.step("b", "failed") == "[10/10] b  FAILED"
    assert clock.step("one more than was planned", "ok") == "[11/11] one more than was planned"


def test_blocks_to_come_are_as_slow_as_those_that_were(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    clock = Clock(6)
    now[0] += 60
    # The builds of a block end together: all but what has not begun are counted as done.
    assert clock.step("a", "ok", later=4) == "[1/6] a  about 2 min left"
    assert clock.step("b", "invalid", later=4) == "[2/6] b  INVALID  about 2 min left"
    now[0] += 60
    assert clock.step("c", "ok", later=2) == "[3/6] c  about 60 s left"
    now[0] += 2000
    assert clock.step("d", "ok") == "[4/6] d"


@pytest.mark.parametrize(
    ("seconds", "said"), [(90, "2 min"), (5369, "89 min"), (5400, "1 h 30 min"), (7200 + 240, "2 h 04 min")]
)
def test_where_minutes_and_hours_begin(seconds: float, said: str) -> None:
    assert spoken(seconds) == said
