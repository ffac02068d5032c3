"""A visit: measures blocks on this host until all are there or the time is up; resumes what it finds.

::

    RESULTS/run-PACK                      id of the run that all visits of these results belong to
    RESULTS/plan-PACK.json                cells and matrix of the pack, so that results can be read without it
    RESULTS/HOST/visit-ID.json            host, seed, pack, what was asked for, what came of it
    RESULTS/HOST/builds/CELL/ROUND/       outcome.json (written last), and the worker's result folder
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from .blocks import Block, Budget, blocks, kind_of
from .machine import gpu_state, host_facts
from .pieces import write_pieces
from .unpack import Pack, PackError, link
from .worker_process import fresh, place_job, run_worker, variables

VISIT_SCHEMA = "trtmatrix.visit/2"
TIMING_CACHE = "timing.cache"
HOME_EVERY = 300.0
"""Seconds: a host that is taken away costs what it measured in so long, and the archives stay few."""
_PLAN_KEYS = ("schema", "id", "harness", "made", "python", "seed", "builds", "matrix", "jobs")


class VisitOptions(NamedTuple):
    """What the user asked of a visit.

    :param rounds: first and one past the last round; :param retry: measure builds again that failed
    :param gpu: index or UUID of the GPU to measure on, None for the first
    :param by_round: one round of everything before the next round of anything
    :param home: folder for archives of the results; :param piece_bytes: largest archive
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
        self.record = self.folder / f"visit-{self.id}.json"
        self._hopeless: dict[str, str] = {}
        # Subject to what is compared with it on one host: its other ReLU6 form.
        self._together = {str(job["subject"]): str(job["together"]) for job in pack.document["jobs"].values()}
        self._mine: dict[str, bool] = {}  # what belongs together to whether this visit has it
        self._written = self._pieces = 0
        self._went_home = time.monotonic()
        self._worker = worker_digest(pack.root / "code")

    def run(self) -> int:
        """Measure; return the number of blocks that are still to be done."""
        jobs = {cell: self.pack.document["jobs"][cell] for cell in self.options.cells}
        first, end = self.options.rounds
        ordered = blocks(jobs, end, self.options.seed, by_round=self.options.by_round)
        todo = [block for block in ordered if block.round >= first]
        self._save_plan()
        self._join_run()
        with self._alone():
            self._look_back()
            self._save("running")
            left = [block for block in todo if self._missing(block)]
            try:
                self._measure(left)
            finally:
                # What a visit beside this one has taken is for that one to finish.
                left = [b for b in left if self._mine.get(self._together[b.subject], True)]
                left = [b for b in left if self._missing(b)]
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

    def _measure(self, todo: Sequence[Block]) -> None:
        with contextlib.ExitStack() as claims:
            for block in todo:
                missing = self._missing(block)
                if not missing:
                    continue
                if not self.budget.allows(missing):
                    need = sum(self.budget.expected(cell) for cell in missing)
                    self._say(f"{block.subject}: a block of about {need:.0f} s does not fit into the budget")
                    continue
                together = self._together[block.subject]
                if together not in self._mine:
                    self._mine[together] = self._claim(together, claims)
                    # Free because the visit beside this one has ended: it may have measured the block by now.
                    missing = self._missing(block)
                if self._mine[together] and missing:
                    self._block(block, missing)
                    if time.monotonic() - self._went_home >= self.options.home_every:
                        self._save("running")
                        self._go_home()

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

    def _block(self, block: Block, missing: Sequence[str]) -> None:
        """Measure the builds of *block* that are missing, as far as the time goes."""
        for cell in missing:
            if not self.budget.allows([cell]):
                self._say(f"{block.subject} round {block.round}: left in the middle, the time is up")
                return
            outcome = self._build(cell, block.round)
            self.budget.took(cell, outcome["seconds"])
            said = (
                "" if outcome["status"] == "ok" else "  {}: {}".format(outcome["status"], outcome["reason"])
            )
            self._say(
                "[{:5.0f} s] round {} {}  {:.1f} s{}".format(
                    self.budget.clock(), block.round, cell, outcome["seconds"], said
                )
            )

    def _build(self, cell: str, number: int) -> dict[str, Any]:
        job = self.pack.document["jobs"][cell]
        site, inputs = self.pack.site(job["site"]), self.pack.site(job["inputs"])
        work = self.folder / "work"
        result, folder = fresh(work / "result"), fresh(work / "job")
        seed = self.options.seed + number
        document = self._document(job, number, seed)
        cache = self._earlier_cache(cell, number, document)
        if cache is not None:
            link(cache, folder / TIMING_CACHE)
            document["options"] = dict(document["options"], timing_cache_file=TIMING_CACHE)
        path = place_job(folder, document, inputs)
        entry = self.pack.document["sites"][job["site"]]
        python, code = self.pack.python, self.pack.root / "code"
        environment = variables(python.parent.parent, code, site, entry)
        before, started = gpu_state(self._gpu), time.time()
        command = [str(python), "-m", "harness.worker", str(path), str(result)]
        outcome = run_worker(command, path, result, environment, job["seconds_limit"])
        outcome.update(
            schema=VISIT_SCHEMA, visit=self.id, cell=cell, round=number, seed=seed, started=started,
            host=self.facts["host"], worker=self._worker, gpu_before=before, gpu_after=gpu_state(self._gpu),
            run=self.run_id, **_said(result, outcome)
        )  # fmt: skip
        (result / "outcome.json").write_text(json.dumps(outcome, indent=1), encoding="utf-8")
        target = self._folder(cell, number)
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists():
            fresh(target).rmdir()
        result.replace(target)
        self.made.append(target)
        if outcome["status"] == "unsupported":
            self._hopeless[cell] = outcome["reason"]
        return outcome

    def _earlier_cache(self, cell: str, number: int, document: Mapping[str, Any]) -> Path | None:
        """Return the timing cache of the latest earlier build here, None where the treatment keeps none."""
        if document["cell"].get("treatment", {}).get("timing_cache") != "on":
            return None
        paths = (self._folder(cell, n) / "evidence" / TIMING_CACHE for n in reversed(range(number)))
        return next((path for path in paths if path.is_file()), None)

    def _document(self, job: Mapping[str, Any], number: int, seed: int) -> dict[str, Any]:
        device = self._gpu if job["wants_gpu"] else None
        return dict(job["document"], build=number, seed=seed, device=device)

    def _folder(self, cell: str, number: int) -> Path:
        return self.folder / "builds" / cell / str(number)

    def _missing(self, block: Block) -> list[str]:
        """Return the cells of *block* to be measured here; none where one host has the whole block."""
        for other in sorted(self._results.glob("*/builds")):
            if all(self._done(other / cell / str(block.round)) for cell in block.cells):
                return []
        wanted = [cell for cell in block.cells if cell not in self._hopeless]
        return [cell for cell in wanted if not self._done(self._folder(cell, block.round))]

    def _done(self, folder: Path) -> bool:
        outcome = _outcome(folder)
        if outcome is None:
            return False
        return outcome.get("status") in ("ok", "unsupported") or not self.options.retry

    def _look_back(self) -> None:
        """Learn from the builds that are here already how long they take and which cells cannot run."""
        for path in self.folder.glob("builds/*/*/outcome.json"):
            outcome = _outcome(path.parent)
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


def _outcome(folder: Path) -> dict[str, Any] | None:
    """Return a build's ``outcome.json``, None where the build never ended or the file is torn."""
    try:
        found: dict[str, Any] = json.loads((folder / "outcome.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found


def _said(result: Path, outcome: Mapping[str, Any]) -> dict[str, Any]:
    """Return status and reason of ``result.json`` where the worker came to its end."""
    if outcome["status"] != "ok":
        return {}
    try:
        said = json.loads((result / "result.json").read_text(encoding="utf-8"))
        return {"status": said["status"], "reason": said["reason"]}
    except (ValueError, KeyError) as error:
        return {"status": "failed", "reason": f"result.json is torn: {error}"}


def worker_digest(folder: Path) -> str:
    """Return a digest of the worker's files: builds made with another worker are told apart by it."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    if not folder.is_dir():
        raise PackError(f"{folder}: the worker is missing")
    return digest.hexdigest()[:16]
