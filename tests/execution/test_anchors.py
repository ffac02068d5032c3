"""Engines of anchors over nights: kept by the night that built them, loaded by the next, else built anew."""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import pytest

from harness.execution.anchors import Anchors, engine_name
from harness.execution.measuring import settings_for
from harness.execution.schedule import Schedule
from harness.matrix.cell import Cell
from harness.store.bundle import Bundle
from harness.store.documents.base import read_document
from harness.store.documents.manifest import Manifest
from harness.store.documents.origin import Host
from harness.store.documents.result import Result
from harness.store.engines import engine_names, engines_folder, keep_engines
from harness.worker.result import KEPT
from tests.execution.ground import Ground
from tests.execution.test_processes import Keeping, Plain

PINNED = (f"onnxruntime {version('onnxruntime')}",)


def night(ground: Ground, runtime: Keeping | Plain, run: str, rounds: int = 1) -> Bundle:
    bundle = Bundle.create(ground.root / run, Manifest(run=run))
    for cell in ground.cells:
        bundle.set_cell(cell, "pending")
    bundle.save()
    parts = replace(ground.parts(), runtimes={"onnxruntime": runtime})
    anchors = Anchors(PINNED, engines_folder(ground.root / "history"), builds=1)
    settings = replace(settings_for(ground.plan, 1), anchors=anchors)
    Schedule(bundle, ground.cells, parts, settings, rounds=rounds).run()
    return Bundle.open(bundle.root)


def loaded(bundle: Bundle) -> list[bool]:
    return [bool(read_document(b.folder / "result.json", Result).facts["loaded"]) for b in bundle.builds()]


def test_a_later_night_measures_the_same_bytes_again(ground: Ground) -> None:
    first = night(ground, Keeping(), "first")
    (name,) = engine_names(first)
    assert loaded(first) == [False, False]
    arms = [(bool(b.cell_id.endswith("-aa")), b.document.kept_engine) for b in first.builds()]
    assert sorted(arms) == [(False, name), (True, "")], "of an A/A pair one arm is the anchor"

    keep_engines(first, ground.root / "history")
    kept = engines_folder(ground.root / "history") / name / "0.plan"
    assert [kept.read_bytes()] == [path.read_bytes() for path in first.root.rglob(KEPT)]

    second = night(ground, Keeping(), "second", rounds=2)
    assert engine_names(second) == [name]
    by_build = {
        (b.document.kept_engine != "", b.build): said
        for b, said in zip(second.builds(), loaded(second), strict=True)
    }
    assert by_build == {(True, 0): True, (False, 0): False, (False, 1): False}, "further builds are new ones"
    assert list(second.root.rglob(KEPT)) == []


def test_a_runtime_that_keeps_nothing_builds_its_anchor_anew(ground: Ground) -> None:
    bundle = night(ground, Plain(), "plain")
    assert engine_names(bundle) == []
    assert loaded(bundle) == [False, False]


@pytest.mark.parametrize("other", ["digest", "content"])
def test_an_engine_is_loaded_on_what_it_was_built_for_alone(
    ground: Ground, tmp_path: Path, other: str
) -> None:
    cell = next(cell for cell in ground.cells if not cell.repeat)
    anchors = Anchors(PINNED, tmp_path, builds=2)
    held, changed = {"packages": {"onnxruntime": "1"}}, {"packages": {"onnxruntime": "2"}}
    built = anchors.engine(cell, 0, Keeping(), held, "sha256:1", None)
    assert built is not None
    assert built.path is None
    (tmp_path / built.name).mkdir()
    (tmp_path / built.name / "0.plan").touch()
    again = anchors.engine(cell, 0, Keeping(), held, "sha256:1", None)
    assert again is not None
    assert (again.name, again.path) == (built.name, tmp_path / built.name / "0.plan")
    now = ("sha256:2", held) if other == "digest" else ("sha256:1", changed)
    found = anchors.engine(cell, 0, Keeping(), now[1], now[0], None)
    assert found is not None
    assert found.path is None
    assert found.name != built.name
    assert anchors.engine(cell, 0, Keeping(), {}, "sha256:1", None) is None, "what it holds is not known"
    assert anchors.engine(cell, 2, Keeping(), held, "sha256:1", None) is None


class OnGpu(Keeping):
    """Keeps engines that a GPU runs."""

    device = "gpu"


HELD = {"packages": {"onnxruntime": "1"}}


def test_an_engine_of_a_gpu_is_that_of_the_gpu_and_its_driver(
    ground: Ground, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = [{"uuid": "GPU-0", "driver": "1.0"}, {"uuid": "GPU-1", "driver": "550.1"}]
    monkeypatch.setattr("harness.execution.anchors.gpus", lambda: known)
    cell = next(cell for cell in ground.cells if not cell.repeat)
    anchors = Anchors(PINNED, tmp_path, builds=2)

    def name(gpu: str | None, runtime: Keeping | None = None) -> str | None:
        found = anchors.engine(cell, 0, runtime or OnGpu(), HELD, "sha256:1", gpu)
        return None if found is None else found.name

    first = name("GPU-1")
    assert first is not None
    assert first.startswith(f"{cell.id}-")
    assert name("GPU-1") == first
    assert name("GPU-0") not in (None, first)
    known[1]["driver"] = "580.2"
    assert name("GPU-1") not in (None, first), "another driver may refuse it"
    assert name("GPU-7") is None, "of a GPU that is not here no driver is known"
    assert name(None) is None
    assert name(None, Keeping()) == name("GPU-1", Keeping()), "on a CPU no GPU counts"


def test_what_an_engine_is_called_tells_apart_all_that_it_was_built_for(ground: Ground) -> None:
    cell = ground.cells[0]
    host = Host(machine="m", device="GPU-1")
    facts = (cell, host, "550.1", "sha256:c", "sha256:d")
    others = [
        (replace(cell, environment="docker"), *facts[1:]),
        (cell, Host(machine="n", device="GPU-1"), *facts[2:]),
        (cell, Host(machine="m", device="GPU-2"), *facts[2:]),
        (*facts[:2], "580.2", *facts[3:]),
        (*facts[:3], "sha256:e", facts[4]),
        (*facts[:4], "sha256:f"),
    ]
    names = {engine_name(*said) for said in (facts, *others)}
    assert len(names) == 1 + len(others)
    assert all(re.fullmatch(re.escape(cell.id) + "-[0-9a-f]{16}", name) for name in names)
    said = '["current", "m", "GPU-1", "550.1", "sha256:c", "sha256:d"]'
    digest = hashlib.sha256(said.encode()).hexdigest()[:16]
    assert engine_name(*facts) == f"{cell.id}-{digest}", "histories of before are found by it"


def test_only_the_pinned_and_their_first_arms_and_builds_are_anchors(ground: Ground, tmp_path: Path) -> None:
    cell = next(cell for cell in ground.cells if not cell.repeat)

    def kept(cell: Cell, build: int = 0, builds: int = 1, versions: tuple[str, ...] = PINNED) -> bool:
        anchors = Anchors(versions, tmp_path, builds)
        return anchors.engine(cell, build, Keeping(), HELD, "sha256:1", None) is not None

    assert kept(cell)
    assert not kept(replace(cell, repeat="aa"))
    assert not kept(replace(cell, version="0.1"))
    assert not kept(cell, versions=("openvino " + cell.version,))
    assert [kept(cell, build, builds=2) for build in range(3)] == [True, True, False]
