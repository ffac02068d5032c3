"""What each class takes beside the least it can take on the device, and the FLOP/s reached."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.attribution.peaks import Peaks, peaks_for
from harness.attribution.roofline import achieved, class_bounds_ms
from harness.observations.records import CellObservation, RunObservation
from harness.report.columns import Release, release_of, subjects
from harness.report.sides import typical_build
from harness.report.time_view import CLASSES


@dataclass(frozen=True)
class RooflineClass:
    """One class. :param bound_ms: None where the device's peaks are not known"""

    name: str
    time_ms: float
    bound_ms: float | None
    gflops_per_s: float


@dataclass(frozen=True)
class RooflineRow:
    """One release, its build of the middle layer time.

    :param end_to_end: GFLOP/s over the end-to-end latency, None where that was not measured
    :param peaks: of the device, None where they are not known
    """

    release: Release
    end_to_end: float | None
    classes: tuple[RooflineClass, ...]
    peaks: Peaks | None

    def of(self, name: str) -> RooflineClass | None:
        """Return the class called *name*, None where the build has no such layers."""
        return next((found for found in self.classes if found.name == name), None)


@dataclass(frozen=True)
class RooflineView:
    """One subject. :param classes: names, in the order of the columns"""

    subject: str
    classes: tuple[str, ...]
    rows: tuple[RooflineRow, ...]

    @property
    def sources(self) -> tuple[str, ...]:
        """How the peaks are known, each way once."""
        return tuple(dict.fromkeys(row.peaks.source for row in self.rows if row.peaks is not None))


def roofline_views(run: RunObservation) -> dict[str, RooflineView]:
    """Return subject to its view; nothing for a part of a network, an unknown network or an unknown batch."""
    views = {}
    for subject, cells in subjects(run).items():
        rows = tuple(row for row in map(_row, cells) if row is not None)
        if rows:
            views[subject] = RooflineView(subject, _classes(rows), rows)
    return views


def _classes(rows: Sequence[RooflineRow]) -> tuple[str, ...]:
    present = {found.name for row in rows for found in row.classes}
    return tuple(name for name in CLASSES if name in present)


def _row(found: CellObservation) -> RooflineRow | None:
    build = typical_build(found)
    if build is None or build.engine is None:
        return None
    engine = build.engine
    reached = achieved(engine, build.latency_ms)
    if reached is None:
        return None
    precision = found.cell.treatment.precision
    peaks = peaks_for(found.good[0].facts, precision)
    bounds = class_bounds_ms(engine, peaks, precision) if peaks is not None else {}
    times = engine.time_of_class()
    classes = tuple(
        RooflineClass(name, times[name], bounds.get(name), speed / 1e9)
        for name, speed in reached.by_class.items()
    )
    end_to_end = None if reached.end_to_end is None else reached.end_to_end / 1e9
    return RooflineRow(release_of(found), end_to_end, classes, peaks)
