"""A block of builds measured side by side on this machine (see :mod:`harness.worker.side_by_side`).

A block that fits into memory goes on, with more builds and more cycles where its comparisons are wide, as
long as there is time for it (:mod:`harness.execution.precision`).
"""

from __future__ import annotations

import math
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from msgspec import structs

from harness.analysis.statistics.spending import Costs
from harness.execution.base import Block, BuildResult, EndedBuild, PlannedBuild
from harness.execution.job import OpenJob
from harness.execution.precision import MeasuredBuild, Need, comparisons, next_need
from harness.matrix.cell import Cell
from harness.worker.lockstep import Lockstep, passes_of
from harness.worker.side_by_side import SideBySide, processes_of

Open = Callable[[PlannedBuild], OpenJob | BuildResult]
"""Starts the worker of a build; a result where that failed."""

Say = Callable[[str], None]


@dataclass(frozen=True)
class Further:
    """What a block may spend beyond its first builds.

    :param seconds: given how long the first builds took; 0: nothing
    :param precision: half of the 95 % interval asked for, of 1
    :param number: the number that one more build of a cell gets
    """

    seconds: Callable[[float], float]
    precision: float
    number: Callable[[Cell], int]


NOTHING_FURTHER = Further(lambda _took: 0.0, 0.0, lambda _cell: 0)


class BlockMeasurement:
    """Measures the builds of a block and yields them as they end.

    :param room: says whether there is memory for one more worker beside those that are alive
    :param seed: of the orders
    :param processes: that an engine of a cell is measured in
    """

    def __init__(
        self,
        open_build: Open,
        room: Callable[[], bool],
        seed: int,
        say: Say,
        further: Further = NOTHING_FURTHER,
        processes: Callable[[Cell], int] = lambda _cell: 1,
    ) -> None:
        self._open, self._room, self._say, self._further = open_build, room, say, further
        self._processes = processes
        self._lockstep = Lockstep(seed, say)
        self._block = SideBySide[PlannedBuild, OpenJob, EndedBuild](
            self._lockstep, self._start, self._end, room
        )
        self._name = secrets.token_hex(4)
        self._more_builds = True

    def run(self, block: Block) -> Iterator[EndedBuild]:
        """Yield the builds of *block* as they end; after an interrupted one come no more."""
        try:
            yield from self._block.measured(
                block.builds, lambda took: self._go_on(self._further.seconds(took))
            )
        except KeyboardInterrupt:
            for job in self._block.alive:
                job.interrupt()
            ended = [self._block.end(job, False) for job in list(self._block.alive)]
            yield from ended[:1]
        finally:
            for job in list(self._block.alive):
                self._block.end(job, False)

    def _start(
        self, left: list[PlannedBuild], _fresh: Sequence[OpenJob]
    ) -> tuple[OpenJob | None, EndedBuild | None]:
        planned = left.pop(0)
        self._say(f"building {planned.cell.id}, build {planned.number + 1}")
        opened = self._open(planned)
        if isinstance(opened, BuildResult):
            return None, EndedBuild(planned, opened)
        opened.wanted = self._processes(planned.cell)
        return opened, None

    def _end(self, job: OpenJob, alone: bool) -> EndedBuild:
        result = job.end()
        if not alone:
            document = structs.replace(result.document, block=self._name)
            result = replace(result, document=document)
        return EndedBuild(job.planned, result)

    # beyond the first builds

    def _go_on(self, seconds: float) -> Iterator[EndedBuild]:
        """Measure on where comparisons are wider than asked, for *seconds* at most."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0 and (need := self._need(left)) is not None:
            self._say(need.words)
            cycles = [
                (process, need.cycles[job.planned.cell])
                for job in self._block.alive
                if job.planned.cell in need.cycles
                for process in job.processes
            ]
            self._lockstep.cycles(self._judged, cycles)
            if need.builds:
                yield from self._build_more(need)

    @property
    def _judged(self) -> str:
        """The pass whose widths count: the treatment's own."""
        return next(iter(passes_of(processes_of(self._block.alive))), "")

    def _need(self, seconds: float) -> Need | None:
        builds = [
            MeasuredBuild(job.planned.cell, [x for one in job.processes for x in one.samples.slices])
            for job in self._block.alive
        ]
        name = self._judged
        found = comparisons(builds, name)
        if not found:
            return None
        cycle = self._lockstep.slice_seconds
        slices = max(sum(row["pass"] == name for row in build.slices) for build in builds)
        # one to be set beside each new one
        build = max(job.seconds for job in self._block.alive) + 2 * cycle * slices
        costs = Costs(build if self._more_builds else math.inf, math.inf, cycle)
        return next_need(found, self._further.precision, costs, seconds)

    def _build_more(self, need: Need) -> Iterator[EndedBuild]:
        """Make more builds and measure them beside one of each of their cells that is alive."""
        planned = [
            PlannedBuild(cell, self._further.number(cell))
            for number in range(max(need.builds.values()))
            for cell, count in need.builds.items()
            if number < count
        ]
        wanted = len(planned)
        fresh: list[OpenJob] = []
        if self._room():
            yield from self._block.fill(planned, fresh)
        # Without memory, or where a build fails now, more are not to be had.
        self._more_builds = len(fresh) == wanted
        cells = {job.planned.cell for job in fresh}
        old = {
            job.planned.cell: job
            for job in self._block.alive
            if job.planned.cell in cells and job not in fresh
        }
        self._block.measure([*old.values(), *fresh])
