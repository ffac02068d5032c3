"""Lines over the nights as paths of SVG: coordinates are whole numbers, steps relative to the point before.

A year of nights is then some kilobytes a line.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median

from harness.history.records import Point, Series
from harness.report.scale import Scale

WIDTH, HEIGHT = 6000, 600
"""Units of a plot's view box; ten of them are a pixel at its usual size."""

GAP = 3.5
"""A line is interrupted where so many usual distances of nights are missing."""


@dataclass(frozen=True)
class Span:
    """The time that all plots of a page show. :param first, last: nights"""

    first: datetime
    last: datetime

    def x(self, at: datetime) -> int:
        """Return where *at* lies, 0 .. WIDTH; in the middle of a page of one night."""
        whole = (self.last - self.first).total_seconds()
        return WIDTH // 2 if whole <= 0 else round(WIDTH * (at - self.first).total_seconds() / whole)


@dataclass(frozen=True)
class Mark:
    """A change in a plot. :param x: of its first night"""

    x: int
    kind: str
    text: str


@dataclass(frozen=True)
class Plot:
    """One series.

    :param line, band, levels: paths: values, their intervals, the level between changes
    :param dot: place of the last night
    """

    line: str
    band: str
    levels: str
    dot: tuple[int, int]


def scale_of(points: Sequence[Point]) -> Scale:
    """Return a scale that holds the values; intervals may leave it by as much as the values span."""
    values = [point.value for point in points]
    low, high = min(values), max(values)
    span = high - low or abs(low) * 0.02 or 1.0
    ends = [end for point in points for end in (point.low, point.high) if end is not None]
    kept = [min(max(end, low - span), high + span) for end in ends]
    return Scale.over([*values, *kept], count=4)


def plot(series: Series, span: Span, scale: Scale) -> Plot:
    """Return the plot of *series* on *scale*."""
    points = series.points
    xs = [span.x(point.started) for point in points]
    ys = [_y(point.value, scale) for point in points]
    runs = _runs(points)
    line = "".join(_path([(xs[i], ys[i]) for i in run]) for run in runs)
    return Plot(
        line,
        "".join(_band(points, xs, scale, run) for run in runs),
        _levels(series, xs, scale),
        (xs[-1], ys[-1]),
    )


def _y(value: float, scale: Scale) -> int:
    place = scale.place(value)
    return round(HEIGHT * (1 - min(max(place, 0.0), 1.0))) if math.isfinite(place) else HEIGHT


def _runs(points: Sequence[Point]) -> list[list[int]]:
    """Return the places of points that a line joins: no more is missing between them than usual."""
    steps = [(b.started - a.started).total_seconds() for a, b in itertools.pairwise(points)]
    most = GAP * median(steps) if steps else 0.0
    runs = [[0]]
    for place, step in enumerate(steps, start=1):
        if step > most:
            runs.append([])
        runs[-1].append(place)
    return runs


def _path(places: Sequence[tuple[int, int]]) -> str:
    (x, y), parts = places[0], [f"M{places[0][0]} {places[0][1]}l"]
    if len(places) == 1:
        parts.append("1 0")  # A night on its own is a dot, by its round ends.
    for there in places[1:]:
        parts.append(_step(there[0] - x) + _step(there[1] - y))
        x, y = there
    return parts[0] + "".join(parts[1:]).lstrip()


def _step(value: int) -> str:
    return str(value) if value < 0 else f" {value}"


def _band(points: Sequence[Point], xs: Sequence[int], scale: Scale, run: Sequence[int]) -> str:
    ends = [(i, p.low, p.high) for i in run if (p := points[i]).low is not None and p.high is not None]
    if len(ends) < 2:
        return ""
    upper = [(xs[i], _y(high, scale)) for i, _, high in ends if high is not None]
    lower = [(xs[i], _y(low, scale)) for i, low, _ in ends if low is not None]
    return _path([*upper, *reversed(lower)]) + "z"


def _levels(series: Series, xs: Sequence[int], scale: Scale) -> str:
    ends = [0, *(change.index for change in series.changes), len(series.points)]
    parts = []
    for first, last in itertools.pairwise(ends):
        if last > first and len(ends) > 2:
            y = _y(median(point.value for point in series.points[first:last]), scale)
            parts.append(f"M{xs[first]} {y}H{xs[last - 1]}")
    return "".join(parts)
