"""Engines that are measured in several processes: what one kept, others load, and all take turns."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from harness.execution.measuring import settings_for
from harness.execution.schedule import Schedule
from harness.runtimes.onnxruntime.runtime import OnnxRuntime
from harness.store.bundle import Bundle
from harness.store.documents.samples import read_samples
from harness.worker.lockstep import SLICE_SECONDS
from harness.worker.result import KEPT
from tests.execution.ground import Ground
from tests.worker.worker_jobs import worker_of

CYCLES = 8


class Keeping(OnnxRuntime):
    """Onnxruntime with a worker that keeps its engine."""

    worker = worker_of("keeping")
    keeps_engines = True


class Plain(OnnxRuntime):
    """The same worker, of a runtime that keeps nothing."""

    worker = worker_of("keeping")


def measured(ground: Ground, runtime: OnnxRuntime, processes: int, rounds: int = 1) -> Bundle:
    ground.plan = ground.make_plan(seconds=CYCLES * SLICE_SECONDS)
    parts = replace(ground.parts(), runtimes={"onnxruntime": runtime})
    settings = replace(settings_for(ground.plan, 1), processes=processes)
    bundle = ground.bundle()
    Schedule(bundle, ground.cells, parts, settings, rounds=rounds).run()
    return Bundle.open(bundle.root)


def processes_of(folder: Path) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for one in read_samples(folder):
        found.setdefault(one.process, []).append(one.cycle)
    return found


def test_an_engine_is_measured_in_as_many_processes_as_asked(ground: Ground) -> None:
    bundle = measured(ground, Keeping(), 3)
    builds = list(bundle.builds())
    assert [build.status for build in builds] == ["ok", "ok"]
    for build in builds:
        cycles = processes_of(build.folder)
        assert sorted(cycles) == [0, 1, 2]
        assert all(own == list(range(CYCLES)) for own in cycles.values()), "all in the same cycles"
        assert not (build.folder / KEPT).exists()
        assert build.document.lost_processes == []
    places = sorted(one.slice for b in builds for one in read_samples(b.folder) if one.cycle == 0)
    assert places == list(range(6)), "one slice of each of the six processes"


def test_a_runtime_that_keeps_nothing_has_one_process_a_build(ground: Ground) -> None:
    for build in measured(ground, Plain(), 3).builds():
        assert sorted(processes_of(build.folder)) == [0]


def test_a_further_process_that_fails_is_told_and_costs_its_own_slices(ground: Ground) -> None:
    bundle = measured(ground, Keeping(), 3, rounds=2)
    for build in bundle.builds():
        assert build.status == "ok"
        if build.build == 1:
            assert build.document.lost_processes == ["process 1: the engine was not accepted"]
            assert sorted(processes_of(build.folder)) == [0]
        else:
            assert sorted(processes_of(build.folder)) == [0, 1, 2]
