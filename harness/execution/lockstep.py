"""A block of builds measured side by side on this machine (see :mod:`harness.worker.side_by_side`).

A block goes on with more builds, processes and cycles where its comparisons are wide, as long as there is
time for it (:mod:`harness.execution.precision`). One that does not fit into memory goes on with builds alone,
in further sub-blocks beside the build that all of them share: of the others none is alive.
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
from harness.worker.drive import Driven
from harness.worker.lockstep import Lockstep, cycles_of, passes_of
from harness.worker.side_by_side import SideBySide, processes_of

Open = Callable[[PlannedBuild, int], OpenJob | BuildResult]
"""Starts the worker of a build, given which of those made at once it is; a result where that failed."""

Say = Callable[[str], None]

PROFILED = 3
"""Inferences that a profile takes for each that it tells of: plain ones beside it, and those that settle."""

CLOSING_SECONDS = 0.5
"""Of a build beside that: making the engine that profiles, leaving what is to be kept, ending the worker."""


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

    :param room: says whether there is memory for one more worker beside those that are alive, given how many
        of these have not taken theirs yet
    :param seed: of the orders
    :param processes: that an engine of a cell is measured in
    :param check: whether builds are measured on their own too (:mod:`harness.worker.alone`)
    :param at_once: builds that are made at the same time
    """

    def __init__(
        self,
        open_build: Open,
        room: Callable[[int], bool],
        seed: int,
        say: Say,
        further: Further = NOTHING_FURTHER,
        processes: Callable[[Cell], int] = lambda _cell: 1,
        at_once: int = 1,
        *,
        check: bool = True,
    ) -> None:
        self._open, self._room, self._say, self._further = open_build, room, say, further
        self._processes, self._at_once = processes, at_once
        self._slots: dict[int, OpenJob] = {}
        self._lockstep = Lockstep(seed, say)
        self._block = SideBySide[PlannedBuild, OpenJob, EndedBuild](
            self._lockstep, self._start, self._end, room, check, at_once
        )
        self._name = secrets.token_hex(4)
        self._more_builds = self._more_processes = True
        self._extra: dict[Cell, int] = {}
        self._measured: list[MeasuredBuild] = []
        self._seconds = 0.0

    def run(self, block: Block) -> Iterator[EndedBuild]:
        """Yield the builds of *block* as they end; after an interrupted one come no more."""
        try:
            yield from self._block.measured(block.builds, self._go_on)
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
        slot = self._free_slot()
        opened = self._open(planned, slot)
        if isinstance(opened, BuildResult):
            return None, EndedBuild(planned, opened)
        self._slots[slot] = opened
        opened.wanted = self._processes(planned.cell) + self._extra.get(planned.cell, 0)
        return opened, None

    def _free_slot(self) -> int:
        """Return the first of the places for builds made at once in which none is being made."""
        making = self._block.making
        return next(n for n in range(self._at_once) if self._slots.get(n) not in making)

    def _end(self, job: OpenJob, alone: bool) -> EndedBuild:
        result = job.end()
        if not alone:
            document = structs.replace(result.document, block=self._name)
            result = replace(result, document=document)
            self._seconds = max(self._seconds, job.seconds)
            if document.status == "ok":
                self._measured.append(_measured(job))
        return EndedBuild(job.planned, result)

    # beyond the first builds

    def _go_on(self, took: float, split: bool) -> Iterator[EndedBuild]:
        """Measure on where comparisons are wider than asked, as long as there is time.

        :param took: seconds that the first builds took so far; their profiles are still to be taken
        """
        closing = closing_seconds(processes_of(self._block.alive))
        until = time.monotonic() + self._further.seconds(took + closing) - closing
        while (left := until - time.monotonic()) > 0 and (need := self._need(left, split)) is not None:
            self._say(need.words)
            cycles = [
                (process, need.cycles[job.planned.cell])
                for job in self._block.alive
                if job.planned.cell in need.cycles
                for process in job.processes
            ]
            self._lockstep.cycles(self._judged, cycles)
            if need.processes:
                self._load_more(need)
            if need.builds:
                yield from self._build_beside(need) if split else self._build_more(need)

    @property
    def _judged(self) -> str:
        """The pass whose widths count: the treatment's own."""
        return next(iter(passes_of(processes_of(self._block.alive))), "")

    def _need(self, seconds: float, split: bool) -> Need | None:
        """Return what to measure next; None also where nothing is alive that it could be measured beside."""
        alive = [job for job in self._block.alive if not job.driven.over]
        builds = [*self._measured, *(_measured(job) for job in self._block.alive)]
        found = comparisons(builds, self._judged)
        if not found or not alive:
            return None
        return next_need(found, self._further.precision, self._costs(alive, split), seconds)

    def _costs(self, alive: Sequence[OpenJob], split: bool) -> Costs:
        """Return what one more of each takes, by what this block took."""
        cycle, name = self._lockstep.slice_seconds, self._judged
        of_a_build = max(sum(row["pass"] == name for row in _measured(job).slices) for job in alive)
        if split:  # the one that is alive has slices of all sub-blocks
            of_a_build = max(cycles_of(job.driven.settings) * len(job.processes) for job in alive)
        passes = len(passes_of(processes_of(alive)))
        # one to be set beside each new one
        build = max(self._seconds, *(job.seconds for job in alive)) + 2 * cycle * of_a_build * passes
        build += closing_seconds(processes_of(alive)) / len(alive)
        loading = max(job.process_seconds for job in alive)
        slices = of_a_build / max(len(job.processes) for job in alive)
        process = loading + 2 * cycle * slices * passes if loading and self._more_processes else math.inf
        return Costs(
            build if self._more_builds else math.inf,
            math.inf if split else process,
            math.inf if split else cycle,
        )

    def _load_more(self, need: Need) -> None:
        """Load engines by more processes, and measure these beside the process that built theirs."""
        members: list[Driven] = []
        for job in self._block.alive:
            more = need.processes.get(job.planned.cell, 0)
            if not more or job.driven.over:
                continue
            fresh = self._block.load_more(job, len(job.processes) + more)
            # Without memory, or where one is lost now, more are not to be had.
            self._more_processes &= len(fresh) == more and not any(one.over for one in fresh)
            members += [job.driven, *fresh] if fresh else []
        for cell, more in need.processes.items():
            self._extra[cell] = self._extra.get(cell, 0) + more
        self._lockstep.measure(members)

    def _planned(self, need: Need) -> list[PlannedBuild]:
        return [
            PlannedBuild(cell, self._further.number(cell))
            for number in range(max(need.builds.values()))
            for cell, count in need.builds.items()
            if number < count
        ]

    def _build_more(self, need: Need) -> Iterator[EndedBuild]:
        """Make more builds and measure them beside one of each of their cells that is alive."""
        planned = self._planned(need)
        wanted = len(planned)
        fresh: list[OpenJob] = []
        if self._room(0):
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

    def _build_beside(self, need: Need) -> Iterator[EndedBuild]:
        """Make more builds, as many at once as memory holds, and measure them beside the one alive."""
        planned = self._planned(need)
        wanted, made = len(planned), 0
        while planned and self._more_builds:
            fresh: list[OpenJob] = []
            yield from self._block.fill(planned, fresh)
            self._block.measure(self._block.alive)
            yield from self._block.end_but_one()
            made += len(fresh)
            self._more_builds = made + len(planned) == wanted


def _measured(job: OpenJob) -> MeasuredBuild:
    return MeasuredBuild(job.planned.cell, [x for one in job.processes for x in one.samples.slices])


def closing_seconds(processes: Sequence[Driven]) -> float:
    """Return how long profiling and closing *processes* will take, by how long their inferences took last."""
    seconds = 0.0
    for one in processes:
        if one.over or one.samples.process or not one.samples.slices:
            continue
        inference = min(one.samples.slices[-1]["latency_ms"]) / 1e3
        seconds += CLOSING_SECONDS + PROFILED * one.settings.profile_iterations * inference
    return seconds
