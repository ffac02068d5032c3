"""Engines of anchors over nights: kept by the night that built them, loaded by the next, else built anew."""

from __future__ import annotations

from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import pytest

from harness.execution.anchors import Anchors
from harness.execution.measuring import settings_for
from harness.execution.schedule import Schedule
from harness.store.bundle import Bundle
from harness.store.documents.base import read_document
from harness.store.documents.manifest import Manifest
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
