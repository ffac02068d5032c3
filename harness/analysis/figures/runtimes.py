"""Runtimes beside each other on one network: latency, images and FLOP a second, and where the time goes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from harness.analysis.across import counterpart
from harness.analysis.grid import Grid, grid_of
from harness.analysis.groups import BuildGroup, Latency
from harness.analysis.statistics.intervals import ratio
from harness.attribution.engine import AttributedEngine, LayerRole
from harness.attribution.roofline import achieved
from harness.observations.host_clock import by_gpu_alone, by_host_clock

ONE_BUILD = "one build each: no interval"
SOME_ONE_BUILD = "no interval where a side has one build"

Place = tuple[str, str, str]
"""Network, common treatment and host."""

SEGMENT = "TRTEngineOp"
"""Stands in the name of each layer of a segment that TensorRT runs, and of the op that holds it."""


@dataclass(frozen=True)
class Shares:
    """Where the layer time of a build goes, as fractions that add up to one.

    :param segments: in segments that TensorRT runs, their own reformats left out
    :param reformats: turning tensors, at borders of segments and inside of them
    :param outside: in the runtime's own kernels
    """

    segments: float
    reformats: float
    outside: float


@dataclass(frozen=True)
class RuntimeFigures:
    """One runtime and treatment of its own.

    :param label: what its own fields add to the treatment, empty where nothing
    :param images_per_s, gflops_per_s: end to end; None where batch or network are not known
    :param speed_up: latency of the first runtime over its own, with 95 % interval; None for the first
    :param shares: of the build of the middle layer time, None where none has a profile
    :param by_gpu: whether its latency is the GPU's own: no host's clock was read beside it
    :param against: release that the speed-up is against, empty where there is none
    """

    release: str
    label: str
    latency: Latency
    images_per_s: float | None
    gflops_per_s: float | None
    speed_up: float | None
    interval: tuple[float, float] | None
    shares: Shares | None
    by_gpu: bool = False
    against: str = ""

    @property
    def name(self) -> str:
        """Release, and what its own fields add."""
        return f"{self.release} {self.label}".strip()


@dataclass(frozen=True)
class RuntimeTable:
    """One network, common treatment and host.

    :param against: runtime that speed-ups are against: the same release of it, or else its newest
    """

    network: str
    treatment: str
    host: str
    against: str
    rows: tuple[RuntimeFigures, ...]

    @property
    def note(self) -> str:
        """Why there is no interval, and of what there is no host's clock."""
        return "; ".join(filter(None, (no_interval(self.rows), other_clock(self.rows))))


def side_by_side(grid: Grid, against: str | None = None) -> tuple[RuntimeTable, ...]:
    """Return the tables of all that two runtimes or more ran, by the clock that they have in common.

    :param against: as *first* of :func:`runtime_tables`
    :raises InputError: samples are torn
    """
    shared = {(network, treatment) for network, treatment, _ in _shared(_places(grid))}
    cells = tuple(
        seen for seen in grid.run.cells if (seen.cell.network, seen.cell.treatment.common_label) in shared
    )
    # Samples are read again for the host's clock: of what is compared alone, as a run may have hundreds.
    return runtime_tables(grid_of(by_host_clock(replace(grid.run, cells=cells))), against) if cells else ()


def runtime_tables(grid: Grid, first: str | None = None) -> tuple[RuntimeTable, ...]:
    """Return a table for each network, treatment and host that the runtime *first* and another one ran.

    :param first: name of the runtime that speed-ups are against; None: of each table the first of the run
    """
    return tuple(
        _table(key, groups, first or groups[0].cell.runtime)
        for key, groups in _shared(_places(grid)).items()
        if first is None or any(group.cell.runtime == first for group in groups)
    )


def _places(grid: Grid) -> dict[Place, list[BuildGroup]]:
    found: dict[Place, list[BuildGroup]] = {}
    for group in grid.judged:
        if group.latency.builds and not group.is_aa:
            key = (group.cell.network, group.cell.treatment.common_label, group.host)
            found.setdefault(key, []).append(group)
    return found


def _shared(found: dict[Place, list[BuildGroup]]) -> dict[Place, list[BuildGroup]]:
    """Return what more than one runtime ran of *found*."""
    return {key: own for key, own in found.items() if len({group.cell.runtime for group in own}) > 1}


def _table(key: Place, groups: Sequence[BuildGroup], first: str) -> RuntimeTable:
    ordered = sorted(groups, key=lambda one: (one.cell.runtime != first, one.latency.middle or 0.0))
    rows = tuple(_row(one, counterpart(groups, one, first)) for one in ordered)
    return RuntimeTable(*key, against=first, rows=rows)


def _row(group: BuildGroup, other: BuildGroup | None) -> RuntimeFigures:
    middle, batch = group.latency.middle, group.cell.treatment.batch
    build = group.typical_build
    reached = achieved(build.engine, middle) if build is not None and build.engine is not None else None
    flops = None if reached is None else reached.end_to_end
    gain, interval = None, None
    if other is not None and other is not group and middle and other.latency.middle:
        gain = other.latency.middle / middle
        if (found := ratio(group.latency.builds, other.latency.builds)) is not None:
            gain, interval = found.interval.estimate, (found.interval.low, found.interval.high)
    return RuntimeFigures(
        release=group.cell.release,
        label=group.cell.treatment.own_label,
        latency=group.latency,
        images_per_s=1e3 * batch / middle if batch and middle else None,
        gflops_per_s=None if flops is None else flops / 1e9,
        speed_up=gain,
        interval=interval,
        shares=None if build is None or build.engine is None else shares_of(build.engine, group.cell.runtime),
        by_gpu=by_gpu_alone(group.good[0]),
        against="" if gain is None or other is None else other.cell.release,
    )


def shares_of(engine: AttributedEngine, runtime: str) -> Shares | None:
    """Return where the layer time of *engine* goes, None without any; TensorRT alone is one segment."""
    times = {"segments": 0.0, "reformats": 0.0, "outside": 0.0}
    for layer in engine.layers:
        if layer.role is LayerRole.REFORMAT:
            kind = "reformats"
        else:
            kind = "segments" if SEGMENT in layer.name or runtime.startswith("tensorrt") else "outside"
        times[kind] += layer.time_ms or 0.0
    whole = sum(times.values())
    return Shares(**{kind: ms / whole for kind, ms in times.items()}) if whole else None


def no_interval(rows: Iterable[RuntimeFigures]) -> str:
    """Return why *rows* have no interval, nothing where all that are held against another have one."""
    found = list(rows)
    if all(row.interval is not None for row in found if row.speed_up is not None):
        return ""
    return ONE_BUILD if all(len(row.latency.builds) == 1 for row in found) else SOME_ONE_BUILD


def other_clock(rows: Iterable[RuntimeFigures]) -> str:
    """Return of which of *rows* no host's clock was read, nothing where it was read of all."""
    found = dict.fromkeys(row.name for row in rows if row.by_gpu)
    return f"of {', '.join(found)} by the GPU's own, without launches" if found else ""
