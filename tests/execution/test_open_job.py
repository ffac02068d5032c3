"""A build from the start of its worker to its document: the worker is composed, the folders are real."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.environments.base import Limits, Outcome
from harness.execution.anchors import Anchors
from harness.execution.base import PlannedBuild
from harness.execution.inputs import InputStore
from harness.execution.job import OpenJob
from harness.execution.measuring import settings_for
from harness.runtimes.onnxruntime.runtime import OnnxRuntime
from harness.store.documents.base import as_json, read_document
from harness.store.documents.job import Job
from harness.store.documents.samples import read_whole
from harness.worker.result import KEPT
from tests.execution.composed_block import Machine, Talk
from tests.execution.ground import SMALL, Ground


class Keeping(OnnxRuntime):
    """A runtime that keeps its engines."""

    keeps_engines = True


class Worker(Talk):
    """A worker of which nothing runs: its result folder is filled when it ends."""

    def __init__(
        self, prepared: Prepared, job: Path, files: Sequence[Path], result: Path, limits: Limits
    ) -> None:
        super().__init__(Machine(), PlannedBuild(prepared.cell, 0), 0, 2.0, ["latency"])
        self._prepared, self.result = prepared, result
        self.job, self.given, self.limits = (
            read_document(job, Job),
            {p.name: p.read_bytes() for p in files},
            limits,
        )
        self.folder = job.parent

    def ask(self, command: str, **arguments: Any) -> dict[str, Any]:
        """Keep the engine once it is built."""
        if command == "build" and self.job.keep_engine:
            (self.result / KEPT).write_bytes(b"engine")
        return super().ask(command, **arguments)

    def end(self) -> Outcome:
        """Leave what the worker says, and its outputs where it built the engine."""
        number = self._prepared.started.index(self)
        outcome = self._prepared.outcomes.get(number, Outcome("ok"))
        said = {"status": "ok", "reason": "", "facts": {}, **self._prepared.said.get(number, {})}
        if outcome.status == "ok" and said["status"] != "silent":
            (self.result / "result.json").write_text(json.dumps(said), encoding="utf-8")
            if number == 0:
                np.savez(self.result / "outputs.npz", allow_pickle=False, **self._prepared.outputs)
        return outcome


@dataclass
class Prepared:
    """An environment that starts composed workers."""

    cell: Any
    outputs: dict[str, Any]
    started: list[Worker] = field(default_factory=list)
    outcomes: dict[int, Outcome] = field(default_factory=dict)
    said: dict[int, dict[str, Any]] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=lambda: {"packages": {"onnxruntime": "1"}})

    def start(self, job: Path, files: Sequence[Path], result: Path, limits: Limits) -> Worker:
        """Start one."""
        self.started.append(Worker(self, job, files, result, limits))
        return self.started[-1]


@dataclass
class Bench:
    """What a build is opened with."""

    ground: Ground
    scratch: Path
    prepared: Prepared
    store: InputStore

    def open(self, runtime: OnnxRuntime | None = None, **settings: Any) -> OpenJob:
        """Open build 1 of the first cell."""
        said = replace(settings_for(self.ground.plan, 5), limits=Limits(seconds=7.0), **settings)
        cell = self.ground.cells[0]
        prepared: Any = self.prepared
        return OpenJob(cell, 1, self.store.get(cell), runtime or OnnxRuntime(), prepared, said, self.scratch)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Ground, InputStore]:
    root = tmp_path_factory.mktemp("made")
    return Ground(root), InputStore(root / "inputs", {"small": SMALL}, 1)


@pytest.fixture
def bench(made: tuple[Ground, InputStore], tmp_path: Path) -> Bench:
    ground, store = made
    cell = ground.cells[0]
    (tmp_path / "scratch").mkdir()
    return Bench(ground, tmp_path / "scratch", Prepared(cell, dict(store.get(cell).reference)), store)


def test_a_build_works_in_two_folders_and_leaves_its_result(bench: Bench) -> None:
    before = datetime.now(UTC)
    job = bench.open()
    assert job.planned == PlannedBuild(bench.ground.cells[0], 1)
    (worker,) = bench.prepared.started
    assert sorted(path.name.split("-")[0] for path in bench.scratch.iterdir()) == ["job", "result"]
    assert {worker.folder.parent, worker.result.parent} == {bench.scratch}
    assert worker.limits == Limits(seconds=7.0)
    assert set(worker.given) == {"network.json", "weights.npz", "inputs.npz", "network.onnx"}
    job.driven.build()
    job.driven.samples.add("latency", {"latency_ms": [1.0], "clock": "host"})
    found = job.end()
    assert list(bench.scratch.iterdir()) == [found.folder] == [worker.result]
    assert [one.latency_ms for one in read_whole(found.folder).slices] == [[1.0]]
    document = found.document
    assert (document.status, document.reason, document.cell, document.build) == (
        "ok",
        "",
        job.planned.cell.id,
        1,
    )
    assert document.outputs is not None
    assert document.outputs.valid
    assert document.started is not None
    assert document.ended is not None
    assert before <= document.started <= document.ended <= datetime.now(UTC)
    assert (document.lost_processes, document.kept_engine) == ([], "")


@pytest.mark.parametrize(("runtime", "apart"), [(OnnxRuntime(), True), (Keeping(), False)])
def test_what_keeps_its_engines_is_profiled_in_what_is_measured(
    bench: Bench, runtime: OnnxRuntime, apart: bool
) -> None:
    assert bench.open(runtime).profile_apart is apart


def test_a_worker_that_was_lost_leaves_no_job_and_its_reason(bench: Bench) -> None:
    bench.prepared.outcomes = {0: Outcome("killed", "signal 9", log_tail="last words")}
    found = bench.open().end()
    assert list(bench.scratch.iterdir()) == [found.folder]
    assert (found.outcome.status, found.document.status) == ("killed", "failed")
    assert (found.document.reason, found.document.log_tail) == ("signal 9", "last words")


def test_what_is_gone_already_is_not_missed_at_the_end(bench: Bench) -> None:
    """Who cleans a disk while a run lasts costs it no build."""
    job = bench.open(Keeping(), processes=2)
    job.driven.build()
    job.start_further(1)
    first, further = bench.prepared.started
    for folder in (first.folder, further.folder):
        shutil.rmtree(folder)
    found = job.end()
    assert (found.document.status, found.document.lost_processes) == ("ok", [])
    assert list(bench.scratch.iterdir()) == [found.folder]


def test_a_further_process_loads_what_the_first_kept_and_takes_nothing_else_from_it(bench: Bench) -> None:
    job = bench.open(Keeping(), processes=2, peaks=True)
    job.driven.build()
    driven = job.start_further(1)
    first, further = bench.prepared.started
    assert (first.job.keep_engine, first.job.engine, first.job.peaks) == (True, None, True)
    assert as_json(further.job) == {
        **as_json(first.job),
        "keep_engine": False,
        "engine": KEPT,
        "peaks": False,
    }
    assert further.given == {**first.given, KEPT: b"engine"}
    assert further.limits == first.limits
    assert len({first.folder, further.folder, first.result, further.result}) == 4
    assert {further.folder.parent, further.result.parent} == {bench.scratch}
    for number, one in enumerate(job.processes):
        one.samples.add("latency", {"latency_ms": [1.0 + number], "clock": "host"})
    assert driven is job.processes[1]
    found = job.end()
    assert list(bench.scratch.iterdir()) == [found.folder]
    slices = read_whole(found.folder).slices
    assert [(one.process, one.latency_ms) for one in slices] == [(0, [1.0]), (1, [2.0])]
    assert not (found.folder / KEPT).exists(), "it was for its processes alone"


def test_each_further_process_that_was_lost_is_told_with_its_number(bench: Bench) -> None:
    job = bench.open(Keeping(), processes=5)
    job.driven.build()
    for number in range(1, 5):
        job.start_further(number)
    bench.prepared.outcomes = {1: Outcome("killed", "signal 9")}
    bench.prepared.said = {2: {"status": "failed", "reason": "not accepted"}, 3: {"status": "silent"}}
    lost = job.end().document.lost_processes
    assert lost[:2] == ["process 1: signal 9", "process 2: not accepted"]
    assert lost[2].startswith("process 3: ")
    assert lost[2].endswith("result.json: no such file")
    assert len(lost) == 3


def anchors(bench: Bench, builds: int = 2) -> Anchors:
    cell = bench.ground.cells[0]
    return Anchors((f"{cell.runtime} {cell.version}",), bench.scratch.parent / "engines", builds)


def test_an_anchor_that_is_built_leaves_its_engine_under_its_name(bench: Bench) -> None:
    job = bench.open(Keeping(), anchors=anchors(bench))
    job.driven.build()
    job.start_further(1)
    assert bench.prepared.started[1].given[KEPT] == b"engine"
    found = job.end()
    assert (found.folder / KEPT).read_bytes() == b"engine"
    assert found.document.kept_engine.startswith(f"{bench.ground.cells[0].id}-")


def test_an_anchor_whose_build_failed_has_no_engine_to_keep(bench: Bench) -> None:
    assert bench.open(Keeping(), anchors=anchors(bench)).end().document.kept_engine == ""


def test_an_anchor_that_is_loaded_is_known_by_the_name_of_its_engine(bench: Bench) -> None:
    first = bench.open(Keeping(), anchors=anchors(bench))
    first.driven.build()
    name = first.end().document.kept_engine
    kept = anchors(bench).folder / name / "1.plan"
    kept.parent.mkdir(parents=True)
    kept.write_bytes(b"of an earlier night")
    bench.prepared.started.clear()
    job = bench.open(Keeping(), anchors=anchors(bench), processes=2)
    job.start_further(1)
    assert [one.given[KEPT] for one in bench.prepared.started] == [b"of an earlier night"] * 2
    assert [one.job.keep_engine for one in bench.prepared.started] == [False, False]
    assert job.end().document.kept_engine == name
    further = bench.open(Keeping(), anchors=anchors(bench, builds=1))
    assert bench.prepared.started[-1].job.engine is None, "a further build is another engine"
    assert further.end().document.kept_engine == ""
