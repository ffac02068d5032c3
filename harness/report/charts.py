"""The charts of the page: figures of a subject with the scale that they are drawn on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.analysis.figures.latency import LatencyFigures
from harness.analysis.figures.roofline import RooflineFigures
from harness.analysis.figures.times import CLASSES, TimeFigures
from harness.analysis.run_analysis import RowFigures
from harness.report.anchors import anchor
from harness.report.scale import Scale


@dataclass(frozen=True)
class LatencyChart:
    """All versions of one subject on one scale."""

    subject: str
    anchor: str
    rows: tuple[LatencyFigures, ...]
    scale: Scale

    @property
    def passes(self) -> tuple[str, ...]:
        """Passes besides the latency that any version has."""
        return tuple(dict.fromkeys(name for row in self.rows for name in row.passes))

    @property
    def timed(self) -> bool:
        """Whether there is anything to say besides the mean."""
        return any(row.speed.images_per_s for row in self.rows) or bool(self.passes)

    @property
    def computed(self) -> bool:
        """Whether the FLOPs of any version's layers are known."""
        return any(row.speed.gflops_per_s for row in self.rows)

    @property
    def enqueued(self) -> bool:
        """Whether any version has launches that were timed on the host."""
        return any(row.enqueue_ms is not None for row in self.rows)

    @property
    def bound(self) -> bool:
        """Whether any build says if launching bounds it."""
        return any(row.launch_bound[1] for row in self.rows)


@dataclass(frozen=True)
class TimeChart:
    """Layer times of all versions of one subject on one scale. :param classes: in the order of stacking"""

    subject: str
    anchor: str
    figures: TimeFigures
    classes: tuple[str, ...]
    scale: Scale
    rooflines: tuple[RooflineFigures, ...]

    @property
    def profiled(self) -> bool:
        """Whether any bundle says how its layers were timed."""
        return any(bar.profiling is not None for bar in self.figures.classes)

    @property
    def roofline_classes(self) -> tuple[str, ...]:
        """Classes that any roofline has, in the order of the columns."""
        present = {one.name for row in self.rooflines for one in row.classes}
        return tuple(name for name in CLASSES if name in present)

    @property
    def peak_sources(self) -> tuple[str, ...]:
        """How the peaks are known, each way once."""
        return tuple(dict.fromkeys(row.peaks.source for row in self.rooflines if row.peaks is not None))


def latency_charts(rows: Sequence[RowFigures]) -> tuple[LatencyChart, ...]:
    """Return one chart a subject that has anything measured."""
    return tuple(
        LatencyChart(row.name, anchor("latency", row.name), row.latency, _scale(row.latency))
        for row in rows
        if row.latency
    )


def time_charts(rows: Sequence[RowFigures]) -> tuple[TimeChart, ...]:
    """Return one chart a subject with at least one profile."""
    return tuple(_time_chart(row, row.times) for row in rows if row.times is not None)


def _time_chart(row: RowFigures, times: TimeFigures) -> TimeChart:
    present = {name for bar in times.classes for name, ms, _ in bar.parts if ms > 0}
    return TimeChart(
        subject=row.name,
        anchor=anchor("time", row.name),
        figures=times,
        classes=tuple(name for name in CLASSES if name in present),
        scale=Scale.over([bar.total_ms for bar in times.classes], from_zero=True),
        rooflines=row.rooflines,
    )


def _scale(rows: Sequence[LatencyFigures]) -> Scale:
    """Return a scale that holds every build; an interval may leave it by as much as the builds span."""
    builds = [value for row in rows for value in row.builds]
    span = max(builds) - min(builds)
    ends = [end for row in rows for end in (row.low, row.high) if end is not None]
    kept = [min(max(end, min(builds) - span), max(builds) + span) for end in ends]
    return Scale.over([*builds, *kept])
