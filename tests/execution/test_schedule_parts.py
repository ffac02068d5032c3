"""What a schedule hands on: to each build's worker, to blocks, to the schedule that a plan is measured by."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, replace
from datetime import UTC, timedelta
from pathlib import Path
from typing import Any

import pytest

from harness.environments.base import Outcome
from harness.errors import PluginPartError
from harness.execution import lockstep, measuring, schedule
from harness.execution.base import Block, BuildResult, EndedBuild, Executor, MeasureBlock, PlannedBuild
from harness.execution.budget import Budget
from harness.execution.job import JobSettings
from harness.execution.lockstep import Further
from harness.execution.measuring import measure_into, open_or_create, settings_for
from harness.execution.plan import Choices, Plan
from harness.execution.schedule import Schedule
from harness.matrix.cell import Cell
from harness.matrix.treatment import COMMON
from harness.runtimes.onnxruntime.runtime import OnnxRuntime
from harness.store.bundle import Bundle
from harness.store.documents.build import Build
from harness.store.documents.manifest import Matrix
from harness.store.machine import host_name
from tests.execution.ground import Ground


@dataclass
class Opened:
    """What a worker would have been started with."""

    cell: Cell
    number: int
    inputs: Any
    runtime: Any
    prepared: Any
    settings: JobSettings
    scratch: Path
    cache: Path | None


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[Opened]:
    """Workers that would have been started; none is."""
    found: list[Opened] = []

    def noted(*arguments: Any) -> None:
        found.append(Opened(*arguments))
        raise PluginPartError("not today")

    monkeypatch.setattr(schedule, "OpenJob", noted)
    return found


def test_each_build_has_a_seed_of_its_own_and_the_first_of_an_environment_measures_peaks(
    ground: Ground, opened: list[Opened]
) -> None:
    bundle = ground.bundle()
    ground.schedule(bundle, rounds=3).run()
    asked = {(one.cell, one.number): one for one in opened}
    assert set(asked) == {(cell, number) for cell in ground.cells for number in range(3)}
    settings = settings_for(ground.plan, 1)
    for one in opened:
        assert one.settings.seed == 1 + one.number
        assert one.runtime.name == "onnxruntime"
        assert one.inputs.graph.name == "small"
        assert one.prepared.facts
        assert one.scratch.parent == bundle.root
        assert one.cache is None
        assert replace(one.settings, seed=1, peaks=True, build_affinity=settings.build_affinity) == settings
    assert [one.settings.peaks for one in opened] == [True, False, False, False, False, False]
    reasons = {build.document.reason for build in Bundle.open(bundle.root).builds()}
    assert reasons == {"not today"}, "what a plugin raises fails its builds"


@pytest.mark.parametrize(("cpus", "found"), [((3, 5, 8), {(3,), (5,), (8,)}), ((3,), {None}), ((), {None})])
def test_builds_made_at_once_have_a_cpu_each(
    ground: Ground, monkeypatch: pytest.MonkeyPatch, cpus: tuple[int, ...], found: set[Any]
) -> None:
    made = Schedule(
        ground.bundle(),
        ground.cells,
        ground.parts(),
        replace(settings_for(ground.plan, 1), build_cpus=cpus),
        rounds=1,
    )
    at_once: list[int] = []
    here: list[Any] = []

    class Noted:
        def __init__(self, open_build: Any, *_arguments: Any, at_once: int, **_more: Any) -> None:
            self.open, self.places = open_build, at_once

        def run(self, block: Block) -> Generator[EndedBuild, None, None]:
            at_once.append(self.places)
            for slot in range(self.places):
                self.open(block.builds[0], slot)
            yield from ()

    def noted(*arguments: Any) -> None:
        here.append(Opened(*arguments).settings.build_affinity)
        raise PluginPartError("not today")

    monkeypatch.setattr(schedule, "OpenJob", noted)
    monkeypatch.setattr(schedule, "BlockMeasurement", Noted)
    made.run()
    assert at_once == [max(1, len(cpus))]
    assert {None if one is None else tuple(one) for one in here} == found


def test_a_timing_cache_is_that_of_the_build_before(ground: Ground, opened: list[Opened]) -> None:
    cell = replace(ground.cells[0], treatment=replace(ground.cells[0].treatment, timing_cache="on"))

    class Caches(OnnxRuntime):
        treatment_fields = (
            *OnnxRuntime.treatment_fields,
            *(field for field in COMMON if field.name == "timing_cache"),
        )

        def unsupported(self, cell: Cell) -> str | None:
            return super().unsupported(replace(cell, treatment=ground.cells[0].treatment))

    ground.plan = replace(ground.plan, cells=(cell,))
    bundle = ground.bundle()
    files = ground.root / "files"
    (files / "evidence").mkdir(parents=True)
    (files / "evidence" / "timing.cache").touch()
    left = bundle.put_build(files, Build(cell=cell.id, build=0, status="failed")).folder
    parts = replace(ground.parts(), runtimes={"onnxruntime": Caches()})
    ground.schedule(bundle, parts, rounds=2).run()
    assert [(one.number, one.cache) for one in opened] == [(1, left / "evidence" / "timing.cache")]


class Here(Executor):
    """Measures here, at once; has waited for a while."""

    name = "local"
    waited_seconds = 12.0

    def run(self, block: Block, measure: MeasureBlock) -> Generator[EndedBuild, None, None]:
        """Measure."""
        yield from measure(block)


def test_a_block_s_builds_say_their_host_and_what_it_may_spend_is_its_share(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[Further] = []
    checks: list[bool] = []
    shares: list[tuple[int, float, int]] = []
    waited: list[float] = []

    class Shared(Budget):
        def share(self, builds: int, took: float, later: int) -> float:
            shares.append((builds, took, later))
            return 3.0

        def waited(self, seconds: float) -> None:
            waited.append(seconds)

    class Noted:
        def __init__(self, *arguments: Any, at_once: int, check: bool) -> None:
            assert at_once >= 1
            found.append(arguments[4])
            checks.append(check)
            self.processes = arguments[5]

        def run(self, block: Block) -> Generator[EndedBuild, None, None]:
            cell = block.builds[0].cell
            assert self.processes(cell) == 1, "what keeps no engines has one process"
            for planned in [*block.builds, PlannedBuild(cell, found[0].number(cell))]:
                document = Build(cell=planned.cell.id, build=planned.number, status="failed")
                folder = Path(ground.root / f"{planned.cell.id}-{planned.number}")
                folder.mkdir()
                yield EndedBuild(planned, BuildResult(folder, document, Outcome("failed", "not measured")))

    monkeypatch.setattr(schedule, "BlockMeasurement", Noted)
    bundle, parts = ground.bundle(), replace(ground.parts(), executors={"local": Here()})
    Schedule(
        bundle, ground.cells, parts, settings_for(ground.plan, 1), rounds=2, say=ground.said.append,
        budget=Shared(None, 0.02), check=False,
    ).run()  # fmt: skip
    assert (found[0].precision, found[0].seconds(7.0), checks) == (0.02, 3.0, [False])
    assert (shares, waited) == ([(4, 7.0, 0)], [12.0])
    builds = list(Bundle.open(bundle.root).builds())
    assert {(one.document.host.machine, one.document.host.device) for one in builds} == {(host_name(), "cpu")}
    assert sorted(one.build for one in builds) == [0, 0, 1, 1, 2]
    assert [line for line in ground.said if "round 3/3" in line], "further builds are counted on"
    assert Bundle.open(bundle.root).manifest.seconds["waiting"] == 12.0


class Asked(Schedule):
    """A schedule that notes what is asked of it, and measures nothing."""

    given: dict[str, Any]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = ("bundle", "cells", "parts", "settings")
        type(self).given = {**dict(zip(names, args, strict=True)), **kwargs}

    def run(self) -> None:
        """Measure nothing."""


def test_a_plan_is_measured_as_the_user_chose(
    ground: Ground, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measuring, "Schedule", Asked)
    bundle = ground.bundle()
    bundle.update(seed=9)
    begin = {ground.cells[0]: 4}
    parts = replace(ground.parts(), networks={})
    matrix = replace(ground.plan.matrix, anchors=("onnxruntime 1.0",), minutes=5.0)
    plan = replace(ground.plan, matrix=matrix)
    chosen = Choices(builds=3, retry_failed=True, history=tmp_path)
    measure_into(bundle, plan, chosen, ground.cells, parts, ground.said.append, begin=begin)
    given = Asked.given
    assert (given["rounds"], given["executor"], given["retry_failed"], given["check"]) == (
        3,
        "local",
        True,
        True,
    )
    assert (given["begin"], given["bundle"], given["cells"]) == (begin, bundle, ground.cells)
    assert given["parts"].networks == plan.families
    assert given["settings"].seed == 9
    anchors = given["settings"].anchors
    assert (anchors.versions, anchors.folder, anchors.builds) == (
        ("onnxruntime 1.0",),
        tmp_path / "engines",
        3,
    )
    assert 0 < given["budget"].left <= 300
    finished = Bundle.open(bundle.root).manifest.finished
    assert finished is not None
    assert (finished.microsecond, finished.utcoffset()) == (0, timedelta(0))
    given["say"]("a line")
    assert ground.said[-1] == "a line"
    measure_into(bundle, plan, Choices(quick=True), ground.cells, parts)
    quick = Asked.given
    assert (quick["rounds"], quick["retry_failed"], quick["check"]) == (matrix.quick_builds, False, False)
    assert (quick["budget"].left, quick["settings"].anchors, quick["begin"]) == (None, None, None)


def test_a_manifest_says_all_of_the_matrix_that_judging_asks_for(ground: Ground, tmp_path: Path) -> None:
    matrix = replace(
        ground.plan.matrix, baseline="1.0", fail_on=("invalid",), material=0.2, open="pass", nights=3,
        anchors=("onnxruntime 1.0",), description="nightly", processes=4, cpu=None,
    )  # fmt: skip
    plan: Plan = replace(ground.plan, matrix=matrix)
    made = open_or_create(plan, Choices(out=tmp_path / "out")).manifest
    assert made.matrix == Matrix(
        file="matrix.toml", text=matrix.text, baseline="1.0", fail_on=("invalid",), material=0.2, open="pass",
        nights=3, anchors=("onnxruntime 1.0",), description="nightly",
    )  # fmt: skip
    assert len(made.run.split("-")) == 3
    assert made.started is not None
    assert (made.started.microsecond, made.started.tzinfo) == (0, UTC), "to the second"
    found = settings_for(plan, 2)
    assert (found.processes, found.cpu, found.peaks, found.anchors) == (4, None, True, None)


def test_who_asks_for_a_cpu_has_nothing_made_on_others(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _process: {2, 5, 3}, raising=False)
    found = settings_for(replace(ground.plan, matrix=replace(ground.plan.matrix, cpu=3)), 1)
    assert (found.affinity, found.build_cpus, found.cpu) == ((3,), (), 3)
    found = settings_for(ground.plan, 1)
    assert (found.affinity, found.build_cpus, found.cpu) == ((5,), (2, 3, 5), None)


def test_lockstep_without_time_measures_its_first_builds_alone() -> None:
    nothing = lockstep.NOTHING_FURTHER
    assert (nothing.seconds(9.0), nothing.precision) == (0.0, 0.0)
