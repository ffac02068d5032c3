"""Latency over versions: every single build, and the interval over builds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.layers.observation import CellObservation, RunObservation
from harness.report.columns import Release, anchor, latency_of, release_of, subjects
from harness.report.scale import Scale


@dataclass(frozen=True)
class LatencyRow:
    """One release. :param builds: latency of each build, ms; :param low, high: 95 % interval over builds"""

    release: Release
    cell: str
    builds: tuple[float, ...]
    mean: float
    low: float | None
    high: float | None
    samples: int
    host: str


@dataclass(frozen=True)
class LatencyChart:
    """All releases of one subject on one scale."""

    subject: str
    anchor: str
    rows: tuple[LatencyRow, ...]
    scale: Scale


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
        samples=sum(b.passes["latency"].size for b in found.good if "latency" in b.passes),
        host=found.good[0].host,
    )
