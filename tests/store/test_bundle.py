from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.errors import InputError, UsageError
from harness.matrix.cell import Cell, Treatment
from harness.store.bundle import Bundle, CellRecord, find_runs
from harness.store.documents.build import Build
from harness.store.documents.manifest import Manifest

CELL = Cell("mobilenet_v2", Treatment(), "openvino", "2024.6.0", "venv")
OTHER = Cell("mobilenet_v1", Treatment(), "openvino", "2024.6.0", "venv")


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    made = Bundle.create(tmp_path / "run", Manifest(run="r1"))
    made.set_cell(CELL, "pending")
    made.set_cell(OTHER, "unsupported", "no wheel")
    made.save()
    return made


def put(bundle: Bundle, build: int, **document: Any) -> None:
    files = bundle.root / "incoming"
    files.mkdir()
    (files / "result.json").write_text("{}", encoding="utf-8")
    bundle.put_build(files, Build(**{"cell": CELL.id, "build": build, "status": "ok", **document}))


def test_cells_and_builds_come_back(bundle: Bundle) -> None:
    put(bundle, 1, round=1)
    put(bundle, 0, round=0)
    again = Bundle.open(bundle.root)
    assert [(c.cell, c.status, c.reason) for c in again.cells()] == [
        (CELL, "pending", ""),
        (OTHER, "unsupported", "no wheel"),
    ]
    assert [(b.cell_id, b.build, b.status) for b in again.builds()] == [
        (CELL.id, 0, "ok"),
        (CELL.id, 1, "ok"),
    ]
    assert (again.build_folder(CELL.id, 1) / "result.json").exists()


def test_more_than_ten_builds_stay_in_order(bundle: Bundle) -> None:
    for number in range(12):
        put(bundle, number)
    assert [b.build for b in bundle.builds(CELL.id)] == list(range(12))


def test_a_build_that_was_cut_off_is_not_there(bundle: Bundle) -> None:
    staging = bundle.root / "builds" / CELL.id / ".0.new"
    staging.mkdir(parents=True)
    (staging / "samples.json").write_text("{", encoding="utf-8")
    assert not bundle.has_build(CELL.id, 0)
    assert list(bundle.builds()) == []


def test_a_build_put_again_replaces_the_old(bundle: Bundle) -> None:
    put(bundle, 0, status="failed", reason="died")
    put(bundle, 0)
    assert [b.status for b in bundle.builds(CELL.id)] == ["ok"]


def test_changing_a_cell_keeps_its_place(bundle: Bundle) -> None:
    bundle.set_cell(CELL, "measured", digest="sha256:1")
    assert [(c.cell.id, c.status, c.digest) for c in bundle.cells()] == [
        (CELL.id, "measured", "sha256:1"),
        (OTHER.id, "unsupported", "unknown"),
    ]


def test_a_folder_in_use_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(UsageError, match="not empty"):
        Bundle.create(tmp_path, Manifest())


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", r"manifest\.json:1: not JSON"),
        ("[]", "expected a JSON object, found list"),
        ('{"schema": "other/1"}', "expected schema 'trtmatrix.bundle/2', found 'other/1'"),
        ('{"schema": "trtmatrix.bundle/1", "machine": NaN}', "machine: expected `object`, got `float`"),
        ('{"schema": "trtmatrix.bundle/1", "cells": {}}', "cells: expected `array`, got `object`"),
    ],
)
def test_a_torn_manifest_is_one_line(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "manifest.json").write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=message):
        Bundle.open(tmp_path)


def test_no_such_run(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such run"):
        Bundle.open(tmp_path / "none")


def test_a_spoiled_cell_is_one_line(bundle: Bundle) -> None:
    path = bundle.root / "manifest.json"
    data = json.loads(path.read_text(encoding="utf-8"))
    del data["cells"][0]["runtime"]
    path.write_text(json.dumps(data), encoding="utf-8")
    with pytest.raises(
        InputError, match=r"manifest\.json: cells\[0\]: object missing required field `runtime`"
    ):
        Bundle.open(bundle.root)


@pytest.mark.parametrize("name", ["../escape", "a/b", "", ".hidden", "x" * 300])
def test_a_cell_id_is_a_plain_folder_name(bundle: Bundle, name: str) -> None:
    with pytest.raises(UsageError, match="cannot be a cell id"):
        bundle.build_folder(name, 0)


def test_runs_are_found(bundle: Bundle) -> None:
    assert find_runs(bundle.root.parent) == [bundle.root]
    assert find_runs(bundle.root.parent / "none") == []


def test_a_build_is_readable_by_all_and_leaves_nothing_where_it_came_from(bundle: Bundle) -> None:
    put(bundle, 0)
    folder = bundle.build_folder(CELL.id, 0)
    assert folder.stat().st_mode & 0o777 == 0o755
    assert not (bundle.root / "incoming").exists()
    assert [path.name for path in folder.parent.iterdir()] == ["0"]


def test_what_a_crash_left_of_a_build_does_not_stay_in_its_way(bundle: Bundle) -> None:
    staging = bundle.root / "builds" / CELL.id / ".0.new"
    staging.mkdir(parents=True)
    (staging / "left").write_text("", encoding="utf-8")
    put(bundle, 0)
    assert not (bundle.build_folder(CELL.id, 0) / "left").exists()
    assert not staging.exists()


def test_builds_are_those_of_cells_that_the_manifest_names(bundle: Bundle) -> None:
    put(bundle, 0)
    folder = bundle.root / "builds" / CELL.id
    (folder / "1x").mkdir()
    (folder / "notes").mkdir()
    (bundle.root / "builds" / "stranger" / "0").mkdir(parents=True)
    assert [(b.cell_id, b.build) for b in bundle.builds()] == [(CELL.id, 0)]
    assert list(bundle.builds(OTHER.id)) == []
    assert list(bundle.builds("stranger")) == []


def test_one_build_is_read_or_said_not_to_be_there(bundle: Bundle) -> None:
    put(bundle, 0, reason="slow")
    found = bundle.build(CELL.id, 0)
    assert (found.cell_id, found.build, found.status, found.reason) == (CELL.id, 0, "ok", "slow")
    assert found.folder == bundle.build_folder(CELL.id, 0)
    assert bundle.has_build(CELL.id, 0)
    with pytest.raises(InputError, match=r"builds/.*/1/build\.json: no such file"):
        bundle.build(CELL.id, 1)


def test_the_structure_of_a_network_is_kept_once(bundle: Bundle, tmp_path: Path) -> None:
    structure = tmp_path / "network.json"
    structure.write_text("first", encoding="utf-8")
    bundle.keep_network(CELL, structure)
    structure.write_text("second", encoding="utf-8")
    bundle.keep_network(CELL, structure)
    path = bundle.network_path(CELL)
    assert path.relative_to(bundle.root).as_posix() == "networks/mobilenet_v2-clip-b1.json"
    assert path.read_text(encoding="utf-8") == "first"
    assert bundle.network_path(OTHER) != path
    bundle.keep_network(OTHER, structure)
    assert bundle.network_path(OTHER).read_text(encoding="utf-8") == "second"


def test_fields_of_the_manifest_change_and_its_cells_stay(bundle: Bundle) -> None:
    bundle.update(state="complete", rounds=4)
    assert (bundle.manifest.state, bundle.manifest.rounds, len(bundle.manifest.cells)) == ("complete", 4, 2)
    assert Bundle.open(bundle.root).manifest.state == "running", "until it is saved"
    bundle.save()
    assert Bundle.open(bundle.root).manifest == bundle.manifest


def test_runs_are_found_in_the_order_of_their_names(tmp_path: Path) -> None:
    for name in ("20260102-b", "20260101-a"):
        Bundle.create(tmp_path / name, Manifest(run=name))
    (tmp_path / "notes").mkdir()
    (tmp_path / "file").write_text("", encoding="utf-8")
    assert [run.name for run in find_runs(tmp_path)] == ["20260101-a", "20260102-b"]
    assert find_runs(tmp_path / "file") == []


def test_a_folder_that_is_empty_is_taken(tmp_path: Path) -> None:
    Bundle.create(tmp_path, Manifest(run="r"))
    assert Bundle.open(tmp_path).manifest.run == "r"
    with pytest.raises(UsageError, match="name a new one, or --resume the run in it"):
        Bundle.create(tmp_path, Manifest())


def test_a_treatment_of_a_runtime_keeps_the_label_that_only_its_plugin_knows(tmp_path: Path) -> None:
    made = Bundle.create(tmp_path / "run", Manifest())
    own = Treatment(own=(("acme_tiles", 4),), own_label="4tiles")
    cell = Cell("mobilenet_v2", own, "acme", "1.0", "venv", "aa")
    made.set_cell(cell, "pending")
    made.save()
    (read,) = Bundle.open(made.root).cells()
    assert read.cell == cell
    assert read.cell.id == "mobilenet_v2-fp32-b1-clip-4tiles-acme-1.0-aa"


def test_a_treatment_that_is_none_is_named_with_its_cell(bundle: Bundle) -> None:
    path = bundle.root / "manifest.json"
    data = json.loads(path.read_text(encoding="utf-8"))
    data["cells"][1]["treatment"]["batch"] = [1]
    path.write_text(json.dumps(data), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        Bundle.open(bundle.root).cells()
    assert (caught.value.path, caught.value.where) == (str(path), "cells[1].treatment")
    assert "batch" in caught.value.problem


def test_a_cell_of_which_nothing_is_said_has_no_reason_and_an_unknown_network() -> None:
    found = CellRecord(CELL, "pending")
    assert (found.reason, found.digest) == ("", "unknown")


def test_a_folder_of_builds_that_an_archive_lost_is_made_again(bundle: Bundle) -> None:
    """Git keeps no empty folders."""
    (bundle.root / "builds").rmdir()
    put(bundle, 0)
    assert [b.build for b in Bundle.open(bundle.root).builds()] == [0]


def test_what_is_set_aside_is_numbered_and_its_place_is_free(bundle: Bundle) -> None:
    for reason in ("first", "second", "third"):
        put(bundle, 1, reason=reason)
        put(bundle, 11, reason="another")
        found = [bundle.set_aside(CELL.id, number) for number in (1, 11)]
        assert not bundle.has_build(CELL.id, 1)
        assert all((path / "build.json").is_file() for path in found)
    folder = bundle.root / "set-aside" / CELL.id
    assert sorted(path.name for path in folder.iterdir()) == [
        *(f"1-{number}" for number in range(3)), *(f"11-{number}" for number in range(3)),
    ]  # fmt: skip
    said = [json.loads((folder / f"1-{n}" / "build.json").read_text())["reason"] for n in range(3)]
    assert said == ["first", "second", "third"]
    assert list(bundle.builds()) == [], "nobody reads them"


def test_builds_come_cell_by_cell_in_the_order_of_the_matrix(bundle: Bundle) -> None:
    bundle.set_cell(OTHER, "pending")
    for cell in (OTHER, CELL):
        for number in (10, 2):
            put(bundle, number, cell=cell.id)
    assert [(b.cell_id, b.build) for b in bundle.builds()] == [
        (cell.id, number) for cell in (CELL, OTHER) for number in (2, 10)
    ]
    assert [b.build for b in bundle.builds(OTHER.id)] == [2, 10]


def test_the_files_of_a_network_tell_its_forms_apart(bundle: Bundle) -> None:
    forms = [
        replace(CELL, treatment=Treatment(batch=batch, relu6=relu6))
        for batch in (1, 2)
        for relu6 in ("clip", "x")
    ]
    assert [bundle.network_path(cell).name for cell in forms] == [
        f"mobilenet_v2-{relu6}-b{batch}.json" for batch in (1, 2) for relu6 in ("clip", "x")
    ]
    assert bundle.network_path(replace(CELL, version="1.0")) == bundle.network_path(CELL)


def test_a_run_that_is_made_in_a_deep_folder_says_where_it_was_found_in_use(tmp_path: Path) -> None:
    root = tmp_path / "a" / "b" / "run"
    made = Bundle.create(root, Manifest(run="r"))
    assert made.root == root
    assert (root / "builds").is_dir()
    with pytest.raises(UsageError) as caught:
        Bundle.create(root, Manifest())
    assert str(caught.value) == f"{root}: the folder is not empty; name a new one, or --resume the run in it"
    with pytest.raises(InputError) as missing:
        Bundle.open(tmp_path / "none")
    assert (missing.value.path, missing.value.problem) == (
        str(tmp_path / "none"), "no such run: expected the folder of a bundle",
    )  # fmt: skip
