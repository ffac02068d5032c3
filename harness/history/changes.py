"""Where series changed, by how much, and which fact of the night changed with it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from harness.analysis.statistics.differences import Difference, difference
from harness.analysis.statistics.level_shifts import FLOOR, Shift, level_shifts, scatter_before
from harness.analysis.statistics.levels import Values
from harness.analysis.statistics.spreads import spread
from harness.history.records import ChangePoint, Point, Series

SHOWN = 0.95
"""Confidence of the interval of a change's size."""

_BAD_NIGHT = 4.0
"""Scatters from the level beyond which a night tells nothing of it."""


def with_changes(series: Iterable[Series]) -> tuple[Series, ...]:
    """Return *series*, each with its change points."""
    return tuple(replace(one, changes=change_points(one)) for one in series)


def change_points(series: Series) -> tuple[ChangePoint, ...]:
    """Return where the level of *series* moved, oldest first."""
    values, floor = scale(series)
    shifts = level_shifts(values, floor)
    limits = [0, *(shift.index for shift in shifts), values.size]
    scatter = np.maximum(scatter_before(values), floor)
    return tuple(
        _change(series, values, shift, limits[at], limits[at + 2], float(scatter[shift.seen]))
        for at, shift in enumerate(shifts)
    )


def scale(series: Series) -> tuple[Values, float]:
    """Return the values whose differences matter, and the least scatter of a night to believe in.

    Logarithms where levels are compared by their ratio, else the values themselves.
    """
    values = np.array([point.value for point in series.points], dtype=np.float64)
    if _by_ratio(series):
        return np.log(values), FLOOR
    # shares of few convolutions and counts of layers move in steps of one
    size = 1.0 if series.unit in ("share", "count") else float(np.median(np.abs(values)))
    return values, max(FLOOR * size, float(np.finfo(np.float64).tiny))


def _by_ratio(series: Series) -> bool:
    return series.relative and all(point.value > 0 for point in series.points)


def _change(
    series: Series, values: Values, shift: Shift, begin: int, end: int, scatter: float
) -> ChangePoint:
    old, new = _usual(values[begin : shift.index], scatter), _usual(values[shift.index : end], scatter)
    rows = np.full((2, max(old.size, new.size)), np.nan)
    rows[0, : old.size], rows[1, : new.size] = old, new
    found: Difference = difference(rows, spread(rows), 0, 1)
    shown = found.ratio(SHOWN) if _by_ratio(series) else found.interval(SHOWN)
    first = series.points[shift.index]
    return ChangePoint(
        index=shift.index,
        night=first.night,
        started=first.started,
        seen=shift.seen,
        size=shown.estimate,
        low=shown.low,
        high=shown.high,
        facts=_facts(series.points, shift.index),
    )


def _usual(values: Values, scatter: float) -> Values:
    """Return *values* without nights far from their middle."""
    kept = values[np.abs(values - np.median(values)) <= _BAD_NIGHT * scatter]
    return kept if kept.size > 1 else values


def _facts(points: tuple[Point, ...], index: int) -> tuple[str, ...]:
    """Return what changed with the level: in that night, else in the night before or after it."""
    for at in (index, index - 1, index + 1):
        if 0 < at < len(points) and (said := points[at].facts.differences(points[at - 1].facts)):
            return said
    return ()
