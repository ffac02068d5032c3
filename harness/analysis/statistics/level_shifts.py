"""Where the level of a long nightly series moved, judged night by night as the nights came.

Beside :mod:`harness.analysis.statistics.change_points`, which looks at a few versions with their builds, this
looks at one value a night over months: nights on which a machine had other things to do are common, and most
nights nothing changed. A split of the last nights is judged by what it gains in likeness: nights are as alike
as the normal kernel of their difference says, so that a night far out is unlike all others and no more
(S. Arlot, A. Celisse, Z. Harchaoui, A kernel multiple change-point algorithm via model selection, JMLR 20,
2019; the cost ``rbf`` of ruptures). docs/decisions/0007-nights.md says what it was held against.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from harness.analysis.statistics.levels import Values

Indices = NDArray[np.int_]

BEFORE = 56
"""Nights, at most, that the scatter of a night is made of."""

WINDOW = 77
"""Last nights that are looked at: whole weeks, and too few for a slow drift."""

FIRST = 10
"""Nights that a series needs before its scatter is known."""

LEAST = 4
"""Nights on either side of a split, at least."""

GAIN = 5.0
"""Likeness that a split gains, at least: 0.06 false alarms a series and year or fewer, in simulation."""

NEAR = 2
"""Nights that a split may move between the night that finds it and the one that confirms it."""

FLOOR = 0.0005
"""Least scatter of a night that is believed, of the logarithm: sizes and counts of one engine never vary."""

_BLOCK = 14
"""Nights for which one scatter is used."""


@dataclass(frozen=True)
class Shift:
    """A level that moved. :param index: its first night; :param seen: the night that confirmed it"""

    index: int
    seen: int
    up: bool = True


def level_shifts(values: Values, floor: float = FLOOR, gain: float = GAIN) -> list[Shift]:
    """Return the shifts in *values*, in order; a night that is added changes none that was seen before.

    A shift is seen in the second night in a row that finds it.

    :param values: one a night: logarithms, or anything whose differences matter; shape (nights,)
    :param floor: least scatter that is believed, in their unit
    """
    values = np.asarray(values, dtype=np.float64)
    scatter = np.maximum(scatter_before(values), floor)
    found: list[Shift] = []
    begin, before = 0, -1
    for likeness, first, ends in _likeness(values, scatter):
        while ends.size:
            places, gains = best_splits(likeness, max(begin - first, 0), ends - first)
            for done, (end, at, size) in enumerate(zip(ends, places + first, gains, strict=True), start=1):
                if size <= gain or before < 0 or abs(at - before) > NEAR:
                    before = int(at) if size > gain else -1
                    continue
                up = _rises(values[max(begin, first) : at], values[at:end])
                shift = Shift(int(at), int(end) - 1, up)
                if not (found and _goes_on(found[-1], shift)):
                    found.append(shift)
                begin, before = shift.index, -1
                ends = ends[done:]  # the nights after it belong to another level
                break
            else:
                break
    return found


def _likeness(values: Values, scatter: Values) -> Iterator[tuple[Values, int, Indices]]:
    """Yield the summed likeness of nights, the first of these, and the nights to look at, counted from 1.

    Summed over both axes, with a row and column of zeros first, so that any square is four numbers.
    """
    for block in range(0, values.size, _BLOCK):
        first, last = max(0, block + 1 - WINDOW), min(block + _BLOCK, values.size)
        known = max(block, FIRST)
        if known >= values.size:
            return
        own = values[first:last] / scatter[known]
        alike = np.exp(-0.5 * (own[:, None] - own[None, :]) ** 2)
        summed: Values = np.zeros((own.size + 1, own.size + 1))
        summed[1:, 1:] = alike.cumsum(axis=0).cumsum(axis=1)
        yield summed, first, np.arange(max(block, FIRST + LEAST), last) + 1


def best_splits(summed: Values, begin: int, ends: Indices) -> tuple[Indices, Values]:
    """Return where the nights from *begin* to before each of *ends* are best split, and what that gains.

    :param summed: as :func:`_likeness` yields it; not more than the last :data:`WINDOW` nights are looked at
    """
    begins, to = np.maximum(begin, ends - WINDOW)[:, None], ends[:, None]
    places = np.arange(int(begins.min()) + LEAST, int(ends.max()) - LEAST + 1)[None, :]
    if not places.size:
        return np.zeros(ends.shape, dtype=np.int_), np.zeros(ends.shape)
    allowed = (places >= begins + LEAST) & (places <= to - LEAST)
    diagonal = np.diagonal(summed)
    left = diagonal[places] - 2 * summed[begins, places] + diagonal[begins]
    right = diagonal[to] - 2 * summed[places, to] + diagonal[places]
    whole = diagonal[to] - 2 * summed[begins, to] + diagonal[begins]
    with np.errstate(divide="ignore", invalid="ignore"):
        gains = left / (places - begins) + right / (to - places) - whole / (to - begins)
    gains = np.where(allowed, gains, 0.0)
    best = gains.argmax(axis=1)
    return places[0, best], np.asarray(gains[np.arange(best.size), best])


def _rises(before: Values, after: Values) -> bool:
    return bool(np.median(after) > np.median(before))


def _goes_on(last: Shift, shift: Shift) -> bool:
    """Whether *shift* is the rest of *last*, which good luck let be seen before most of its nights."""
    return shift.up is last.up and shift.seen - last.seen < FIRST


def scatter_before(values: Values) -> Values:
    """Return the scatter of one night before each, NaN for the first ones.

    From the median step between neighbours, which no level shift and no bad night enters.
    """
    steps = np.abs(np.diff(values))
    found: Values = np.full(values.size, np.nan)
    for at in range(FIRST - 1, min(BEFORE, steps.size)):
        found[at + 1] = np.median(steps[:at])
    if steps.size > BEFORE:
        found[BEFORE + 1 :] = np.median(sliding_window_view(steps, BEFORE), axis=1)[:-1]
    found *= 1.4826 / np.sqrt(2.0)
    return found
