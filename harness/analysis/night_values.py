"""What one series was on its nights, and the numbers that tonight is held against.

With an anchor every value is taken relative to the anchor's of the same night: latencies, and costs too.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import fmean

import numpy as np

from harness.analysis.comparison import Comparison
from harness.analysis.grid import Grid
from harness.analysis.groups import BuildGroup
from harness.analysis.material import slow_side
from harness.analysis.statistics.differences import added
from harness.analysis.statistics.levels import Values
from harness.analysis.statistics.nights import BuildMeans, Earlier, means_of_builds


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
    :param slow: in words, which of tonight's builds were set aside
    """

    one: Comparison
    found: SeriesNights
    tonight: float
    earlier: Earlier
    slow: tuple[str, ...] = ()


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
    nights = (*found.level, *found.before)
    beside = _of_anchor(nights, anchor)
    values = _logs(one.new.series(None).values)
    own = means_of_builds([_logs(x.values) for x in nights], values)
    earlier = _earlier(found, own.earlier - beside.earlier, own, beside)
    slow = _slow(values, own, _logs(anchor), beside)
    return Asked(one, found, own.tonight - beside.tonight, earlier, tuple(slow))


def _cost(one: Comparison, found: SeriesNights, anchor: Sequence[float]) -> Asked:
    """Return a cost as a share of the layer time of the nights compared with, both in times of the anchor."""
    nights = (*found.level, *found.before)
    beside = _of_anchor(nights, anchor)
    scales = np.exp(beside.earlier)
    totals = [x.total / by if x.total else math.nan for x, by in zip(nights, scales, strict=True)]
    whole = float(np.nanmean(totals[: len(found.level)] or totals))
    shares = [[ms / by / whole for ms in x.values] for x, by in zip(nights, scales, strict=True)]
    values = [ms / math.exp(beside.tonight) / whole for ms in one.new.series(one.rule).signed]
    own = means_of_builds(shares, values)
    # what the anchor is known badly by, a cost is in proportion
    earlier = _earlier(found, own.earlier, own, replace(beside, excess=beside.excess * own.tonight**2))
    return Asked(one, found, own.tonight, earlier, tuple(_slow(values, own, _logs(anchor), beside)))


def _earlier(found: SeriesNights, values: Values, own: BuildMeans, beside: BuildMeans) -> Earlier:
    """Return *values*, one a night, as those of the level and of the one before."""
    excess, degrees = added([(np.asarray(x.excess), np.asarray(x.degrees)) for x in (own, beside)])
    level, before = np.split(values, [len(found.level)])
    return Earlier(level, before, found.chosen, float(excess), float(degrees))


def _of_anchor(nights: Sequence[NightValue], anchor: Sequence[float]) -> BuildMeans:
    """Return the anchor's mean logarithms, all 0 and known exactly where there is none."""
    if not anchor:
        return BuildMeans(np.zeros(len(nights)), 0.0, np.zeros(0, dtype=bool), 0.0, 1.0)
    return means_of_builds([_logs(x.anchor) for x in nights], _logs(anchor))


def _slow(own: Sequence[float], means: BuildMeans, anchor: Sequence[float], beside: BuildMeans) -> list[str]:
    """Return in words which of tonight's builds, and of the anchor's, were set aside.

    :param own, anchor: one a build: logarithms, or shares
    """
    sides = ("tonight", own, means.slow), ("of the anchor", anchor, beside.slow)
    said = [(where, slow_side(np.array(values), slow).words) for where, values, slow in sides if len(values)]
    return [f"{where} {words}" for where, words in said if words]


def _logs(values: Sequence[float]) -> tuple[float, ...]:
    return tuple(math.log(value) for value in values)


def shares_of_nights(nights: Sequence[NightValue]) -> Values:
    """Return what a cost was of the layer time of its own night, for those that know it."""
    return np.array([max(fmean(x.values), 0.0) / x.total for x in nights if x.total])
