"""What each class takes beside the least it can take on the device, and the FLOP/s reached."""

from __future__ import annotations

from dataclasses import dataclass

from harness.analysis.grid import GridRow
from harness.analysis.groups import BuildGroup, Release
from harness.attribution.peaks import Peaks, peaks_for
from harness.attribution.roofline import achieved, class_bounds_ms


@dataclass(frozen=True)
class RooflineClass:
    """One class. :param bound_ms: None where the device's peaks are not known"""

    name: str
    time_ms: float
    bound_ms: float | None
    gflops_per_s: float


@dataclass(frozen=True)
class RooflineFigures:
    """One group, its build of the middle layer time.

    :param end_to_end: GFLOP/s over the end-to-end latency, None where that was not measured
    :param peaks: of the device, None where they are not known
    """

    release: Release
    end_to_end: float | None
    classes: tuple[RooflineClass, ...]
    peaks: Peaks | None

    def of(self, name: str) -> RooflineClass | None:
        """Return the class called *name*, None where the build has no such layers."""
        return next((one for one in self.classes if one.name == name), None)


def roofline_figures(row: GridRow) -> tuple[RooflineFigures, ...]:
    """Return the figures of *row*'s groups; none for a part of a network, an unknown network or batch."""
    return tuple(figures for figures in map(roofline_of, row.groups) if figures is not None)


def roofline_of(group: BuildGroup) -> RooflineFigures | None:
    """Return the figures of *group*, None where its layers are not known whole."""
    build = group.typical_build
    if build is None or build.engine is None:
        return None
    engine = build.engine
    reached = achieved(engine, build.latency_ms)
    if reached is None:
        return None
    precision = group.cell.treatment.precision
    peaks = peaks_for(group.good[0].facts, precision)
    bounds = class_bounds_ms(engine, peaks, precision) if peaks is not None else {}
    times = engine.time_of_class()
    classes = tuple(
        RooflineClass(name, times[name], bounds.get(name), speed / 1e9)
        for name, speed in reached.by_class.items()
    )
    end_to_end = None if reached.end_to_end is None else reached.end_to_end / 1e9
    return RooflineFigures(group.release, end_to_end, classes, peaks)
