"""The plain rolling rule that change points were also looked for by (``change_points.py``): not in force.

A shift is seen in the night in which, of the last nights, enough lie on one side of the level before.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from harness.analysis.statistics.level_shifts import BEFORE, FIRST, FLOOR, Shift, scatter_before
from harness.analysis.statistics.levels import Values

AFTER_SHIFT = 5
"""Nights of a new level that make it one; its scatter is known from before."""


@dataclass(frozen=True)
class Rule:
    """A window that shows a shift: of *nights*, *beyond* lie on one side by more than *limit* scatters."""

    nights: int
    beyond: int
    limit: float


RULES = (Rule(5, 5, 2.2), Rule(9, 7, 1.6), Rule(14, 10, 1.35), Rule(21, 15, 1.15))
"""Two of nine nights, and more of longer windows, may be anything: neighbours come and go."""


def rolling_shifts(values: Values, floor: float = FLOOR, rules: tuple[Rule, ...] = RULES) -> list[Shift]:
    """Return the shifts in *values*, in order; a night that is added changes none that was seen before.

    :param values: one a night: logarithms, or anything whose differences matter; shape (nights,)
    :param floor: least scatter that is believed, in their unit
    """
    values = np.asarray(values, dtype=np.float64)
    scatter = np.maximum(scatter_before(values), floor)
    found: list[Shift] = []
    begin = 0
    while (shift := _first(values, scatter, begin, AFTER_SHIFT if found else FIRST, rules)) is not None:
        if not (found and _goes_on(found[-1], shift)):
            found.append(shift)
        # the first nights of a shift that was seen late may be of the level before
        begin = max(shift.index, shift.seen - AFTER_SHIFT)
    return found


def _goes_on(last: Shift, shift: Shift) -> bool:
    """Whether *shift* is the rest of *last*, which good luck let be seen before most of its nights."""
    return shift.up is last.up and shift.seen - last.seen < FIRST


def _before(values: Values, least: int) -> Values:
    """Return the median of up to :data:`BEFORE` values before each, NaN for fewer than *least*."""
    found: Values = np.full(values.size, np.nan)
    for at in range(max(least, 1), min(BEFORE, values.size)):
        found[at] = np.median(values[:at])
    if values.size > BEFORE:
        found[BEFORE:] = np.median(sliding_window_view(values, BEFORE), axis=1)[:-1]
    return found


def _first(values: Values, scatter: Values, begin: int, least: int, rules: tuple[Rule, ...]) -> Shift | None:
    """Return the shift after *begin* that is seen first, None for none."""
    own, known = values[begin:], scatter[begin:]
    level = _before(own, least)
    best: Shift | None = None
    for rule in rules:
        at = _seen(own, level, known, rule)
        if at is not None and (best is None or at + rule.nights - 1 < best.seen):
            up = bool(np.median(own[at : at + rule.nights]) > level[at])
            best = Shift(_start(own, level[at], at, rule), at + rule.nights - 1, up)
    return None if best is None else replace(best, index=best.index + begin, seen=best.seen + begin)


def _seen(values: Values, level: Values, scatter: Values, rule: Rule) -> int | None:
    """Return the first night of the first window that shows a shift by *rule*, None for none."""
    if values.size < rule.nights:
        return None
    ordered = np.sort(sliding_window_view(values, rule.nights), axis=1)
    count = ordered.shape[0]
    before = np.minimum(np.maximum(np.arange(count), 1), BEFORE)
    # a level of few nights is itself not well known
    limit = rule.limit * scatter[:count] * np.sqrt(1 + rule.nights / before)
    low, high = ordered[:, rule.nights - rule.beyond], ordered[:, rule.beyond - 1]
    with np.errstate(invalid="ignore"):
        beyond: NDArray[np.bool_] = (low > level[:count] + limit) | (high < level[:count] - limit)
    places = np.flatnonzero(beyond)
    return int(places[0]) if places.size else None


def _start(values: Values, level: float, at: int, rule: Rule) -> int:
    """Return the night of the window at *at* from which on it lies farthest from the level before.

    Farthest for the number of nights, by their mean; a bad night counts as the middle one at most.
    """
    own = values[at : at + rule.nights] - level
    middle = float(np.median(own))
    drawn_in = np.minimum(own * np.sign(middle), abs(middle))
    nights = np.arange(own.size, 0, -1)
    return at + int(np.argmax(np.cumsum(drawn_in[::-1])[::-1] / np.sqrt(nights)))
