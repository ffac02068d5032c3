"""The schedule of a run whose blocks are measured by a fleet: planned and kept here, measured elsewhere."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from harness.environments.base import Outcome
from harness.environments.docker.settings import NO_BUILD
from harness.execution.base import Block, BuildResult, EndedBuild, failed_build
from harness.execution.dispatch import Became, Cut, Dispatch, GivenUp, Home, refusals
from harness.execution.fleet import GPU, Fleet, Order, Place, Refused, need_of
from harness.execution.job import earlier_cache
from harness.execution.placing import groups
from harness.execution.preparing import Refuse
from harness.execution.progress import Clock
from harness.execution.schedule import Schedule
from harness.execution.sending import Sending, unpack
from harness.matrix.cell import Cell
from harness.store.documents.base import read_document
from harness.store.documents.build import Build
from harness.store.documents.origin import CPU, Host


class FleetSchedule(Schedule):
    """Measures cells into a bundle, each block on a node of *fleet*; takes what :class:`Schedule` takes."""

    def __init__(self, fleet: Fleet, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._fleet = fleet
        self._needs = list(dict.fromkeys(need_of(cell) for cell in self._cells))
        self._sending = Sending(self._inputs, self._parts.runtimes)

    # before measuring

    def _device(self, cell: Cell) -> str:
        return self._kind(cell)

    def _kind(self, cell: Cell) -> str:
        """Return the kind of place that *cell* waits for: a GPU, too, where it would use one."""
        runtime = self._parts.runtimes[cell.runtime]
        if runtime.device_of(cell.version) == GPU:
            return GPU
        if runtime.measures_on_gpu(cell.version) and any(p.kind == GPU for p in self._places()):
            return GPU
        return CPU

    def _elsewhere(self) -> Refuse:
        return self._refused

    def _refused(self, cell: Cell) -> tuple[str, str] | None:
        places, kind = self._places(), self._preparation.devices[cell]
        if any(place.kind == kind and place.runs([cell]) for place in places):
            return None  # Made ready where it is measured.
        (refused,) = refusals([cell], kind, places)
        return refused.status, refused.reason

    def _places(self) -> Sequence[Place]:
        return self._fleet.places(self._needs)

    # measuring

    def _measure(self, cells: Sequence[Cell]) -> None:
        hosts = self._hosts(cells)
        waiting = groups(self._blocks(cells), hosts)
        clock = Clock(sum(group.left for group in waiting))
        dispatch = Dispatch(self._fleet, waiting, self._order_for, self._say)
        with closing(dispatch.run()) as became:
            for one in became:
                self._later = dispatch.later
                self._take(one, clock)

    def _hosts(self, cells: Sequence[Cell]) -> dict[str, Host]:
        """Return the host that has builds of what is measured side by side, of what an earlier go left.

        Where that host is not there now and builds are missing, those it has are set aside: versions are
        compared on one host alone. What is measured once more to confirm it keeps what it had.
        """
        there = {place.host for place in self._places()}
        hosts: dict[str, Host] = {}
        for beside in dict.fromkeys(cell.beside for cell in cells):
            mine = [cell for cell in cells if cell.beside == beside]
            builds = [build for cell in mine for build in self._bundle.builds(cell.id)]
            found = dict.fromkeys(build.document.host for build in builds)
            home = next((host for host in found if host in there), None)
            if home is not None:
                hosts[beside] = home
            elif found and not self._bundle.manifest.confirming and self._blocks(mine):
                self._say(
                    f"{beside}: measured anew, since {next(iter(found)).name} is not in the cluster now"
                )
                for build in builds:
                    self._bundle.set_aside(build.cell_id, build.build)
        return hosts

    def _order_for(self, block: Block, place: Place, later: int) -> tuple[Order, Mapping[str, Path]]:
        cells = list(dict.fromkeys(build.cell for build in block.builds))
        caches = {
            planned: self._sending.add(path)
            for planned in block.builds
            if (path := earlier_cache(self._bundle, planned.cell, planned.number)) is not None
        }
        order = Order(
            builds=block.builds,
            kind=place.kind,
            settings=self._settings,
            rounds=self._rounds,
            number=place.number,
            numbers={cell: self._free_number(cell) for cell in cells},
            later=later,
            seconds=self._budget.left,
            precision=self._budget.precision,
            check=self._check,
            inputs=self._sending.networks(cells),
            caches=caches,
            command=sys.argv,
            variables={NO_BUILD: os.environ[NO_BUILD]} if NO_BUILD in os.environ else {},
        )
        named = {*(d for files in order.inputs.values() for d in files.values()), *caches.values()}
        return order, {digest: self._sending.files[digest] for digest in named}

    def _free_number(self, cell: Cell) -> int:
        """Return the number of the first build of *cell* beyond those of the rounds."""
        return (
            max(
                [
                    self._number(cell, self._rounds) - 1,
                    *(build.build for build in self._bundle.builds(cell.id)),
                ]
            )
            + 1
        )

    def _take(self, became: Became, clock: Clock) -> None:
        if isinstance(became, Home):
            self._where = f" on {became.place.name}"
            self._keep(self._ended_there(became), clock)
        elif isinstance(became, Refused):
            cell = next(cell for cell in self._cells if cell.id == became.cell)
            self._bundle.set_cell(cell, became.status, became.reason)
        elif isinstance(became, Cut):
            there = f"; {len(became.home)} that came home are set aside" if became.home else ""
            self._say(f"{became.place.name} is lost ({became.reason}): its block is measured again{there}")
            for planned in became.home:
                self._bundle.set_aside(planned.cell.id, planned.number)
        elif isinstance(became, GivenUp):
            for planned in became.builds:
                self._keep(EndedBuild(planned, failed_build(planned, became.reason, self._scratch)), clock)

    def _ended_there(self, home: Home) -> EndedBuild:
        """Return a build that came home, its files in a folder of this run."""
        folder = Path(tempfile.mkdtemp(dir=self._scratch, prefix="result-"))
        unpack(home.came.files, folder)
        document = read_document(folder / "build.json", Build)
        outcome = Outcome(home.came.status, home.came.reason)
        return EndedBuild(home.planned, BuildResult(folder, document, outcome))
