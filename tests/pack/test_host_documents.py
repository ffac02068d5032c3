"""What the host's part writes by hand, with the standard library, the harness reads as its documents."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.pack.host import visit
from harness.pack.host.__main__ import main
from harness.store.documents.base import read_document, schema_of
from harness.store.documents.plan import PackPlan
from harness.store.documents.visit import Visit, VisitBuild
from tests.pack.pack_composed import compose_pack, without_gpu

CELLS: dict[str, dict[str, Any]] = {"v2-8.5": {"subject": "v2"}, "v2-8.6": {"subject": "v2"}}


@pytest.fixture
def pack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    without_gpu(monkeypatch, tmp_path / "bin")
    return compose_pack(tmp_path / "pack", CELLS)


def start(pack: Path, results: Path, *more: str) -> int:
    return main(["--pack", str(pack), "--results", str(results), *more])


def builds_of(results: Path) -> list[VisitBuild]:
    return [read_document(p, VisitBuild) for p in sorted(results.glob("*/builds/*/*/outcome.json"))]


def visits_of(results: Path) -> list[Visit]:
    return [read_document(path, Visit) for path in sorted(results.glob("*/visit-*.json"))]


def test_both_ends_name_the_same_schemas() -> None:
    assert schema_of(Visit) == schema_of(VisitBuild) == visit.VISIT_SCHEMA


def test_every_field_that_is_written_is_read(pack: Path, tmp_path: Path) -> None:
    assert start(pack, tmp_path / "results") == 0
    (record,) = visits_of(tmp_path / "results")
    assert (record.state, record.rounds, record.cells) == ("complete", (0, 2), tuple(CELLS))
    assert sorted(record.builds) == [(cell, number) for cell in CELLS for number in (0, 1)]
    builds = builds_of(tmp_path / "results")
    assert {build.visit for build in builds} == {record.visit}
    assert {build.host for build in builds} == {record.host}
    assert {build.status for build in builds} == {"ok"}
    assert [build.round for build in builds] == [0, 1, 0, 1]
    for path in (tmp_path / "results").glob("*/builds/*/*/outcome.json"):
        written = json.loads(path.read_text(encoding="utf-8"))
        assert set(written) - {"schema"} <= set(VisitBuild.__struct_fields__)
    listed = read_document(pack / "pack.json", PackPlan)
    plan = read_document(tmp_path / "results" / f"plan-{listed.id}.json", PackPlan)
    assert plan.jobs == listed.jobs
    assert (plan.id, plan.seed, plan.builds) == (listed.id, listed.seed, listed.builds)


def test_visits_to_the_same_results_are_one_run(pack: Path, tmp_path: Path) -> None:
    results = tmp_path / "results"
    start(pack, results, "--rounds", "1")
    start(pack, results)
    first, second = sorted(visits_of(results), key=lambda one: one.rounds)
    assert first.visit != second.visit
    assert {first.run, second.run, *(build.run for build in builds_of(results))} == {first.visit}
    start(pack, tmp_path / "next night")
    (other,) = visits_of(tmp_path / "next night")
    assert other.run == other.visit


def test_visits_of_before_state_no_run(pack: Path, tmp_path: Path) -> None:
    start(pack, tmp_path / "results", "--rounds", "1")
    for path in (tmp_path / "results").glob("*/builds/*/*/outcome.json"):
        written = json.loads(path.read_text(encoding="utf-8"))
        del written["run"]
        path.write_text(json.dumps({**written, "schema": "trtmatrix.visit/1"}), encoding="utf-8")
    assert {build.run for build in builds_of(tmp_path / "results")} == {"unknown"}
