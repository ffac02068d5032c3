from __future__ import annotations

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
