"""Latency of every version of a subject: each build, the mean over builds, the other passes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.analysis.grid import GridRow
from harness.analysis.groups import BuildGroup, Release, mean_of_builds
from harness.attribution.roofline import achieved
from harness.observations.records import LATENCY_PASS, Samples, median_ms


@dataclass(frozen=True)
class Speed:
    """What a latency comes to a second.

    :param images_per_s: None where the batch is not known
    :param gflops_per_s: of the whole network, None where its layers are not known
    """

    images_per_s: float | None = None
    gflops_per_s: float | None = None


@dataclass(frozen=True)
class LatencyFigures:
    """The latency of one group.

    :param builds: latency of each build, ms; :param low, high: 95 % interval over builds
    :param enqueue_ms: host time of a launch; :param passes: other passes to ms; both means over builds
    :param launch_bound: builds that are bound by launches, of those that say
    :param speed: what the mean comes to
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
    speed: Speed


def latency_figures(row: GridRow) -> tuple[LatencyFigures, ...]:
    """Return the figures of the groups of *row* that have a latency."""
    return tuple(figures for figures in map(latency_of, row.groups) if figures is not None)


def latency_of(group: BuildGroup) -> LatencyFigures | None:
    """Return the figures of *group*, None where none of its good builds has a latency."""
    latency = group.latency
    if latency.middle is None:
        return None
    return LatencyFigures(
        release=group.release,
        cell=group.cell.id,
        builds=latency.builds,
        mean=latency.middle,
        low=latency.low,
        high=latency.high,
        samples=sum(b.passes[LATENCY_PASS].size for b in group.good if LATENCY_PASS in b.passes),
        host=group.host,
        enqueue_ms=_over_builds([b.enqueue_ms for b in group.good]),
        passes=other_passes(group),
        launch_bound=group.launch_bound,
        speed=speed_of(group, latency.middle),
    )


def speed_of(group: BuildGroup, milliseconds: float) -> Speed:
    """Return what *group* does a second in *milliseconds* a run of its batch."""
    batch, build = group.cell.treatment.batch, group.typical_build
    reached = None if build is None or build.engine is None else achieved(build.engine, milliseconds)
    flops = None if reached is None else reached.end_to_end
    return Speed(
        images_per_s=None if batch is None else 1e3 * batch / milliseconds,
        gflops_per_s=None if flops is None else flops / 1e9,
    )


def other_passes(group: BuildGroup) -> dict[str, float]:
    """Return the passes besides the latency, ms: medians of builds, and the mean of these."""
    names = dict.fromkeys(name for build in group.good for name in build.passes if name != LATENCY_PASS)
    means = {name: _over_builds([build.passes.get(name) for build in group.good]) for name in names}
    return {name: value for name, value in means.items() if value is not None}


def _over_builds(samples: Sequence[Samples | None]) -> float | None:
    """Return the mean over builds of their medians, as for the latency; None where none has samples."""
    medians = [median_ms(values) for values in samples if values is not None and values.size]
    return mean_of_builds(tuple(medians))
