"""A visit: measures blocks on this host until all is there or the time is up; resumes what it finds.

::

    RESULTS/run-PACK                      id of the run that all visits of these results belong to
    RESULTS/plan-PACK.json                cells and matrix of the pack, so that results can be read without it
    RESULTS/HOST/visit-ID.json            host, seed, pack, what was asked for, what came of it
    RESULTS/HOST/builds/CELL/ROUND/       outcome.json (written last), and the worker's result folder
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import random
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from .blocks import Budget, Round, block_of, kind_of, rounds_of
from .builds import Asked, HostBuild, HostBuilds, outcome_of, worker_digest
from .machine import host_facts
from .pieces import write_pieces
from .side_by_side import HostBlock
from .unpack import Pack, PackError
from .worker_process import fresh

VISIT_SCHEMA = "trtmatrix.visit/2"
HOME_EVERY = 300.0
"""Seconds: a host that is taken away costs what it measured in so long, and the archives stay few."""
_PLAN_KEYS = ("schema", "id", "harness", "made", "python", "seed", "builds", "matrix", "jobs")


class VisitOptions(NamedTuple):
    """What the user asked of a visit.

    :param rounds: first and one past the last round; :param retry: measure builds again that failed
    :param gpu: index or UUID of the GPU to measure on, None for the first
    :param by_round: one round of everything before the next round of anything
    :param home: folder for archives of the results; :param piece_bytes: largest archive
    :param engines: folder in which engines are kept, None for not at all
    :param home_every: seconds after which a block's end is followed by an archive of what is new
    """

    cells: Sequence[str]
    rounds: tuple[int, int]
    budget: float | None
    seed: int
    retry: bool = False
    gpu: str | None = None
    by_round: bool = False
    home: Path | None = None
    piece_bytes: int = 15_000_000
    home_every: float = HOME_EVERY
    engines: Path | None = None


class Visit:
    """One stay on a host.

    :param began: ``time.monotonic`` when the start script began, from which the budget counts
    """

    def __init__(
        self, pack: Pack, results: Path, options: VisitOptions, say: Callable[[str], None], began: float
    ) -> None:
        self.pack, self.options, self._say = pack, options, say
        self.facts = host_facts(options.gpu)
        self._gpu = self.facts["gpus"][0]["uuid"] if self.facts["gpus"] else None
        self._results = results
        self.folder = results / re.sub(r"[^A-Za-z0-9_.-]", "_", self.facts["host"])
        self.id = "{}-{}".format(time.strftime("%Y%m%d-%H%M%S", time.gmtime()), os.urandom(2).hex())
        self.run_id = self.id  # of its run, which earlier visits may have begun
        kinds = {cell: kind_of(job) for cell, job in pack.document["jobs"].items()}
        self.budget = Budget(options.budget, lambda: time.monotonic() - began, kinds)
        self.made: list[Path] = []
        self.ended: Counter[str] = Counter()  # status to builds
        self.record = self.folder / f"visit-{self.id}.json"
        self._hopeless: dict[str, str] = {}
        # Subject to what is compared with it on one host: its other ReLU6 form.
        self._together = {str(job["subject"]): str(job["together"]) for job in pack.document["jobs"].values()}
        self._mine: dict[str, bool] = {}  # what belongs together to whether this visit has it
        self._written = self._pieces = 0
        self._went_home = time.monotonic()

    def run(self) -> int:
        """Measure; return the number of rounds that are still to be done."""
        jobs = {cell: self.pack.document["jobs"][cell] for cell in self.options.cells}
        first, end = self.options.rounds
        ordered = rounds_of(jobs, end, self.options.seed, by_round=self.options.by_round)
        todo = [one for one in ordered if one.round >= first]
        self._save_plan()
        self._join_run()
        self._builds = HostBuilds(
            self.pack, self.folder, self.options.seed, self._gpu, self._origin(), self.options.engines
        )
        with self._alone():
            fresh(self.folder / "work")
            self._look_back()
            self._save("running")
            left = [one for one in todo if self._missing(one)]
            try:
                self._measure(left)
            finally:
                # What a visit beside this one has taken is for that one to finish.
                left = [one for one in left if self._mine.get(self._together[one.subject], True)]
                left = [one for one in left if self._missing(one)]
                self._save("budget" if left else "complete")
                self._go_home()
        return len(left)

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Hold this GPU: builds beside each other would time each other's kernels.

        :raises PackError: another visit of these results holds it
        """
        with (self.folder / "lock").open("w") as stream:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise PackError(f"{self.folder}: another visit is measuring on this GPU") from None
            yield

    def _measure(self, todo: Sequence[Round]) -> None:
        with contextlib.ExitStack() as claims:
            for (together, *_), pairs in self._blocks(todo).items():
                if not self._fitting(pairs):
                    continue
                if together not in self._mine:
                    self._mine[together] = self._claim(together, claims)
                # Free because the visit beside this one has ended: it may have measured some by now.
                asked = self._fitting(pairs) if self._mine[together] else []
                if asked:
                    self._block(asked)
                    if time.monotonic() - self._went_home >= self.options.home_every:
                        self._save("running")
                        self._go_home()

    def _blocks(self, todo: Sequence[Round]) -> dict[tuple[Any, ...], list[tuple[Round, str]]]:
        """Return the cells of the rounds that are measured side by side, by what they share."""
        found: dict[tuple[Any, ...], list[tuple[Round, str]]] = {}
        for one in todo:
            for cell in one.cells:
                job = self.pack.document["jobs"][cell]
                key = block_of(job, one.round, by_round=self.options.by_round)
                found.setdefault(key, []).append((one, cell))
        return found

    def _fitting(self, pairs: Sequence[tuple[Round, str]]) -> list[Asked]:
        """Return what of a block is missing, round by round; nothing where the time is too short to begin.

        Whether it does for the rounds after the first is seen on the way. Before any build was seen one is
        enough to begin with: what it takes says more than a guess.
        """
        missing: dict[int, list[str]] = {}
        for one in dict.fromkeys(one for one, _ in pairs):
            own = [cell for other, cell in pairs if other == one]
            missing.setdefault(one.round, []).extend(cell for cell in self._missing(one) if cell in own)
        found: list[Asked] = []
        for number, cells in sorted(missing.items()):
            first = cells[:1] if self.budget.unseen else cells
            if not found and cells and not self.budget.allows(first):
                need = sum(map(self.budget.expected, first))
                what = "build" if self.budget.unseen else "round"
                self._say(
                    f"{cells[0]} round {number}: a {what} of about {need:.0f} s does not fit into the budget"
                )
                break
            random.Random(f"{self.options.seed}/{number}/{min(cells, default='')}").shuffle(cells)
            found.extend(Asked(cell, number) for cell in cells)
        return found

    def _claim(self, together: str, claims: contextlib.ExitStack) -> bool:
        """Take subjects for this GPU until the visit ends; False where a visit beside this one has them."""
        folder = self._results / "claims"
        folder.mkdir(exist_ok=True)
        stream = claims.enter_context((folder / together).open("w"))
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True

    def _go_home(self) -> None:
        """Write the builds that are new since the last time as archives."""
        home = self.options.home
        # A visit that measured nothing has a record, which says so.
        if home is None or (self._pieces and self._written == len(self.made)):
            return
        records = [self.record, *self._results.glob("plan-*.json")]
        new = self.made[self._written :]
        for path in write_pieces(self._results, new, records, home, self.options.piece_bytes, self._pieces):
            self._say(f"{path.name}: {path.stat().st_size} bytes")
            self._pieces += 1
        self._written, self._went_home = len(self.made), time.monotonic()

    def _block(self, asked: Sequence[Asked]) -> None:
        """Measure builds side by side, as far as the time goes."""

        def allows(cells: Sequence[str], owed: float) -> bool:
            # Nobody knows what a round takes before a build was seen: the first one says.
            return self.budget.allows(cells[:1] if self.budget.unseen else cells, owed)

        def start(one: Asked) -> HostBuild | None:
            if one.cell in self._hopeless:
                return None
            self._say(f"[{self.budget.clock():5.0f} s] building {one.cell}, round {one.round}")
            return self._builds.start(one)

        measured = HostBlock(start, allows, self.budget.took, self._gpu, self.options.seed, self._say)
        with contextlib.closing(measured.run(asked)) as ended:
            for build, block in ended:
                self._keep(build, block)

    def _keep(self, build: HostBuild, block: str) -> None:
        """Put a build that is over among the results."""
        target, outcome = self._builds.keep(build, block)
        self.made.append(target)
        self.ended["measured" if outcome["status"] == "ok" else outcome["status"]] += 1
        cell, status, seconds = build.asked.cell, outcome["status"], outcome["seconds"]
        if status == "unsupported":
            self._hopeless[cell] = outcome["reason"]
        self.budget.took(cell, seconds)
        said = "" if status == "ok" else "  {}: {}".format(status, outcome["reason"])
        self._say(f"[{self.budget.clock():5.0f} s] round {build.asked.round} {cell}  {seconds:.1f} s{said}")

    def _missing(self, one: Round) -> list[str]:
        """Return the cells of a round to be measured here; none where one host has the whole round."""
        for other in sorted(self._results.glob("*/builds")):
            if all(self._done(other / cell / str(one.round)) for cell in one.cells):
                return []
        wanted = [cell for cell in one.cells if cell not in self._hopeless]
        return [cell for cell in wanted if not self._done(self._builds.folder(cell, one.round))]

    def _done(self, folder: Path) -> bool:
        outcome = outcome_of(folder)
        if outcome is None:
            return False
        return outcome.get("status") in ("ok", "unsupported") or not self.options.retry

    def _look_back(self) -> None:
        """Learn from the builds that are here already how long they take and which cells cannot run."""
        for path in self.folder.glob("builds/*/*/outcome.json"):
            outcome = outcome_of(path.parent)
            # A folder of results may hold those of another pack.
            if outcome is not None and outcome["cell"] in self.pack.document["jobs"]:
                self.budget.took(outcome["cell"], float(outcome["seconds"]))
                if outcome["status"] == "unsupported":
                    self._hopeless[outcome["cell"]] = outcome["reason"]

    def _join_run(self) -> None:
        """Take the run that an earlier visit to these results, or one beside this one, has begun."""
        path = self._results / "run-{}".format(self.pack.document["id"])
        with path.open("a+", encoding="utf-8") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX)
            stream.seek(0)
            self.run_id = stream.read().strip() or self.id
            if self.run_id == self.id:
                stream.write(self.id + "\n")

    def _origin(self) -> dict[str, Any]:
        """Return what the outcome of each build says of where it comes from."""
        worker = worker_digest(self.pack.root / "code")
        said = {"visit": self.id, "run": self.run_id, "host": self.facts["host"], "worker": worker}
        return {"schema": VISIT_SCHEMA, **said}

    def _save_plan(self) -> None:
        document = {key: value for key, value in self.pack.document.items() if key in _PLAN_KEYS}
        sites = self.pack.document["sites"].items()
        document["sites"] = {name: {"facts": site["facts"]} for name, site in sites if "facts" in site}
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self._results / "plan-{}.json".format(self.pack.document["id"])
        path.write_text(json.dumps(document, indent=1), encoding="utf-8")

    def _save(self, state: str) -> None:
        document = {
            "schema": VISIT_SCHEMA,
            "visit": self.id,
            "run": self.run_id,
            "state": state,
            "pack": self.pack.document["id"],
            "seed": self.options.seed,
            "rounds": list(self.options.rounds),
            "cells": list(self.options.cells),
            "budget_seconds": self.options.budget,
            "seconds": self.budget.clock(),
            "builds": [[path.parent.name, int(path.name)] for path in self.made],
            **self.facts,
        }
        self.record.write_text(json.dumps(document, indent=1), encoding="utf-8")
