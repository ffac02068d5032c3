"""Earlier nights as a baseline: for each series of tonight its present level, as records of analysis."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean

import numpy as np

from harness.analysis.grid import Grid
from harness.analysis.groups import BuildGroup
from harness.analysis.night_values import NightValue, SeriesNights, anchor_values, version_of
from harness.analysis.nights import KIND, NightBaseline, key_of
from harness.analysis.statistics.level_shifts import FLOOR, level_shifts
from harness.analysis.statistics.levels import Values
from harness.analysis.statistics.nights import FEWEST, LAST
from harness.analysis.verdict import LATENCY
from harness.errors import NothingToCompareError
from harness.history.folder import History, date_of
from harness.history.open_changes import FAULTS
from harness.history.reading import series
from harness.history.records import Facts, Filter, Point, Subject
from harness.history.rows import facts_of
from harness.store.documents.night import Night

_OF_ANCHOR = ("driver", "image", "content", "digest")
"""Facts that an anchor shares with itself on another night; its host and version are the same anyhow."""

Points = Mapping[tuple[Subject, str], tuple[Point, ...]]


@dataclass(frozen=True)
class _Asked:
    """What levels are made of.

    :param points: by subject and measure; :param night: the one that is asked for, None for the last ones
    :param last: at most so many nights; :param anchors: versions that may be an anchor
    :param engines: night to the names of the anchors' engines that it measured
    :param begun: series to the nights in which they changed, as alarms have it
    """

    grid: Grid
    points: Points
    night: Night | None
    last: int
    anchors: tuple[str, ...]
    engines: Mapping[str, Collection[str]]
    begun: Mapping[tuple[str, ...], frozenset[str]]


def baseline_of(
    history: History,
    grid: Grid,
    rules: Sequence[str],
    night: Night | None = None,
    *,
    last: int = LAST,
    anchors: tuple[str, ...] = (),
) -> NightBaseline:
    """Return the earlier nights that the run of *grid* is held against.

    :param rules: names of the bottlenecks that are judged
    :param night: the one to compare with; None: the last ones of each series
    :param last: nights of a series that are looked at; :param anchors: ``RUNTIME VERSION``, pinned
    :raises NothingToCompareError: the history has none of these series
    """
    began = grid.run.manifest.started
    wanted = (LATENCY, "layers", *(f"cost:{name}" for name in rules))
    read = series(history, Filter(until=began))
    own = {build.identity.run for group in grid.built for build in group.observed}
    own |= {grid.run.manifest.run}
    points = {
        (one.subject, one.measure): tuple(point for point in one.points if point.night not in own)
        for one in read.series
        if one.measure in wanted
    }
    engines = {one.run: one.engines for one in history.nights}
    asked = _Asked(grid, points, night, last, anchors, engines, _begun(history))
    found = {
        key_of(group, name): nights
        for group in grid.judged
        if group.builds and not group.is_aa
        for name in (LATENCY, *rules)
        if (nights := _nights_of(asked, group, name)) is not None
    }
    name = f"the last {last} nights" if night is None else f"night {date_of(night)}"
    if not found:
        raise NothingToCompareError(
            f"{history.root}: no earlier night has any of these networks, treatments and versions on its host"
        )
    return NightBaseline(name, found)


def _begun(history: History) -> Mapping[tuple[str, ...], frozenset[str]]:
    found: dict[tuple[str, ...], set[str]] = {}
    for night in history.nights:
        for one in (one for one in night.changed if one.kind == KIND and one.verdict not in FAULTS):
            found.setdefault((one.cell, one.environment, one.host, one.measure), set()).add(night.run)
    return {key: frozenset(nights) for key, nights in found.items()}


def subject_of(group: BuildGroup) -> Subject:
    """Return what *group* is called among the series of a history."""
    cell = group.cell
    return Subject(
        cell.network,
        cell.treatment.label,
        cell.runtime,
        cell.version,
        cell.environment,
        group.host,
        cell.repeat,
    )


def _nights_of(asked: _Asked, group: BuildGroup, name: str) -> SeriesNights | None:
    """Return the nights of one series, None where there are none to compare with."""
    subject = subject_of(group)
    measure = name if name == LATENCY else f"cost:{name}"
    points = asked.points.get((subject, measure), ())
    totals = {point.night: point.value for point in asked.points.get((subject, "layers"), ())}
    if name != LATENCY:
        points = tuple(point for point in points if totals.get(point.night))
    found = _anchor(asked, group, points)
    if found.name:
        points = tuple(point for point in points if point.night in found.values)
    if not points:
        return None
    values = [
        NightValue(
            point.night,
            f"{point.started:%Y-%m-%d}",
            point.values,
            totals.get(point.night),
            found.values.get(point.night, ()),
        )
        for point in points
    ]
    # What moved the latency moved its parts too, told that night or not: they are held against what is since.
    begun = frozenset().union(*(asked.begun.get(key_of(group, one), ()) for one in {name, LATENCY}))
    edges = _edges(_scale(values, name, anchored=bool(found.name)), points, begun)
    cut = _cut(values, edges, asked)
    if cut is None:
        return None
    level, before, chosen = cut
    known = {point.night: point.facts for point in points}
    held = level[-1] if chosen is None else level[chosen[0]]
    tonight = facts_of(group, asked.grid.run.manifest)
    differs = tonight.differences(known[held.night])
    return SeriesNights(level, before, chosen, differs, found.name, found.why_none, found.same_engines)


def _scale(values: Sequence[NightValue], name: str, *, anchored: bool) -> Values:
    if name != LATENCY:
        return np.array([fmean(value.values) / (value.total or 1.0) for value in values])
    logs = np.array([float(np.mean(np.log(value.values))) for value in values])
    return logs - [float(np.mean(np.log(value.anchor))) for value in values] if anchored else logs


def _edges(values: Values, points: Sequence[Point], begun: frozenset[str]) -> list[int]:
    """Return where levels begin: 0, the shifts that nights show, and the nights whose alarms said so."""
    shifts = {shift.index for shift in level_shifts(values, FLOOR)}
    stated = {at for at, point in enumerate(points) if point.night in begun}
    return sorted({0, *shifts, *stated, len(points)})


def _cut(
    values: Sequence[NightValue], edges: Sequence[int], asked: _Asked
) -> tuple[tuple[NightValue, ...], tuple[NightValue, ...], tuple[int, ...] | None] | None:
    """Return the nights of a level, those of the one before it, and which of the first are compared with."""
    if asked.night is None:
        at, begin, end = None, edges[-2], edges[-1]
        first = max(begin, end - asked.last)
    else:
        at = next((i for i, value in enumerate(values) if value.night == asked.night.run), None)
        if at is None:
            return None
        begin = max(edge for edge in edges if edge <= at)
        end = min(edge for edge in edges if edge > at)
        first = max(begin, min(at, end - asked.last))
    last = min(end, first + asked.last)
    earlier = max([edge for edge in edges if edge < begin], default=begin)
    spare = max(0, asked.last - (last - first))
    before = tuple(values[max(earlier, begin - spare) : begin])
    return tuple(values[first:last]), before, None if at is None else (at - first,)


@dataclass(frozen=True)
class _Anchor:
    """The anchor of one series: name and latencies by night, empty for none, and why there is none."""

    name: str = ""
    values: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    why_none: str = ""
    same_engines: bool = False


def _anchor(asked: _Asked, group: BuildGroup, points: Sequence[Point]) -> _Anchor:
    """Return the anchor of *group*: the same engines in enough of the nights of *points*, else a version."""
    own = version_of(group)
    if not asked.anchors:
        return _Anchor(why_none="no anchor is pinned: the machine's own change is in it")
    if own in asked.anchors:
        return _Anchor(why_none="it is the anchor: what the machine changed is in it")
    why = f"no anchor: tonight has none of {', '.join(asked.anchors)}"
    for name in asked.anchors:
        if not anchor_values(asked.grid, group, name):
            continue
        version, engines = _unchanged(asked, group, name)
        count = 0
        for values, same in ((engines, True), (version, False)):
            nights = [point.night for point in points if point.night in values]
            count = len(nights)
            if asked.night.run in nights if asked.night is not None else count >= FEWEST:
                return _Anchor(name, values, same_engines=same)
        why = f"no anchor: {name} was the same in {count} of these nights"
    return _Anchor(why_none=why)


def _unchanged(
    asked: _Asked, group: BuildGroup, name: str
) -> tuple[Mapping[str, tuple[float, ...]], Mapping[str, tuple[float, ...]]]:
    """Return the anchor's latencies in nights in which it was what it is tonight, and the same engines."""
    for other in asked.grid.judged:
        same = other.cell.subject == group.cell.subject and other.host == group.host and not other.is_aa
        if not same or not other.builds or version_of(other) != name:
            continue
        tonight = facts_of(other, asked.grid.run.manifest)
        points = asked.points.get((subject_of(other), LATENCY), ())
        version = {point.night: point.values for point in points if _as_then(tonight, point.facts)}
        kept = {build.facts.get("kept_engine") for build in other.builds} - {None}
        engines = {
            night: values for night, values in version.items() if kept & set(asked.engines.get(night, ()))
        }
        return version, engines
    return {}, {}


def _as_then(tonight: Facts, then: Facts) -> bool:
    return all(getattr(tonight, name) == getattr(then, name) for name in _OF_ANCHOR)
