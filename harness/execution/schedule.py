"""The schedule of a run: blocks of builds that will be compared, resumable.

A block is a network and treatment, with all versions and both ReLU6 forms, on one device: all of its builds
are measured side by side (see :mod:`harness.execution.lockstep`), so that what drifts meets them alike.
"""

from __future__ import annotations

import random
import shutil
import tempfile
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from msgspec import structs

from harness.environments.base import Prepared
from harness.errors import PluginError, PluginPartError, UnavailableError, UsageError
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
from harness.execution.progress import Clock
from harness.execution.settle import settle
from harness.matrix.cell import Cell
from harness.runtimes.base import Runtime
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
    ) -> None:
        self._budget, self._later, self._check = budget or Budget(), 0, check
        self._where = ""  # a build is measured, to end its line: nothing for this machine
        self._last: dict[Cell, int] = {}
        self._bundle, self._cells, self._parts, self._settings = bundle, list(cells), parts, settings
        self._rounds, self._say, self._retry_failed = rounds, say, retry_failed
        self._executor = parts.executors[executor].telling(say)
        self._own_error: Exception | None = None
        self._scratch = Path(tempfile.mkdtemp(dir=bundle.root, prefix=SCRATCH))
        self._inputs = InputStore(self._scratch / "inputs", parts.networks, settings.seed)
        self._devices: dict[Cell, str] = {}
        self._prepared: dict[tuple[str, str, str], Prepared | tuple[str, str]] = {}
        self._peaks_known: set[tuple[str, str, str]] = set()

    def run(self) -> None:
        """Measure everything that is missing; on an interruption the bundle keeps what there is."""
        began = time.monotonic()
        try:
            runnable = [cell for cell in self._cells if self._prepare(cell)]
            self._took("prepare", began)
            self._measure(runnable)
            self._bundle.update(state="complete")
        except KeyboardInterrupt:
            self._bundle.update(state="interrupted")
            raise
        finally:
            settle(self._bundle, self._cells, self._parts.runtimes)
            self._took("total", began)
            self._bundle.save()
            shutil.rmtree(self._scratch, ignore_errors=True)

    def _took(self, what: str, began: float) -> None:
        """Add to the manifest's seconds: a bundle may be measured in several goes."""
        seconds = self._bundle.manifest.seconds
        took = round(seconds.get(what, 0.0) + time.monotonic() - began, 3)
        self._bundle.update(seconds={**seconds, what: took})

    # before measuring

    def _prepare(self, cell: Cell) -> bool:
        """Make what *cell* needs; say in the manifest why where that fails, or where a plugin does."""
        try:
            self._devices[cell] = self._device(cell)
            return self._prepare_cell(cell)
        except PluginError as error:
            self._bundle.set_cell(cell, "failed", str(error))
            return False

    def _prepare_cell(self, cell: Cell) -> bool:
        runtime = self._parts.runtimes[cell.runtime]
        reason = self._parts.unsupported(cell)
        if reason:
            self._bundle.set_cell(cell, "unsupported", reason)
            return False
        refused = self._refused(cell, runtime)
        if refused is not None:
            self._bundle.set_cell(cell, *refused)
            return False
        try:
            inputs = self._inputs.get(cell)
        except UsageError as error:
            self._bundle.set_cell(cell, "unsupported", str(error))
            return False
        self._bundle.keep_network(cell, inputs.network)
        self._bundle.set_cell(cell, "pending", "", inputs.graph.digest)
        return True

    def _refused(self, cell: Cell, runtime: Runtime) -> tuple[str, str] | None:
        """Make the environment of *cell*; return status and reason where that fails."""
        key = (cell.runtime, cell.version, cell.environment)
        if key not in self._prepared:
            self._prepared[key] = self._prepare_environment(cell, runtime)
        prepared = self._prepared[key]
        return prepared if isinstance(prepared, tuple) else None

    def _prepare_environment(self, cell: Cell, runtime: Runtime) -> Prepared | tuple[str, str]:
        environment = self._parts.environments[cell.environment]
        available = environment.availability(runtime, cell.version)
        if available.state != "ok":
            return available.state, "; ".join(p for p in (available.reason, available.remedy) if p)
        try:
            return environment.prepare(runtime, cell.version, self._say)
        except UnavailableError as error:
            return "unavailable", str(error)

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
                builds.setdefault(self._block_of(cell, round_), []).append(PlannedBuild(cell, round_))
        return [Block(tuple(planned), self._devices[planned[0].cell]) for planned in builds.values()]

    def _block_of(self, cell: Cell, round_: int) -> tuple[str, ...]:
        """Return what builds of one block share; a build that begins with another's cache waits for it."""
        together = (self._devices[cell], cell.beside)
        return together if cell.treatment.timing_cache != "on" else (*together, cell.id, str(round_))

    def _device(self, cell: Cell) -> str:
        gpu = self._parts.runtimes[cell.runtime].device_of(cell.version) == "gpu"
        return (self._settings.device or UNKNOWN) if gpu else CPU

    def _order(self, cells: Sequence[Cell], round_: int) -> list[Cell]:
        """Return the cells of a round that are still to be measured, in the round's own random order."""
        order = list(cells)
        random.Random(f"{self._settings.seed}/{round_}").shuffle(order)
        return [cell for cell in order if not self._done(cell, round_)]

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
        new = planned.number >= self._rounds and not self._bundle.has_build(planned.cell.id, planned.number)
        return new and planned.cell in {one.cell for one in block.builds}

    def _next_number(self, cell: Cell) -> int:
        """Return the number of one more build of *cell*."""
        there = (build.build for build in self._bundle.builds(cell.id))
        self._last[cell] = max(self._last.get(cell, self._rounds - 1), *there, -1) + 1
        return self._last[cell]

    def _measure_block(self, block: Block) -> Iterator[EndedBuild]:
        """Measure the builds of *block* on this machine, side by side."""
        room, builds, later = Room(block.device), len(block.builds), self._later
        further = Further(
            lambda took: self._budget.share(builds, took, later), self._budget.precision, self._next_number
        )
        measurement = BlockMeasurement(
            self._open,
            room.for_one_more,
            self._settings.seed,
            self._say,
            further,
            self._processes,
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

    def _open(self, planned: PlannedBuild) -> OpenJob | BuildResult:
        """Start the worker of a build."""
        cell, number = planned.cell, planned.number
        where = cell.runtime, cell.version, cell.environment
        prepared = self._prepared[where]
        assert not isinstance(prepared, tuple)
        # Each set of libraries reaches peaks of its own; those of a host are the largest of its builds.
        peaks = where not in self._peaks_known
        self._peaks_known.add(where)
        try:
            return OpenJob(
                cell,
                number,
                self._inputs.get(cell),
                self._parts.runtimes[cell.runtime],
                prepared,
                replace(self._settings, seed=self._settings.seed + number, peaks=peaks),
                self._scratch,
                earlier_cache(self._bundle, cell, number),
            )
        except PluginError as error:
            return failed_build(planned, str(error), self._scratch)
