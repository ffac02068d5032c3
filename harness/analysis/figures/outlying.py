"""Builds that lie outside of what their like do: by how much, in which op classes, on which layouts.

A builder that times its tactics does not always come to the same engine. One build that differs moves a mean
and widens an interval, and what it did differently says where the time goes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from harness.analysis.grid import Grid
from harness.analysis.groups import BuildGroup, Release
from harness.attribution.adoption import reformats
from harness.attribution.engine import AttributedEngine, LayerRole

OUTLYING = 1.1
"""Latency over the builds' median, or the reverse: four times what one engine scatters by on an H100."""

_LEAST_BUILDS = 3  # of two builds neither is the odd one
_MOST_CLASSES = 3
_LEAST_PART = 0.1  # of the difference in layer time: what carries less is not named
_LEAST_SHARE = 0.2  # of the layer time: layouts whose parts differ by less are alike


@dataclass(frozen=True)
class ClassDifference:
    """An op class that carries a difference. :param ms, others_ms: its layer time, and the others' median"""

    op_class: str
    ms: float
    others_ms: float


@dataclass(frozen=True)
class LayoutDifference:
    """A layout that more, or fewer, of the layers write. :param share, others: parts of the layer time"""

    layout: str
    share: float
    others: float


@dataclass(frozen=True)
class OutlyingBuild:
    """One build beside the other builds of its cell on one host.

    :param usual_ms: median latency of all of them; :param times: latency over that
    :param classes: what carries the difference, most first; empty where the builds have no layers
    :param reformats: executed ones here, and the others' median; None where the builds have no layers
    """

    subject: str
    release: Release
    build: int
    latency_ms: float
    usual_ms: float
    times: float
    classes: tuple[ClassDifference, ...]
    layout: LayoutDifference | None
    reformats: tuple[int, float] | None


def outlying_builds(grid: Grid) -> tuple[OutlyingBuild, ...]:
    """Return the builds whose latency is :data:`OUTLYING` from their median, the furthest first."""
    builds = [one for row in grid.rows for group in row.groups for one in _outlying(row.name, group)]
    return tuple(sorted(builds, key=lambda one: -max(one.times, 1 / one.times)))


def _outlying(subject: str, group: BuildGroup) -> list[OutlyingBuild]:
    timed = [(build, build.latency_ms) for build in group.good if build.latency_ms]
    if len(timed) < _LEAST_BUILDS:
        return []
    # Of all builds: the others alone of three would be drawn apart by the odd one.
    usual = median(latency for _, latency in timed)
    outlying = []
    for build, latency in timed:
        times = latency / usual
        if max(times, 1 / times) < OUTLYING:
            continue
        others = (other.engine for other, _ in timed if other is not build)
        theirs = [engine for engine in others if engine is not None]
        mine = build.engine if theirs else None
        outlying.append(
            OutlyingBuild(
                subject=subject,
                release=group.release,
                build=build.build,
                latency_ms=latency,
                usual_ms=usual,
                times=times,
                classes=() if mine is None else _classes(mine, theirs, times > 1),
                layout=None if mine is None else _layout(mine, theirs),
                reformats=None if mine is None else _reformats(mine, theirs),
            )
        )
    return outlying


def _classes(
    mine: AttributedEngine, theirs: Sequence[AttributedEngine], slower: bool
) -> tuple[ClassDifference, ...]:
    pairs = _beside(mine, theirs, AttributedEngine.time_of_class)
    # Classes that went the other way do not carry the difference.
    extra = {name: (ms - usual) * (1 if slower else -1) for name, (ms, usual) in pairs.items()}
    least = _LEAST_PART * sum(value for value in extra.values() if value > 0)
    named = [name for name in sorted(extra, key=lambda name: -extra[name]) if extra[name] > least]
    return tuple(ClassDifference(name, *pairs[name]) for name in named[:_MOST_CLASSES])


def _layout(mine: AttributedEngine, theirs: Sequence[AttributedEngine]) -> LayoutDifference | None:
    pairs = _beside(mine, theirs, _layout_shares)
    name = max(pairs, key=lambda layout: abs(pairs[layout][0] - pairs[layout][1]), default=None)
    if name is None or abs(pairs[name][0] - pairs[name][1]) < _LEAST_SHARE:
        return None
    return LayoutDifference(name, *pairs[name])


def _layout_shares(engine: AttributedEngine) -> dict[str, float]:
    """Return layout to its part of the time of the compute layers, by what a layer writes first."""
    times: dict[str, float] = {}
    for layer in engine.layers:
        if layer.role is LayerRole.COMPUTE and layer.output_formats and layer.time_ms:
            layout = layer.output_formats[0]
            times[layout] = times.get(layout, 0.0) + layer.time_ms
    whole = sum(times.values())
    return {layout: time / whole for layout, time in times.items()}


def _reformats(mine: AttributedEngine, theirs: Sequence[AttributedEngine]) -> tuple[int, float]:
    counts = [reformats(engine).executed for engine in theirs]
    return reformats(mine).executed, float(median(counts))


def _beside(
    mine: AttributedEngine,
    theirs: Sequence[AttributedEngine],
    of: Callable[[AttributedEngine], Mapping[str, float]],
) -> dict[str, tuple[float, float]]:
    """Return each name to its value here and the median of the others', 0 where an engine has none of it."""
    here, there = of(mine), [of(engine) for engine in theirs]
    names = dict.fromkeys(name for values in (here, *there) for name in values)
    return {name: (here.get(name, 0.0), median(x.get(name, 0.0) for x in there)) for name in names}
