"""A block of builds measured side by side on this machine (see :mod:`harness.worker.lockstep`).

First every build is made, one after the other; then all are alive and take turns. What does not fit into
memory is split into sub-blocks that share their first build, which stays alive: all of them are set against
each other through that anchor. A build alone in its block is measured on its own. A block that fits into
memory goes on, with more builds and more cycles where its comparisons are wide, as long as there is time for
it (:mod:`harness.execution.precision`).
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
from harness.worker.drive import Driven, finish
from harness.worker.lockstep import Lockstep, load, load_further, passes_of

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


@dataclass
class _Member:
    planned: PlannedBuild
    job: OpenJob
    seconds: float = 0.0

    @property
    def driven(self) -> Driven:
        return self.job.driven


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
        self._name = secrets.token_hex(4)
        self._alive: list[_Member] = []
        self._more_builds = True

    def run(self, block: Block) -> Iterator[EndedBuild]:
        """Yield the builds of *block* as they end; after an interrupted one come no more."""
        try:
            yield from self._measured(list(block.builds))
        except KeyboardInterrupt:
            for member in self._alive:
                member.job.interrupt()
            ended = [self._end(member) for member in list(self._alive)]
            yield from ended[:1]
        finally:
            for member in list(self._alive):
                self._end(member)

    def _measured(self, left: list[PlannedBuild]) -> Iterator[EndedBuild]:
        alone, whole, began = len(left) == 1, len(left), time.monotonic()
        while left:
            fresh: list[_Member] = []
            yield from self._fill(left, fresh, alone=alone)
            if alone:
                for member in fresh:
                    finish(member.driven)
            elif fresh:
                self._lockstep.measure(_processes(self._alive))
            if not alone and not left and len(fresh) == whole:
                yield from self._go_on(self._further.seconds(time.monotonic() - began))
            # One stays alive while others are still to be measured beside it.
            stays = [member for member in self._alive if not member.driven.over][:1] if left else []
            ending = [member for member in self._alive if member not in stays]
            self._lockstep.close(_processes(ending))
            for member in ending:
                yield self._end(member, alone=alone)

    def _fill(
        self, left: list[PlannedBuild], fresh: list[_Member], *, alone: bool = False
    ) -> Iterator[EndedBuild]:
        """Start builds of *left*, each built and loaded, while there is memory; yield those that failed.

        :param fresh: filled with those that are there to be measured; at least one, memory or not
        """
        while left and (not fresh or self._room()):
            planned = left.pop(0)
            self._say(f"building {planned.cell.id}, build {planned.number + 1}")
            began = time.monotonic()
            opened = self._open(planned)
            if isinstance(opened, BuildResult):
                yield EndedBuild(planned, opened)
                continue
            member = _Member(planned, opened)
            self._alive.append(member)
            load(opened.driven)
            if not alone:
                load_further(opened.driven, self._processes(planned.cell), opened.start_further, self._room)
            member.seconds = time.monotonic() - began
            if opened.driven.over:
                yield self._end(member, alone=True)
            else:
                fresh.append(member)

    # beyond the first builds

    def _go_on(self, seconds: float) -> Iterator[EndedBuild]:
        """Measure on where comparisons are wider than asked, for *seconds* at most."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0 and (need := self._need(left)) is not None:
            self._say(need.words)
            cycles = [
                (process, need.cycles[member.planned.cell])
                for member in self._alive
                if member.planned.cell in need.cycles
                for process in member.job.processes
            ]
            self._lockstep.cycles(self._judged, cycles)
            if need.builds:
                yield from self._build_more(need)

    @property
    def _judged(self) -> str:
        """The pass whose widths count: the treatment's own."""
        return next(iter(passes_of(_processes(self._alive))), "")

    def _need(self, seconds: float) -> Need | None:
        builds = [
            MeasuredBuild(m.planned.cell, [x for one in m.job.processes for x in one.samples.slices])
            for m in self._alive
        ]
        name = self._judged
        found = comparisons(builds, name)
        if not found:
            return None
        cycle = self._lockstep.slice_seconds
        slices = max(sum(row["pass"] == name for row in build.slices) for build in builds)
        # one to be set beside each new one
        build = max(member.seconds for member in self._alive) + 2 * cycle * slices
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
        fresh: list[_Member] = []
        if self._room():
            yield from self._fill(planned, fresh)
        # Without memory, or where a build fails now, more are not to be had.
        self._more_builds = len(fresh) == wanted
        cells = {member.planned.cell for member in fresh}
        old = {m.planned.cell: m for m in self._alive if m.planned.cell in cells and m not in fresh}
        self._lockstep.measure(_processes([*old.values(), *fresh]))

    def _end(self, member: _Member, *, alone: bool = False) -> EndedBuild:
        self._alive.remove(member)
        result = member.job.end()
        if not alone:
            document = structs.replace(result.document, block=self._name)
            result = replace(result, document=document)
        return EndedBuild(member.planned, result)


def _processes(members: Sequence[_Member]) -> list[Driven]:
    return [process for member in members for process in member.job.processes]
