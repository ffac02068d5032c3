"""Latency over versions: every single build, and the interval over builds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from harness.observations.records import LATENCY_PASS, CellObservation, RunObservation, Samples
from harness.report.columns import Release, anchor, latency_of, middle, release_of, subjects
from harness.report.scale import Scale


@dataclass(frozen=True)
class LatencyRow:
    """One release.

    :param builds: latency of each build, ms; :param low, high: 95 % interval over builds
    :param enqueue_ms: host time of a launch; :param passes: other passes to ms; both means over builds
    :param launch_bound: builds that are bound by launches, of those that say
    """

    release: Release
    cell: str
    builds: tuple[float, ...]
    mean: float
    low: float | None
    high: float | None
    samples: int
    host: str
    enqueue_ms: float | None
    passes: Mapping[str, float]
    launch_bound: tuple[int, int]


@dataclass(frozen=True)
class LatencyChart:
    """All releases of one subject on one scale."""

    subject: str
    anchor: str
    rows: tuple[LatencyRow, ...]
    scale: Scale

    @property
    def passes(self) -> tuple[str, ...]:
        """Passes besides the latency that any release has."""
        return tuple(dict.fromkeys(name for row in self.rows for name in row.passes))


def latency_charts(run: RunObservation) -> tuple[LatencyChart, ...]:
    """Return one chart a subject that has anything measured."""
    charts = []
    for subject, cells in subjects(run).items():
        rows = tuple(row for row in map(_row, cells) if row is not None)
        if rows:
            charts.append(LatencyChart(subject, anchor("latency", subject), rows, _scale(rows)))
    return tuple(charts)


def _scale(rows: Sequence[LatencyRow]) -> Scale:
    """Return a scale that holds every build; an interval may leave it by as much as the builds span."""
    builds = [value for row in rows for value in row.builds]
    span = max(builds) - min(builds)
    ends = [end for row in rows for end in (row.low, row.high) if end is not None]
    kept = [min(max(end, min(builds) - span), max(builds) + span) for end in ends]
    return Scale.over([*builds, *kept])


def _row(found: CellObservation) -> LatencyRow | None:
    latency = latency_of(found)
    if latency.middle is None:
        return None
    return LatencyRow(
        release=release_of(found),
        cell=found.cell.id,
        builds=latency.builds,
        mean=latency.middle,
        low=latency.low,
        high=latency.high,
        samples=sum(b.passes[LATENCY_PASS].size for b in found.good if LATENCY_PASS in b.passes),
        host=found.good[0].host,
        enqueue_ms=_over_builds([b.enqueue_ms for b in found.good]),
        passes=other_passes(found),
        launch_bound=found.launch_bound,
    )


def other_passes(found: CellObservation) -> dict[str, float]:
    """Return the passes besides the latency, ms: medians of builds, and the mean of these."""
    names = dict.fromkeys(name for build in found.good for name in build.passes if name != LATENCY_PASS)
    means = {name: _over_builds([build.passes.get(name) for build in found.good]) for name in names}
    return {name: value for name, value in means.items() if value is not None}


def _over_builds(samples: Sequence[Samples | None]) -> float | None:
    """Return the mean over builds of their medians, as for the latency; None where none has samples."""
    return middle([float(np.median(values)) for values in samples if values is not None and values.size])
