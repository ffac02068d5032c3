"""What one series was on its nights, and the numbers that tonight is held against.

With an anchor every value is taken relative to the anchor's of the same night: latencies, and costs too.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, pvariance

import numpy as np

from harness.analysis.comparison import Comparison
from harness.analysis.grid import Grid
from harness.analysis.groups import BuildGroup
from harness.analysis.statistics.levels import Values
from harness.analysis.statistics.nights import Earlier


@dataclass(frozen=True)
class NightValue:
    """One series in one night.

    :param night: id of its run; :param day: UTC, for people
    :param values: ms, one a build: latencies, or costs as differences are made of them
    :param total: layer time, ms, mean over builds; None where it has none
    :param anchor: the anchor's latency in that night, ms, one a build; empty where it was not measured
    """

    night: str
    day: str
    values: tuple[float, ...]
    total: float | None = None
    anchor: tuple[float, ...] = ()


@dataclass(frozen=True)
class SeriesNights:
    """The nights that one series of tonight is held against, oldest first.

    :param level: those of its present level; :param before: earlier ones, which say how nights scatter
    :param chosen: places in *level* that are compared with; None for all
    :param differs: in words, which facts are not as in the last of them
    :param anchor: what the anchor is called, empty for none; :param no_anchor: why there is none
    :param same_engines: whether the anchor's engines are the same bytes in all of them
    """

    level: tuple[NightValue, ...]
    before: tuple[NightValue, ...] = ()
    chosen: tuple[int, ...] | None = None
    differs: tuple[str, ...] = ()
    anchor: str = ""
    no_anchor: str = ""
    same_engines: bool = False


@dataclass(frozen=True)
class Asked:
    """Tonight's series beside its earlier nights, as numbers.

    :param one: what is asked; :param found: its nights
    :param tonight: logarithm of its latency, or its cost as a share of the layer time of those nights
    """

    one: Comparison
    found: SeriesNights
    tonight: float
    earlier: Earlier


def asked_of(one: Comparison, found: SeriesNights, grid: Grid) -> Asked:
    """Return the numbers of one series. :param grid: tonight's, which may have its anchor"""
    anchor = anchor_values(grid, one.new, found.anchor)
    return _latency(one, found, anchor) if one.rule is None else _cost(one, found, anchor)


def anchor_values(grid: Grid, group: BuildGroup, anchor: str) -> tuple[float, ...]:
    """Return tonight's latencies of the anchor of *group*, ms, one a build; none where it was not measured.

    :param anchor: runtime and version: ``onnxruntime 1.18.1``
    """
    for other in grid.judged:
        same = other.cell.subject == group.cell.subject and other.host == group.host and not other.is_aa
        if anchor and same and version_of(other) == anchor:
            return other.series(None).values
    return ()


def version_of(group: BuildGroup) -> str:
    """Return what an anchor is called: runtime and version."""
    return f"{group.cell.runtime} {group.cell.version}"


def _latency(one: Comparison, found: SeriesNights, anchor: Sequence[float]) -> Asked:
    def value(values: Sequence[float], beside: Sequence[float]) -> float:
        return _mean_log(values) - _mean_log(beside if anchor else ())

    def error(values: Sequence[float], beside: Sequence[float]) -> float:
        return _squared_error(_logs(values)) + _squared_error(_logs(beside if anchor else ()))

    own = one.new.series(None).values
    level, before = (
        np.array([value(x.values, x.anchor) for x in nights]) for nights in (found.level, found.before)
    )
    excess = _excess(error(own, anchor), [error(x.values, x.anchor) for x in found.level])
    earlier = Earlier(level, before, found.chosen, excess, _degrees(own, anchor))
    return Asked(one, found, value(own, anchor), earlier)


def _cost(one: Comparison, found: SeriesNights, anchor: Sequence[float]) -> Asked:
    """Return a cost as a share of the layer time of the nights compared with, both in times of the anchor."""

    def scale(beside: Sequence[float]) -> float:
        return math.exp(_mean_log(beside)) if anchor else 1.0

    nights = found.level or found.before
    total = fmean(x.total / scale(x.anchor) for x in nights if x.total)

    def value(values: Sequence[float], beside: Sequence[float]) -> float:
        return fmean(values) / scale(beside) / total

    def error(values: Sequence[float], beside: Sequence[float]) -> float:
        own = _squared_error(values) / (scale(beside) * total) ** 2
        return own + value(values, beside) ** 2 * _squared_error(_logs(beside if anchor else ()))

    own = one.new.series(one.rule).signed
    level, before = (
        np.array([value(x.values, x.anchor) for x in some]) for some in (found.level, found.before)
    )
    excess = _excess(error(own, anchor), [error(x.values, x.anchor) for x in found.level])
    earlier = Earlier(level, before, found.chosen, excess, _degrees(own, anchor))
    return Asked(one, found, value(own, anchor), earlier)


def _logs(values: Sequence[float]) -> tuple[float, ...]:
    return tuple(math.log(value) for value in values)


def _mean_log(values: Sequence[float]) -> float:
    return fmean(_logs(values)) if values else 0.0


def _excess(tonight: float, nights: Sequence[float]) -> float:
    """Return by what variance tonight's mean over builds is less sure than a usual night's.

    A night of fewer builds, or one on which builds lay further apart, is known less well.
    """
    return max(0.0, tonight - (fmean(nights) if nights else 0.0))


def _degrees(own: Sequence[float], anchor: Sequence[float]) -> float:
    return float(max(1, min(len(values) for values in (own, anchor) if values) - 1))


def _squared_error(values: Sequence[float]) -> float:
    count = len(values)
    return pvariance(values) / (count - 1) if count > 1 else 0.0


def shares_of_nights(nights: Sequence[NightValue]) -> Values:
    """Return what a cost was of the layer time of its own night, for those that know it."""
    return np.array([max(fmean(x.values), 0.0) / x.total for x in nights if x.total])
