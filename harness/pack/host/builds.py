"""The builds of a visit: the folders of each, its worker, and what is kept of it."""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from harness.worker.drive import Driven
from harness.worker.result import KEPT
from harness.worker.samples import Samples
from harness.worker.side_by_side import StartedBuild

from .machine import gpu_state
from .unpack import Pack, PackError, link
from .worker_process import WorkerProcess, fresh, place_job, variables

TIMING_CACHE = "timing.cache"

_FURTHER = {"engine": KEPT, "keep_engine": False, "peaks": False}
"""What the job of a further process says otherwise than that of the first."""


class Asked(NamedTuple):
    """A build that is to be made: *cell* and number of the *round*."""

    cell: str
    round: int


class HostBuild(StartedBuild):
    """A build whose worker was started.

    :param launch: starts a worker, given its job and its result folder
    :param said: what its outcome says beside how it ended
    :param wanted: processes that its engine is to be measured in
    """

    def __init__(
        self,
        asked: Asked,
        job: Path,
        result: Path,
        launch: Callable[[Path, Path], WorkerProcess],
        said: Mapping[str, Any],
        wanted: int = 1,
        engine: Path | None = None,
    ) -> None:
        self._engine = engine
        self.asked, self.result, self.said = asked, result, said
        self._job, self._launch = job, launch
        self._worker = launch(job, result)
        super().__init__(Driven(self._worker, str(job), Samples()), wanted)
        self._others: list[tuple[WorkerProcess, Path]] = []

    def launch_further(self, number: int) -> Driven:
        """Start one more process of the engine."""
        folder = fresh(self._job.parent.with_name(f"job-{number}"))
        result = fresh(self.result.with_name(f"result-{number}"))
        for path in self._job.parent.iterdir():
            if path != self._job:
                link(path, folder / path.name)
        link(self.result / KEPT, folder / KEPT)
        document = json.loads(self._job.read_text(encoding="utf-8"))
        job = folder / self._job.name
        job.write_text(json.dumps({**document, **_FURTHER}), encoding="utf-8")
        worker = self._launch(job, result)
        self._others.append((worker, result))
        return Driven(worker, str(job), Samples(number))

    def end(self) -> dict[str, Any]:
        """End the workers, write their samples, and return the keys of ``harness``'s outcome.

        ``seconds`` is what all were asked for, without what they waited while others were.
        """
        outcome, seconds = self._worker.end(), self._worker.spent
        lost = []
        for number, (worker, result) in enumerate(self._others, start=1):
            ended = worker.end()
            said = {**ended, **_said(result, ended)}
            if said["status"] != "ok":
                lost.append("process {}: {}".format(number, said["reason"]))
            seconds += worker.spent
        self.write_samples(str(self.result))
        self._take_engine()
        return {**outcome, "seconds": seconds, "lost_processes": lost}

    def _take_engine(self) -> None:
        """Put the engine where it was asked for; else it goes, for results are to be small."""
        kept = self.result / KEPT
        if not kept.exists():
            return
        if self._engine is None:
            kept.unlink()
            return
        self._engine.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(str(kept), str(self._engine))  # which may be on another disk


class HostBuilds:
    """Makes and keeps the builds of a visit, ``FOLDER/builds/CELL/ROUND``.

    :param gpu: UUID of the GPU that is measured on; :param origin: what each outcome says of its origin
    :param engines: folder of the engines that are to be kept, ``CELL-ROUND.plan``
    """

    def __init__(
        self,
        pack: Pack,
        folder: Path,
        seed: int,
        gpu: str | None,
        origin: Mapping[str, Any],
        engines: Path | None = None,
    ) -> None:
        self._pack, self._folder, self._seed, self._gpu, self._origin = pack, folder, seed, gpu, origin
        self._engines = engines
        self._peaks_known: set[str] = set()

    def folder(self, cell: str, number: int) -> Path:
        """Return the folder of a build that is kept."""
        return self._folder / "builds" / cell / str(number)

    def start(self, asked: Asked) -> HostBuild:
        """Start the worker of a build."""
        job = self._pack.document["jobs"][asked.cell]
        site, inputs = self._pack.site(job["site"]), self._pack.site(job["inputs"])
        work = self._folder / "work" / f"{asked.cell}-{asked.round}"
        result, folder = fresh(work / "result"), fresh(work / "job")
        document = self._document(job, asked)
        cache = self._earlier_cache(asked, document)
        if cache is not None:
            link(cache, folder / TIMING_CACHE)
            document["options"] = dict(document["options"], timing_cache_file=TIMING_CACHE)
        path = place_job(folder, document, inputs)
        entry = self._pack.document["sites"][job["site"]]
        python, code = self._pack.python, self._pack.root / "code"
        environment = variables(python.parent.parent, code, site, entry)
        said = {
            **self._origin,
            "cell": asked.cell,
            "round": asked.round,
            "seed": document["seed"],
            "started": time.time(),
            "gpu_before": gpu_state(self._gpu),
        }

        def launch(path: Path, result: Path) -> WorkerProcess:
            command = [str(python), "-m", "harness.worker", str(path), str(result)]
            return WorkerProcess(command, result, environment, job["seconds_limit"])

        wanted = int(job.get("processes", 1))
        return HostBuild(asked, path, result, launch, said, wanted, self._engine_of(asked))

    def _engine_of(self, asked: Asked) -> Path | None:
        return None if self._engines is None else self._engines / f"{asked.cell}-{asked.round}.plan"

    def keep(self, build: HostBuild, block: str) -> tuple[Path, dict[str, Any]]:
        """End a build that is over; return its folder among the results, and its outcome."""
        outcome = build.end()
        outcome.update(build.said, block=block, gpu_after=gpu_state(self._gpu))
        outcome.update(_said(build.result, outcome))
        (build.result / "outcome.json").write_text(json.dumps(outcome, indent=1), encoding="utf-8")
        target = self.folder(*build.asked)
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists():
            fresh(target).rmdir()
        build.result.replace(target)
        return target, outcome

    def _document(self, job: Mapping[str, Any], asked: Asked) -> dict[str, Any]:
        device = self._gpu if job["wants_gpu"] else None
        # each set of libraries reaches peaks of its own, once a visit
        peaks = job["site"] not in self._peaks_known
        self._peaks_known.add(job["site"])
        seed = self._seed + asked.round
        document = dict(job["document"], build=asked.round, seed=seed, device=device, peaks=peaks)
        return document if self._engines is None else dict(document, keep_engine=True)

    def _earlier_cache(self, asked: Asked, document: Mapping[str, Any]) -> Path | None:
        """Return the timing cache of the latest earlier build here, None where the treatment keeps none."""
        if document["cell"].get("treatment", {}).get("timing_cache") != "on":
            return None
        earlier = (self.folder(asked.cell, number) for number in reversed(range(asked.round)))
        paths = (folder / "evidence" / TIMING_CACHE for folder in earlier)
        return next((path for path in paths if path.is_file()), None)


def outcome_of(folder: Path) -> dict[str, Any] | None:
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
