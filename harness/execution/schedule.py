"""The schedule of a run: blocks of builds that will be compared, resumable.

A block is a network and treatment, with all versions and both ReLU6 forms, on one device: all of its builds
are measured side by side (see :mod:`harness.execution.lockstep`), so that what drifts meets them alike.
"""

from __future__ import annotations

import random
import shutil
import tempfile
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from msgspec import structs

from harness.errors import PluginError, PluginPartError
from harness.execution.base import (
    DEFAULT_EXECUTOR,
    Block,
    BuildResult,
    EndedBuild,
    PlannedBuild,
    failed_build,
)
from harness.execution.budget import Budget
from harness.execution.inputs import InputStore
from harness.execution.job import JobSettings, OpenJob, earlier_cache
from harness.execution.lockstep import BlockMeasurement, Further
from harness.execution.memory import Room
from harness.execution.parts import Parts
from harness.execution.preparing import Preparation, Refuse, where
from harness.execution.progress import Clock
from harness.execution.settle import settle
from harness.matrix.cell import Cell
from harness.store.bundle import Bundle
from harness.store.documents.base import UNKNOWN
from harness.store.documents.origin import CPU, Host
from harness.store.machine import host_name

SCRATCH = ".work-"
"""What the folder beside the builds is called that a run works in, while it lasts."""

Say = Callable[[str], None]


class Schedule:
    """Measures cells into a bundle.

    :param rounds: builds a cell; builds that the bundle holds already are not measured again
    :param executor: name of the one that is given the blocks
    :param retry_failed: with a resumed bundle, measure again the builds that failed
    :param budget: what blocks may spend beyond their first builds (none by default)
    :param check: whether builds of a block are measured on their own too
    :param begin: number of the first build of a cell in this run; 0 for those it does not name
    """

    def __init__(
        self,
        bundle: Bundle,
        cells: Sequence[Cell],
        parts: Parts,
        settings: JobSettings,
        *,
        rounds: int,
        executor: str = DEFAULT_EXECUTOR,
        say: Say = lambda _line: None,
        retry_failed: bool = False,
        budget: Budget | None = None,
        check: bool = True,
        begin: Mapping[Cell, int] | None = None,
    ) -> None:
        self._begin = begin or {}
        self._budget, self._later, self._check = budget or Budget(), 0, check
        self._where = ""  # a build is measured, to end its line: nothing for this machine
        self._last: dict[Cell, int] = {}
        self._bundle, self._cells, self._parts, self._settings = bundle, list(cells), parts, settings
        self._rounds, self._say, self._retry_failed = rounds, say, retry_failed
        self._executor = parts.executors[executor].telling(say)
        self._own_error: Exception | None = None
        self._building: Sequence[int] = ()
        self._scratch = Path(tempfile.mkdtemp(dir=bundle.root, prefix=SCRATCH))
        self._inputs = InputStore(self._scratch / "inputs", parts.networks, settings.seed)
        self._preparation = Preparation(bundle, parts, self._inputs, self._device, say, self._elsewhere())
        self._peaks_known: set[tuple[str, str, str]] = set()

    def run(self) -> None:
        """Measure everything that is missing; on an interruption the bundle keeps what there is."""
        began = time.monotonic()
        try:
            runnable = self._preparation.runnable(self._cells)
            self._took("prepare", time.monotonic() - began)
            self._measure(runnable)
            self._bundle.update(state="complete")
        except KeyboardInterrupt:
            self._bundle.update(state="interrupted")
            raise
        finally:
            settle(self._bundle, self._cells, self._parts.runtimes)
            self._took("total", time.monotonic() - began)
            if waited := self._executor.waited_seconds:
                self._took("waiting", waited)
            self._bundle.save()
            shutil.rmtree(self._scratch, ignore_errors=True)

    def _took(self, what: str, more: float) -> None:
        """Add to the manifest's seconds: a bundle may be measured in several goes."""
        seconds = self._bundle.manifest.seconds
        took = round(seconds.get(what, 0.0) + more, 3)
        self._bundle.update(seconds={**seconds, what: took})

    def _elsewhere(self) -> Refuse | None:
        """Return what refuses cells that are made ready elsewhere; None where they are made ready here."""
        return None

    # measuring

    def _measure(self, cells: Sequence[Cell]) -> None:
        blocks = self._blocks(cells)
        self._later = sum(len(block.builds) for block in blocks)
        clock = Clock(self._later)
        for block in blocks:
            self._later -= len(block.builds)
            for build in self._ended(block):
                self._keep(build, clock)

    def _keep(self, ended: EndedBuild, clock: Clock) -> None:
        """Put a build that is over into the bundle.

        :raises KeyboardInterrupt: it was interrupted, and is no build that failed: a resumed run measures it
        """
        cell, number, result = ended.planned.cell, ended.planned.number, ended.result
        if result.outcome.status == "interrupted":
            shutil.rmtree(result.folder, ignore_errors=True)
            self._say(f"interrupted: {cell.id}: {result.outcome.reason}")
            raise KeyboardInterrupt
        run = self._bundle.manifest.run
        document = structs.replace(result.document, run=run, pool=run, round=number)
        self._bundle.put_build(result.folder, document)
        said = f"round {number + 1}/{max(number + 1, self._rounds)}  {cell.id}{self._where}"
        self._say(clock.step(said, document.state, self._later))

    def _blocks(self, cells: Sequence[Cell]) -> list[Block]:
        """Return the blocks of the run, each in a random order of its builds; what is there is left out."""
        builds: dict[tuple[str, ...], list[PlannedBuild]] = {}
        for round_ in range(self._rounds):
            for cell in self._order(cells, round_):
                number = self._number(cell, round_)
                builds.setdefault(self._block_of(cell, number), []).append(PlannedBuild(cell, number))
        return [
            Block(tuple(planned), self._preparation.devices[planned[0].cell]) for planned in builds.values()
        ]

    def _number(self, cell: Cell, round_: int) -> int:
        return self._begin.get(cell, 0) + round_

    def _block_of(self, cell: Cell, round_: int) -> tuple[str, ...]:
        """Return what builds of one block share; a build that begins with another's cache waits for it."""
        together = (self._preparation.devices[cell], cell.beside)
        return together if cell.treatment.timing_cache != "on" else (*together, cell.id, str(round_))

    def _device(self, cell: Cell) -> str:
        gpu = self._parts.runtimes[cell.runtime].device_of(cell.version) == "gpu"
        return (self._settings.device or UNKNOWN) if gpu else CPU

    def _order(self, cells: Sequence[Cell], round_: int) -> list[Cell]:
        """Return the cells of a round that are still to be measured, in the round's own random order."""
        order = list(cells)
        random.Random(f"{self._settings.seed}/{round_}").shuffle(order)
        return [cell for cell in order if not self._done(cell, self._number(cell, round_))]

    def _done(self, cell: Cell, round_: int) -> bool:
        if not self._bundle.has_build(cell.id, round_):
            return False
        return not self._retry_failed or self._bundle.build(cell.id, round_).status != "failed"

    def _ended(self, block: Block) -> Iterator[EndedBuild]:
        """Yield the builds of *block* as they end; those that the executor lost are failed ones."""
        left = list(block.builds)
        who = f"executor '{self._executor.name}'"
        reason = f"{who} gave the build up without a word"
        try:
            ended = self._executor.run(block, self._measure_block)
            if not isinstance(ended, Generator):
                raise PluginPartError(f"{who}: run() returned {type(ended).__name__}, not a generator")
            with closing(ended):
                for build in ended:
                    if build.planned in left:
                        left.remove(build.planned)
                    elif not self._is_further(build.planned, block):
                        raise PluginPartError(
                            f"{who}: run() yielded a build twice, or one that it was not given"
                        )
                    yield build
        except PluginError as error:
            if self._own_error is not None:
                # Raised by what the executor was given: nothing that is its fault.
                raise self._own_error from None
            reason = str(error)
        yield from (EndedBuild(planned, failed_build(planned, reason, self._scratch)) for planned in left)

    def _is_further(self, planned: PlannedBuild, block: Block) -> bool:
        """Say whether *planned* is one more build of a cell of *block*, and new."""
        new = planned.number >= self._number(planned.cell, self._rounds)
        new = new and not self._bundle.has_build(planned.cell.id, planned.number)
        return new and planned.cell in {one.cell for one in block.builds}

    def _next_number(self, cell: Cell) -> int:
        """Return the number of one more build of *cell*."""
        there = (build.build for build in self._bundle.builds(cell.id))
        self._last[cell] = max(self._last.get(cell, self._number(cell, self._rounds) - 1), *there, -1) + 1
        return self._last[cell]

    def _measure_block(self, block: Block) -> Iterator[EndedBuild]:
        """Measure the builds of *block* on this machine, side by side."""
        room, builds, later = Room(block.device), len(block.builds), self._later
        self._budget.waited(self._executor.waited_seconds)
        further = Further(
            lambda took: self._budget.share(builds, took, later), self._budget.precision, self._next_number
        )
        # A GPU's builder times its kernels while it builds, and nothing may run beside it.
        self._building = self._settings.build_cpus if block.device == CPU else ()
        measurement = BlockMeasurement(
            self._open,
            room.for_one_more,
            self._settings.seed,
            self._say,
            further,
            self._processes,
            at_once=max(1, len(self._building)),
            check=self._check,
        )
        host = Host(machine=host_name(), device=block.device)
        try:
            for ended in measurement.run(block):
                # Here, on the machine that measures: an executor may have a block measured on another one.
                document = structs.replace(ended.result.document, host=host)
                yield replace(ended, result=replace(ended.result, document=document))
        except Exception as error:
            self._own_error = error
            raise

    def _processes(self, cell: Cell) -> int:
        """Return how many processes an engine of *cell* is measured in."""
        return self._settings.processes if self._parts.runtimes[cell.runtime].keeps_engines else 1

    def _open(self, planned: PlannedBuild, slot: int) -> OpenJob | BuildResult:
        """Start the worker of a build.

        :param slot: which of the builds that are made at once it is, from 0
        """
        cell, number = planned.cell, planned.number
        # Each set of libraries reaches peaks of its own; those of a host are the largest of its builds.
        peaks = where(cell) not in self._peaks_known
        self._peaks_known.add(where(cell))
        here = self._building[slot : slot + 1] if len(self._building) > 1 else None
        try:
            return OpenJob(
                cell,
                number,
                self._inputs.get(cell),
                self._parts.runtimes[cell.runtime],
                self._preparation.environment(cell),
                replace(self._settings, seed=self._settings.seed + number, peaks=peaks, build_affinity=here),
                self._scratch,
                earlier_cache(self._bundle, cell, number),
            )
        except PluginError as error:
            return failed_build(planned, str(error), self._scratch)
