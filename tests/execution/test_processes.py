"""Engines that are measured in several processes: what one kept, others load, and all take turns."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from harness.analysis.statistics.spending import Costs
from harness.execution.budget import Budget
from harness.execution.measuring import settings_for
from harness.execution.precision import Need
from harness.execution.schedule import Schedule
from harness.runtimes.onnxruntime.runtime import OnnxRuntime
from harness.store.bundle import Bundle
from harness.store.documents.samples import read_samples, read_whole
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


def measured(
    ground: Ground, runtime: OnnxRuntime, processes: int, rounds: int = 1, *, check: bool = True
) -> Bundle:
    ground.plan = ground.make_plan(seconds=CYCLES * SLICE_SECONDS)
    parts = replace(ground.parts(), runtimes={"onnxruntime": runtime})
    settings = replace(settings_for(ground.plan, 1), processes=processes)
    bundle = ground.bundle()
    Schedule(bundle, ground.cells, parts, settings, rounds=rounds, check=check).run()
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
    # Before the others are loaded, and once they have left: by a process that is not profiled.
    assert sorted(alone_of(build.folder) for build in builds) == [{0}, {1}]


def alone_of(folder: Path) -> set[int]:
    return {one.process for one in read_whole(folder).alone}


def test_engines_are_loaded_by_more_processes_where_that_is_the_cheapest_step(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Costs] = []

    def wanted(_found: object, _precision: float, costs: Costs, _seconds: float) -> Need | None:
        asked.append(costs)
        return Need({}, {}, 0.05, dict.fromkeys(ground.cells, 1)) if len(asked) == 1 else None

    monkeypatch.setattr("harness.execution.lockstep.next_need", wanted)
    monkeypatch.setattr(Budget, "share", lambda *_: 60.0)
    for build in measured(ground, Keeping(), 2, check=False).builds():
        cycles = processes_of(build.folder)
        assert cycles[1] == list(range(CYCLES))
        assert cycles[0] == list(range(2 * CYCLES)), "once more, beside the new one"
        assert cycles[2] == list(range(CYCLES, 2 * CYCLES))
    assert all(0 < costs.process < 60 for costs in asked)


def test_a_runtime_that_keeps_nothing_has_one_process_a_build(ground: Ground) -> None:
    for build in measured(ground, Plain(), 3, check=False).builds():
        assert sorted(processes_of(build.folder)) == [0]
        assert alone_of(build.folder) == set(), "not asked for, as in a quick run"


def test_a_further_process_that_fails_is_told_and_costs_its_own_slices(ground: Ground) -> None:
    bundle = measured(ground, Keeping(), 3, rounds=2)
    for build in bundle.builds():
        assert build.status == "ok"
        if build.build == 1:
            assert build.document.lost_processes == ["process 1: the engine was not accepted"]
            assert sorted(processes_of(build.folder)) == [0]
        else:
            assert sorted(processes_of(build.folder)) == [0, 1, 2]
