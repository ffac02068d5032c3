"""Parts of third parties that raise: their cells fail with one line that names them, the rest is measured."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.analysis.grid import grid_of
from harness.analysis.judge import judge
from harness.analysis.rules.base import Cost, Rule, RuleSection
from harness.analysis.rules.sections import rule_sections
from harness.environments.current import CurrentInterpreter
from harness.environments.needs import WorkerSource
from harness.execution.base import Block, EndedBuild, Executor, MeasureBlock
from harness.execution.local import LocalExecutor
from harness.execution.preflight import preflight
from harness.execution.schedule import Schedule
from harness.networks.graph import Graph
from harness.networks.mobilenet import MobileNetV2
from harness.observations import reading
from harness.observations.records import BuildObservation, RunObservation
from harness.plugins.guard import guarded
from harness.plugins.reading import observe
from harness.plugins.registry import bottlenecks
from harness.runtimes.onnxruntime.runtime import OnnxRuntime
from harness.store.bundle import Bundle
from tests.execution.ground import Ground

WHO = "part 'x' of acme 1.0"


def broken(kind: type[Any], *members: str) -> Any:
    """Return a guarded part of *kind* whose *members* raise."""

    def fail(*_args: object) -> None:
        raise ValueError("not today")

    made = type(kind.__name__, (kind,), dict.fromkeys(members, fail))
    return guarded(made(), WHO)


def statuses(ground: Ground, schedule: Schedule) -> dict[str, str]:
    schedule.run()
    return {record.status: record.reason for record in Bundle.open(ground.root / "run").cells()}


@pytest.mark.parametrize("member", ["unsupported", "onnx_opset"])
def test_a_runtime_that_raises_fails_its_cells(ground: Ground, member: str) -> None:
    parts = replace(ground.parts(), runtimes={"onnxruntime": broken(OnnxRuntime, member)})
    found = statuses(ground, ground.schedule(ground.bundle(), parts))
    assert list(found) == ["failed"]
    assert found["failed"].startswith(f"{WHO}: {member}() raised ValueError: not today (")


@pytest.mark.parametrize("member", ["availability", "prepare"])
def test_an_environment_that_raises_fails_its_cells(ground: Ground, member: str) -> None:
    parts = replace(ground.parts(), environments={"current": broken(CurrentInterpreter, member)})
    found = statuses(ground, ground.schedule(ground.bundle(), parts))
    assert found["failed"].startswith(f"{WHO}: {member}() raised")


def test_a_network_that_raises_fails_its_cells(ground: Ground) -> None:
    parts = replace(ground.parts(), networks={"small": broken(MobileNetV2, "graph")})
    found = statuses(ground, ground.schedule(ground.bundle(), parts))
    assert found["failed"].startswith(f"{WHO}: graph() raised")


class Forgetful(Executor):
    """Gives back the first build of a block, and raises in place of the others."""

    name = "local"

    def run(self, block: Block, measure: MeasureBlock) -> Generator[EndedBuild, None, None]:
        """Have the block measured, and raise after one build."""
        for ended in LocalExecutor().run(block, measure):
            yield ended
            raise ValueError("not today")


def test_an_executor_that_raises_fails_the_builds_it_had_not_ended(ground: Ground) -> None:
    parts = replace(ground.parts(), executors={"local": guarded(Forgetful(), WHO)})
    found = statuses(ground, ground.schedule(ground.bundle(), parts))
    assert sorted(found) == ["failed", "measured"]
    assert found["failed"].startswith(f"{WHO}: run() raised ValueError: not today (")


class Silent(Executor):
    """Yields nothing at all."""

    name = "local"

    def run(self, _block: Block, _measure: MeasureBlock) -> Generator[EndedBuild, None, None]:
        """Do nothing."""
        yield from ()


def test_a_build_that_an_executor_loses_is_a_failed_one(ground: Ground) -> None:
    parts = replace(ground.parts(), executors={"local": Silent()})
    found = statuses(ground, ground.schedule(ground.bundle(), parts))
    assert found == {"failed": "executor 'local' gave the build up without a word"}


class Twice(Executor):
    """Yields the first build of each block twice."""

    name = "local"

    def run(self, block: Block, measure: MeasureBlock) -> Generator[EndedBuild, None, None]:
        """Say everything twice."""
        for ended in measure(block):
            yield ended
            yield ended


class Listed(Executor):
    """Returns a list in place of a generator."""

    name = "local"

    def run(self, block: Block, measure: MeasureBlock) -> Any:
        """Measure everything before any of it is said."""
        return list(measure(block))


def test_an_executor_that_keeps_no_order_is_told_so(ground: Ground) -> None:
    parts = replace(ground.parts(), executors={"local": Twice()})
    bundle = ground.bundle()
    ground.schedule(bundle, parts).run()
    # What it yielded once is there; what it was still to yield is lost.
    twice = "executor 'local': run() yielded a build twice, or one that it was not given"
    reasons = {build.status: build.reason for build in bundle.builds()}
    assert reasons == {"ok": "", "failed": twice}
    parts = replace(ground.parts(), executors={"local": Listed()})
    bundle = Bundle.open(bundle.root)
    ground.schedule(bundle, parts, rounds=2).run()
    assert [build.reason for build in bundle.builds() if build.build == 1] == [
        "executor 'local': run() returned list, not a generator"
    ] * 2


def test_a_worker_that_is_not_there_fails_the_cells_of_its_runtime(ground: Ground) -> None:
    class Lost(OnnxRuntime):
        worker = WorkerSource("acme.worker", Path("/nowhere/worker"))

    parts = replace(ground.parts(), runtimes={"onnxruntime": guarded(Lost(), WHO)})
    found = statuses(ground, ground.schedule(ground.bundle(), parts))
    reason = "worker 'acme.worker': /nowhere/worker is no file and no folder of a package"
    assert found == {"failed": reason}


def test_what_goes_wrong_here_is_not_the_executor_s_fault(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("harness.execution.schedule.OpenJob", full)
    executor = guarded(LocalExecutor(), WHO)
    schedule = ground.schedule(ground.bundle(), replace(ground.parts(), executors={"local": executor}))
    with pytest.raises(OSError, match="No space left"):
        schedule.run()


def test_check_names_a_part_that_raises(ground: Ground) -> None:
    parts = replace(ground.parts(), runtimes={"onnxruntime": broken(OnnxRuntime, "unsupported")})
    (found, _) = preflight(ground.cells, parts)
    assert found.state == "failed"
    assert found.reason.startswith(f"{WHO}: unsupported() raised")
    parts = replace(ground.parts(), environments={"current": broken(CurrentInterpreter, "checks")})
    (found, _) = preflight(ground.cells, parts)
    assert found.reason.startswith(f"{WHO}: checks() raised")


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    ground = Ground(tmp_path_factory.mktemp("measured"))
    bundle = ground.bundle()
    ground.schedule(bundle, rounds=2).run()
    return bundle.root


@pytest.mark.parametrize("member", ["read", "attribute", "format_trials"])
def test_evidence_that_a_runtime_cannot_read_fails_the_cell_and_nothing_else(
    measured: Path, member: str
) -> None:
    found = reading.observe([measured], {"onnxruntime": broken(OnnxRuntime, member)}, {})
    assert {cell.status for cell in found.cells} == {"failed"}
    assert found.cells[0].reason.startswith(f"{WHO}: {member}() raised ValueError: not today")


def test_without_its_plugin_a_cell_is_read_as_far_as_its_samples_go(measured: Path) -> None:
    alone, known = reading.observe([measured], {}, {}), observe([measured])
    for seen, whole in zip(alone.cells, known.cells, strict=True):
        assert seen.status == whole.status == "measured"
        assert [b.latency_ms for b in seen.builds] == [b.latency_ms for b in whole.builds]
        assert all(build.engine is None for build in seen.builds)
    assert alone.unread == (
        "no runtime is called 'onnxruntime' here: of 2 cells only latencies are read; install its plugin",
    )
    assert known.unread == ()
    words = {v.bottleneck: v.verdict for v in judge(grid_of(alone), rules=bottlenecks())}
    assert words["pointwise"] == "indeterminate"


class Moody(Rule):
    """Raises in both of its members."""

    name = "moody"
    title = "Moods"

    def cost(self, build: BuildObservation) -> Cost | None:
        """Raise."""
        raise ValueError(f"not of build {build.build}")

    def section(self, run: RunObservation) -> RuleSection | None:
        """Raise."""
        raise ValueError(f"not of {len(run.cells)} cells")


def test_a_rule_that_raises_has_verdicts_that_say_so_and_the_rest_stands(measured: Path) -> None:
    run = observe([measured])
    rules = {**bottlenecks(), "moody": guarded(Moody(), WHO)}
    verdicts = judge(grid_of(run), rules=rules)
    moody = [v for v in verdicts if v.bottleneck == "moody"]
    assert len(moody) == 2
    assert {v.verdict for v in moody} == {"indeterminate"}
    assert all(v.reason.startswith(f"{WHO}: cost() raised ValueError: not of build 0") for v in moody)
    others = [v for v in verdicts if v.bottleneck != "moody"]
    assert others == judge(grid_of(run), rules=bottlenecks())
    (section,) = rule_sections(run, rules).values()
    assert section.sentences[0].startswith(f"{WHO}: section() raised ValueError: not of 2 cells")


def test_a_network_that_raises_later_is_read_from_what_the_bundle_keeps(measured: Path) -> None:
    class Gone(MobileNetV2):
        def graph(self, batch: int = 1, relu6: str = "clip") -> Graph:
            raise ValueError((batch, relu6))

    family = guarded(Gone(name="small"), WHO)
    found = reading.observe([measured], {"onnxruntime": OnnxRuntime()}, {"small": family})
    assert all(build.engine is not None for cell in found.cells for build in cell.builds)
