"""Paths of the plots: every night is on its line, where its value is."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.report.trends.plots import HEIGHT, WIDTH, Span, plot, scale_of
from tests.report.trends.series import FIRST, series

VALUES = st.lists(st.none() | st.floats(-1e6, 1e6), min_size=1, max_size=40).filter(
    lambda found: any(value is not None for value in found)
)


def places(path: str) -> list[tuple[int, int]]:
    """Return the points of a path of moves and relative steps."""
    found = []
    for part in path.split("M")[1:]:
        start, _, steps = part.partition("l")
        x, y = map(int, start.split())
        found.append((x, y))
        numbers = list(map(int, re.findall(r"-?\d+", steps)))
        for dx, dy in zip(numbers[::2], numbers[1::2], strict=True):
            x, y = x + dx, y + dy
            found.append((x, y))
    return found


@given(VALUES)
def test_every_night_is_on_the_line(values: list[float | None]) -> None:
    made = series(values)
    span = Span(FIRST, FIRST + timedelta(days=len(values) - 1))
    scale = scale_of(made.points)
    drawn = places(plot(made, span, scale).line)
    for point in made.points:
        wanted = (span.x(point.started), round(HEIGHT * (1 - scale.place(point.value))))
        assert wanted in drawn
    assert all(0 <= x <= WIDTH + 1 and 0 <= y <= HEIGHT for x, y in drawn)


def test_a_line_is_interrupted_where_nights_are_missing() -> None:
    made = series([1.0, 1.1, None, 1.0, 1.2, *[None] * 9, 1.0, 1.1])
    line = plot(made, Span(FIRST, made.points[-1].started), scale_of(made.points)).line
    assert line.count("M") == 2


@pytest.mark.parametrize("value", [0.0, -3.0, 5.0])
def test_one_night_is_a_dot_in_the_middle(value: float) -> None:
    made = series([value])
    found = plot(made, Span(FIRST, FIRST), scale_of(made.points))
    assert found.dot[0] == WIDTH // 2
    assert 0 < found.dot[1] <= HEIGHT
