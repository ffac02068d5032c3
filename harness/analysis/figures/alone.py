"""Builds side by side, and on their own: how far what is reported lies from what a user would see alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from harness.analysis.grid import Grid
from harness.analysis.groups import BuildGroup, mean_of_builds
from harness.analysis.hosts import HostNames
from harness.analysis.statistics.intervals import Interval, one_side
from harness.observations.records import BuildObservation, Slice, median_ms
from harness.written import milliseconds, number_of


@dataclass(frozen=True)
class AloneProcess:
    """A process that was measured both ways.

    :param process: of its build, from 0
    :param beside_ms, alone_ms: medians of its samples, beside the others of its block and on its own
    """

    cell: str
    build: int
    process: int
    beside_ms: float
    alone_ms: float


@dataclass(frozen=True)
class AloneFigures:
    """The processes of a host that were measured both ways, by the pass that is judged.

    :param host: its name; :param label: what pages call it, empty where there is one host
    :param beside_ms, alone_ms: geometric means over processes
    :param apart: side by side over alone, less 1; :param interval: its 95 % interval over processes, None
        with fewer than two
    :param material: from which share on a difference is material
    """

    host: str
    label: str
    processes: tuple[AloneProcess, ...]
    beside_ms: float
    alone_ms: float
    apart: float
    interval: tuple[float, float] | None
    material: float

    @property
    def further_than_material(self) -> bool | None:
        """Whether both ways lie further apart than is material; None where that cannot be told."""
        if self.interval is None:
            return None if abs(self.apart) > self.material else False
        low, high = self.interval
        if low > self.material or high < -self.material:
            return True
        return None if abs(self.apart) > self.material else False

    @property
    def words(self) -> str:
        """The finding as a line: what each way took, how far apart, and whether that matters."""
        count = len(self.processes)
        whose = number_of(count, "process", "processes")
        where = f" on {self.label}" if self.label else ""
        between = (
            ""
            if self.interval is None
            else f" ({_percent(self.interval[0])} to {_percent(self.interval[1])})"
        )
        said = (
            f"side by side {milliseconds(self.beside_ms)} ms, alone {milliseconds(self.alone_ms)} ms{where}: "
            f"{_percent(self.apart)}{between} apart, by {whose} measured both ways"
        )
        limit = f"{100 * self.material:g} %"
        if self.further_than_material:
            return (
                f"{said}; warning: that is more than is material ({limit}): versions compare, "
                "but a process on its own takes the other time"
            )
        if self.further_than_material is None:
            return f"{said}; too few to tell whether that is more than is material ({limit})"
        return said


def alone_figures(grid: Grid) -> tuple[AloneFigures, ...]:
    """Return the figures of each host on which builds were measured both ways, in the order of the run."""
    found: dict[str, list[AloneProcess]] = {}
    for group in grid.built:
        found.setdefault(group.host, []).extend(_processes(group))
    material = grid.run.manifest.matrix.material
    return tuple(_figures(host, mine, grid.hosts, material) for host, mine in found.items() if mine)


def _figures(host: str, mine: list[AloneProcess], names: HostNames, material: float) -> AloneFigures:
    ratios = tuple(one.beside_ms / one.alone_ms for one in mine)
    over: Interval | None = one_side(ratios)
    return AloneFigures(
        host=host,
        label=names.label(host) if len(names.names) > 1 else "",
        processes=tuple(mine),
        beside_ms=mean_of_builds(tuple(one.beside_ms for one in mine)) or 0.0,
        alone_ms=mean_of_builds(tuple(one.alone_ms for one in mine)) or 0.0,
        apart=(mean_of_builds(ratios) or 1.0) - 1,
        interval=None if over is None else (over.low - 1, over.high - 1),
        material=material,
    )


def _processes(group: BuildGroup) -> Iterator[AloneProcess]:
    for build in group.good:
        alone = build.alone.get(build.latency_pass, ())
        for process in dict.fromkeys(one.process for one in alone):
            beside = [one for one in build.slices.get(build.latency_pass, ()) if one.process == process]
            if beside:
                own = [one for one in alone if one.process == process]
                yield _process(group, build, process, beside, own)


def _process(
    group: BuildGroup, build: BuildObservation, process: int, beside: list[Slice], alone: list[Slice]
) -> AloneProcess:
    medians = [median_ms(np.concatenate([one.samples for one in slices])) for slices in (beside, alone)]
    return AloneProcess(group.cell.id, build.build, process, medians[0], medians[1])


def _percent(share: float) -> str:
    return f"{100 * share:.2f} %"
