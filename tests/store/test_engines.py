"""Engines that a history keeps: those that a run built of its anchors, each once."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from harness.matrix.cell import Cell, Treatment
from harness.store.bundle import Bundle
from harness.store.documents.build import Build
from harness.store.documents.manifest import Manifest
from harness.store.engines import engine_names, engines_folder, keep_engines
from harness.worker.result import KEPT

CELL = Cell("mobilenet_v2", Treatment(), "onnxruntime", "1.22.1", "venv")


def run(root: Path, builds: Sequence[tuple[str, bytes | None]]) -> Bundle:
    """Return a run whose builds have a kept engine of that name, and of these bytes where they built it."""
    bundle = Bundle.create(root, Manifest(run=root.name))
    bundle.set_cell(CELL, "measured")
    for number, (name, engine) in enumerate(builds):
        files = root / "incoming"
        files.mkdir()
        if engine is not None:
            (files / KEPT).write_bytes(engine)
        bundle.put_build(files, Build(cell=CELL.id, build=number, status="ok", kept_engine=name))
    bundle.save()
    return bundle


def kept(history: Path) -> dict[str, bytes]:
    folder = engines_folder(history)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*.*")}


def test_engines_are_named_once_in_their_order(tmp_path: Path) -> None:
    bundle = run(tmp_path / "run", [("b", b""), ("", None), ("a", None), ("b", b"")])
    assert engine_names(bundle) == ["a", "b"]
    assert engine_names(run(tmp_path / "none", [("", None)])) == []


def test_each_engine_that_was_built_to_be_kept_lies_under_its_name_and_number(tmp_path: Path) -> None:
    bundle = run(tmp_path / "run", [("a", b"0"), ("", b"not to be kept"), ("a", None), ("b", b"3")])
    history = tmp_path / "history"
    keep_engines(bundle, history)
    assert engines_folder(history) == history / "engines"
    assert kept(history) == {"a/0.plan": b"0", "b/3.plan": b"3"}
    assert (bundle.build_folder(CELL.id, 0) / KEPT).read_bytes() == b"0", "the run keeps its own"


def test_an_engine_that_is_there_is_that_of_the_night_that_built_it(tmp_path: Path) -> None:
    history = tmp_path / "history"
    keep_engines(run(tmp_path / "first", [("a", b"first")]), history)
    keep_engines(run(tmp_path / "second", [("a", b"second"), ("a", b"new")]), history)
    assert kept(history) == {"a/0.plan": b"first", "a/1.plan": b"new"}


def test_a_copy_that_breaks_off_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_source: Path, target: Path) -> None:
        target.write_bytes(b"ha")
        raise OSError(28, "No space left on device")

    bundle = run(tmp_path / "run", [("a", b"whole")])
    monkeypatch.setattr("shutil.copyfile", full)
    with pytest.raises(OSError, match="No space left"):
        keep_engines(bundle, tmp_path / "history")
    assert kept(tmp_path / "history") == {}
