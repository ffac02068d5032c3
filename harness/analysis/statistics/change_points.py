"""Change points in a series of versions or days: where the level moved, and between which members."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from harness.analysis.statistics.intervals import Ratio, ratio
from harness.analysis.statistics.levels import Values
from harness.analysis.statistics.multiple import FALSE_DISCOVERIES

SMALLEST_STEP = 0.02
"""A level that moves by less is not cut there, however sure that is."""


@dataclass(frozen=True)
class ChangePoint:
    """A level that moved.

    :param index: first member of the series after the change
    :param change: level after / level before, over the members between the neighbouring change points
    :param p: probability, times the number of places it was looked for in (Bonferroni)
    """

    index: int
    change: Ratio
    p: float


def change_points(series: Sequence[Sequence[float] | Values]) -> list[ChangePoint]:
    """Return the change points of *series*, in order: binary segmentation with Welch's test over builds.

    A segment is cut where its two parts differ most surely, if they still do at 5 % for all places tried and
    by more than :data:`SMALLEST_STEP`; then both parts are looked at in turn. A part needs two builds, a
    member only one.

    :param series: values of the builds of each member (version, day), in order, one unit
    """
    members = [np.asarray(values, dtype=np.float64) for values in series]
    found = sorted(_cut(members, 0, len(members)), key=lambda point: point.index)
    limits = [0, *(point.index for point in found), len(members)]
    return [
        replace(point, change=_change(members, limits[i], point.index, limits[i + 2]) or point.change)
        for i, point in enumerate(found)
    ]


def _cut(members: Sequence[Values], begin: int, end: int) -> list[ChangePoint]:
    found: list[ChangePoint] = []
    for index in range(begin + 1, end):
        change = _change(members, begin, index, end)
        if change is not None:
            found.append(ChangePoint(index, change, min(1.0, change.p * (end - begin - 1))))
    # of equally sure places the larger step: builds without any spread make every place certain
    best = min(found, key=lambda x: (x.p, -abs(np.log(x.change.interval.estimate))), default=None)
    if best is None or best.p > FALSE_DISCOVERIES or _small(best.change.interval.estimate):
        return []
    return [*_cut(members, begin, best.index), best, *_cut(members, best.index, end)]


def _change(members: Sequence[Values], begin: int, index: int, end: int) -> Ratio | None:
    return ratio(np.concatenate(members[begin:index]), np.concatenate(members[index:end]))


def _small(effect: float) -> bool:
    return abs(effect - 1) <= SMALLEST_STEP
