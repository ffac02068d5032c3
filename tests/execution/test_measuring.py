"""A run from its choices to its bundle: what is fixed before, what the manifest says, how one is resumed."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import harness
from harness.environments.base import Limits
from harness.errors import InputError, OtherRunError, UsageError
from harness.execution import measuring
from harness.execution.measuring import affinity, measure, measure_into, open_or_create, run_id, settings_for
from harness.execution.plan import Choices
from harness.plugins import registry
from harness.store import machine
from harness.store.bundle import Bundle
from harness.store.conditions import of_neighbours
from harness.store.documents.machine import Neighbours
from harness.store.documents.manifest import Matrix
from harness.store.machine import machine_facts
from tests.execution.ground import Ground


def test_a_run_s_name_is_its_time_so_that_names_sort_by_it() -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    found = re.fullmatch(r"(\d{8}-\d{6})-[0-9a-f]{4}", run_id())
    assert found is not None
    began = datetime.strptime(found[1], "%Y%m%d-%H%M%S").replace(tzinfo=UTC)
    assert before <= began <= datetime.now(UTC)
    assert len({run_id() for _ in range(20)}) > 10, "two runs of one second have two names"


def test_a_worker_is_bound_to_the_cpu_that_is_asked_for_else_the_last(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _process: {5, 2, 3}, raising=False)
    assert affinity(None) == (5,)
    assert affinity(2) == (2,)
    with pytest.raises(UsageError, match=r"^\[run\] cpu = 4: this process may use \[2, 3, 5\] only$"):
        affinity(4)
    monkeypatch.delattr(os, "sched_getaffinity")
    assert affinity(2) is None, "a system that binds none"


def test_limits_of_the_file_stand_in_place_of_the_defaults(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "gpus", list)
    said = {"seconds": 7.0, "memory_gib": 0.5, "result_mib": 3}
    matrix = replace(ground.plan.matrix, limits=said, options={"onnxruntime": {"a": 1}})
    found = settings_for(replace(ground.plan, matrix=matrix), 11)
    assert found.limits == Limits(seconds=7.0, memory_bytes=2**29, result_bytes=3 * 2**20)
    assert (found.seed, found.device, found.measure) == (11, None, matrix.measure)
    assert found.options == {"onnxruntime": {"a": 1}}
    assert settings_for(replace(ground.plan, matrix=replace(matrix, limits={})), 11).limits == Limits()


def test_a_run_measures_on_the_first_gpu(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "gpus", lambda: [{"uuid": "GPU-1"}, {"uuid": "GPU-2"}])
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert settings_for(ground.plan, 1).device == "GPU-1"


@pytest.mark.parametrize(
    ("said", "device"),
    [("1", "GPU-2"), ("GPU-2", "GPU-2"), ("0,1", "GPU-1"), ("7", None), ("", None), ("GPU-x", None)],
)
def test_a_run_measures_on_the_gpu_that_cuda_would_show_first(
    ground: Ground, monkeypatch: pytest.MonkeyPatch, said: str, device: str | None
) -> None:
    monkeypatch.setattr(machine, "gpus", lambda: [{"uuid": "GPU-1"}, {"uuid": "GPU-2"}])
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", said)
    assert settings_for(ground.plan, 1).device == device


def test_a_new_run_says_what_it_was_made_of(ground: Ground, tmp_path: Path) -> None:
    matrix = replace(ground.plan.matrix, seed=5, description="two cells")
    plan = replace(ground.plan, matrix=matrix)
    made = open_or_create(plan, Choices(out=tmp_path / "out", builds=4)).manifest
    assert Bundle.open(tmp_path / "out").manifest == made
    assert (made.state, made.finished, made.seed, made.rounds) == ("running", None, 5, 4)
    assert made.harness.version == harness.__version__
    assert made.machine.host == machine_facts().host
    assert made.matrix == Matrix(
        file="matrix.toml",
        description="two cells",
        text=matrix.text,
        baseline="previous",
        fail_on=tuple(matrix.fail_on),
    )
    assert made.started is not None
    assert abs(datetime.now(UTC) - made.started) < timedelta(minutes=10)


def test_without_a_folder_and_a_seed_a_run_finds_its_own(
    ground: Ground, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    runs = [open_or_create(ground.plan, Choices()) for _ in range(3)]
    assert {run.root.parent for run in runs} == {Path("trtmatrix-runs")}
    seeds = {run.manifest.seed or 0 for run in runs}
    assert len(seeds) > 1
    assert max(seeds) > 2**16, "of all numbers that a seed may be"
    assert all(0 <= (run.manifest.seed or 0) < 2**31 for run in runs)


def test_a_run_is_resumed_where_it_lies(ground: Ground, tmp_path: Path) -> None:
    choices = Choices(out=tmp_path / "out")
    first = open_or_create(ground.plan, choices)
    left = first.root / ".work-killed" / "inputs"
    left.mkdir(parents=True)
    again = open_or_create(ground.plan, replace(choices, resume=True))
    assert again.manifest == first.manifest
    assert not left.parent.exists(), "what a killed run was working in is taken away"
    with pytest.raises(UsageError, match="not empty"):
        open_or_create(ground.plan, choices)


def test_what_cannot_be_resumed_is_refused(ground: Ground, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"^--resume needs --out: "):
        open_or_create(ground.plan, Choices(resume=True))
    resumed = Choices(out=tmp_path / "out", resume=True)
    with pytest.raises(InputError, match="no such run"):
        open_or_create(ground.plan, resumed)
    open_or_create(ground.plan, Choices(out=tmp_path / "out"))
    other = replace(ground.plan, matrix=replace(ground.plan.matrix, text="# another"))
    with pytest.raises(OtherRunError, match=r"out: was made from another matrix file; start a new run"):
        open_or_create(other, resumed)


def test_a_plan_is_measured_into_a_bundle_that_says_how_it_went(ground: Ground, tmp_path: Path) -> None:
    choices = Choices(out=tmp_path / "out", builds=1)
    bundle = measure(ground.plan, choices, ground.cells, registry.parts(), ground.said.append)
    stored = Bundle.open(tmp_path / "out")
    assert stored.manifest.state == "complete"
    assert [record.status for record in stored.cells()] == ["measured", "measured"]
    began, ended = stored.manifest.started, stored.manifest.finished
    assert began is not None
    assert ended is not None
    assert began <= ended <= datetime.now(UTC)
    assert ground.said[0] == f"run {bundle.manifest.run}: 2 cells, 1 build each"


def test_cells_are_in_the_manifest_before_any_is_measured(
    ground: Ground, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Builds of a cell that the manifest does not name are never read."""
    bundle = open_or_create(ground.plan, Choices(out=tmp_path / "out"))
    bundle.set_cell(ground.cells[1], "measured", digest="sha256:kept")
    bundle.update(rounds=7, state="complete")

    def killed(_schedule: object) -> None:
        stored = Bundle.open(tmp_path / "out")
        assert [(r.status, r.digest) for r in stored.cells()] == [
            ("measured", "sha256:kept"),
            ("pending", "unknown"),
        ]
        assert stored.manifest.state == "running", "it was complete, and is gone on with"
        raise KeyboardInterrupt

    monkeypatch.setattr(measuring.Schedule, "run", killed)
    with pytest.raises(KeyboardInterrupt):
        measure_into(bundle, ground.plan, Choices(builds=2), ground.cells, registry.parts())
    stored = Bundle.open(tmp_path / "out")
    assert stored.manifest.finished is not None
    assert stored.manifest.rounds == 7, "a visit of fewer builds takes none away"


def test_what_others_took_meanwhile_is_said_at_the_end(
    ground: Ground, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = Neighbours(others=0.31, steal=0.0)
    monkeypatch.setattr(measuring.Schedule, "run", lambda _schedule: None)
    monkeypatch.setattr(measuring.Watch, "seen", lambda _watch: taken)
    bundle = open_or_create(ground.plan, Choices(out=tmp_path / "out"))
    measure_into(bundle, ground.plan, Choices(), ground.cells, registry.parts(), ground.said.append)
    assert Bundle.open(tmp_path / "out").manifest.neighbours == taken
    assert ground.said[-1] == next(of_neighbours(taken)).line
