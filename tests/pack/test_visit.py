"""A visit: complete blocks, resuming, what becomes of workers that fail, results to carry home."""

import json
import subprocess
from pathlib import Path

import pytest

from harness.pack.host.__main__ import main
from harness.pack.host.machine import host_facts
from harness.pack.results import latest
from harness.store.documents.base import document_of
from harness.store.documents.visit import Visit as VisitDocument
from tests.pack.pack_composed import compose_pack, without_gpu
from tests.pack.visits import CELLS, outcomes, read, start, visits


@pytest.fixture(autouse=True)
def _no_gpu(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    without_gpu(monkeypatch, tmp_path / "bin")


def test_every_cell_is_built_as_often_as_the_matrix_says(tmp_path: Path) -> None:
    root, results = compose_pack(tmp_path / "pack", CELLS), tmp_path / "results"
    assert start(root, results) == 0
    found = outcomes(results)
    assert set(found) == {(cell, str(number)) for cell in CELLS for number in (0, 1)}
    assert {outcome["status"] for outcome in found.values()} == {"ok"}
    one = found["v1-8.5", "1"]
    said = json.loads((next(results.glob("*/builds/v1-8.5/1/result.json"))).read_text())["facts"]
    assert (said["build"], said["seed"], said["device"]) == (1, 8, None)
    assert (one["round"], one["seed"], one["host"]) == (1, 8, host_facts()["host"])
    assert one["peak_memory_bytes"] > 1 << 20
    assert one["log_tail"] == "done v1-8.5"
    (visit,) = visits(results)
    assert visit["state"] == "complete"
    assert len(visit["builds"]) == 8
    assert json.loads((results / "plan-composed.json").read_text())["jobs"].keys() == CELLS.keys()


def test_versions_of_a_block_follow_each_other(tmp_path: Path) -> None:
    root, results = compose_pack(tmp_path / "pack", CELLS), tmp_path / "results"
    start(root, results)
    (visit,) = visits(results)
    made = [(cell.partition("-")[0], number) for cell, number in visit["builds"]]
    assert made == [(s, n) for s in ("v2", "v1") for n in (0, 1) for _ in ("8.5", "8.6")]


def test_a_second_start_measures_what_is_missing_only(tmp_path: Path) -> None:
    root, results = compose_pack(tmp_path / "pack", CELLS), tmp_path / "results"
    start(root, results, "--rounds", "1", "--only", "v2-*")
    first = {path: path.stat().st_mtime_ns for path in results.glob("*/builds/*/*/outcome.json")}
    assert len(first) == 2
    torn = next(results.glob("*/builds/v2-8.5/0/outcome.json"))
    torn.write_text("{")
    assert start(root, results) == 0
    again = {path: path.stat().st_mtime_ns for path in results.glob("*/builds/*/*/outcome.json")}
    assert len(again) == 8
    assert [path for path in first if again[path] == first[path]] == [p for p in first if p != torn]


def test_a_block_that_does_not_fit_the_budget_is_not_begun(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root, results = compose_pack(tmp_path / "pack", CELLS), tmp_path / "results"
    assert start(root, results, "--budget", "1") == 4
    assert outcomes(results) == {}
    assert "does not fit into the budget" in capsys.readouterr().out
    assert visits(results)[0]["state"] == "budget"


def test_rounds_can_be_numbered_for_a_later_visit(tmp_path: Path) -> None:
    root, results = compose_pack(tmp_path / "pack", CELLS), tmp_path / "results"
    assert start(root, results, "--rounds", "3-4", "--only", "v1-*") == 0
    assert {number for _, number in outcomes(results)} == {"3", "4"}


def test_a_block_that_another_host_finished_is_left_and_one_it_began_is_done_again(tmp_path: Path) -> None:
    root, results = compose_pack(tmp_path / "pack", CELLS), tmp_path / "results"
    start(root, results, "--rounds", "1")
    own = next(results.glob("*/builds")).parent
    own.rename(results / "elsewhere")
    for path in (results / "elsewhere/builds/v1-8.6/0").iterdir():
        path.unlink()
    assert start(root, results, "--rounds", "1") == 0
    assert sorted(p.name for p in (own / "builds").iterdir()) == ["v1-8.5", "v1-8.6"]


def test_workers_that_fail_are_recorded_with_their_reason(tmp_path: Path) -> None:
    cells = {
        "dies": {"subject": "x", "options": {"die": True}},
        "refuses": {"subject": "x", "options": {"refuse": "no such format"}},
        "sleeps": {"subject": "x", "options": {"sleep": 60}},
    }
    root, results = compose_pack(tmp_path / "pack", cells, limit=1.0), tmp_path / "results"
    assert start(root, results) == 0
    found = outcomes(results)
    assert found["dies", "0"]["status"] == "failed"
    assert found["dies", "0"]["exit_code"] == 9
    assert found["sleeps", "0"]["status"] == "time_limit"
    assert (found["refuses", "0"]["status"], found["refuses", "0"]["reason"]) == (
        "unsupported",
        "no such format",
    )
    # What can never run is tried once.
    assert ("refuses", "1") not in found


def test_failed_builds_are_measured_again_on_request_only(tmp_path: Path) -> None:
    root = compose_pack(tmp_path / "pack", {"dies": {"subject": "x", "options": {"die": True}}})
    results = tmp_path / "results"
    for more in ((), ("--retry-failed",)):
        start(root, results, "--rounds", "1", *more)
    assert [len(visit["builds"]) for visit in sorted(visits(results), key=lambda v: v["visit"])] in ([1, 1],)
    start(root, results, "--rounds", "1")
    assert sum(len(visit["builds"]) for visit in visits(results)) == 2


def test_results_go_home_in_archives_that_stand_alone(tmp_path: Path) -> None:
    root, results, home = compose_pack(tmp_path / "pack", CELLS), tmp_path / "results", tmp_path / "home"
    assert start(root, results, "--home", str(home)) == 0
    (piece,) = home.iterdir()
    names = list(read(piece))
    host = host_facts()["host"]
    assert "plan-composed.json" in names
    assert f"{host}/builds/v1-8.6/1/outcome.json" in names
    assert sum(name.endswith("outcome.json") for name in names) == 8


def test_results_go_home_on_the_way(tmp_path: Path) -> None:
    root, results, home = compose_pack(tmp_path / "pack", CELLS), tmp_path / "results", tmp_path / "home"
    assert start(root, results, "--home", str(home), "--home-every", "0") == 0
    pieces = sorted(home.iterdir())
    assert [piece.name[-10:] for piece in pieces] == ["00.tar.zst", "01.tar.zst"]
    contents = [read(piece) for piece in pieces]
    outcomes = [[name for name in found if name.endswith("outcome.json")] for found in contents]
    assert [len(names) for names in outcomes] == [4, 4], "a block each"
    assert len({name for names in outcomes for name in names}) == 8
    records = [
        document_of(json.loads(text), VisitDocument, Path(name))
        for found in contents
        for name, text in found.items()
        if "/visit-" in name
    ]
    assert len(records) == 2
    (visit,) = latest(records[::-1]).values()
    assert len(visit.builds) == 8, "the last record of a visit counts, in whatever order they come"


def test_what_is_asked_for_wrongly_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = compose_pack(tmp_path / "pack", CELLS)
    assert start(root, tmp_path / "results", "--only", "v9-*") == 3
    assert "matches none of the 4 cells" in capsys.readouterr().err
    assert start(root, tmp_path / "results", "--rounds", "4-2") == 3
    assert "--rounds 4-2" in capsys.readouterr().err


def test_cells_wait_for_parts_that_have_not_arrived(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = compose_pack(tmp_path / "pack", CELLS)
    (root / "objects" / "site.tar.zst").unlink()
    assert start(root, tmp_path / "results") == 3
    assert "has not arrived" in capsys.readouterr().out
    assert start(root, tmp_path / "results", "--unpack") == 4
    assert "inputs: unpacked" in capsys.readouterr().out


def test_the_list_names_the_cells(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = compose_pack(tmp_path / "pack", CELLS)
    assert start(root, tmp_path / "results", "--list") == 0
    assert capsys.readouterr().out.split() == list(CELLS)


def test_cells_whose_images_lie_beside_the_pack_are_left_to_a_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = compose_pack(tmp_path / "pack", CELLS)
    document = json.loads((root / "pack.json").read_text())
    (root / "pack.json").write_text(json.dumps({**document, "contained": ["v2-5.0-docker", "v2-6.0-docker"]}))
    assert start(root, tmp_path / "results", "--list") == 0
    first, *cells = capsys.readouterr().out.splitlines()
    assert first == "cells in containers: 2, left to 'trtmatrix run' on this host"
    assert cells == list(CELLS)


def test_the_start_script_is_valid_shell() -> None:
    script = Path(main.__code__.co_filename).with_name("start.sh")
    subprocess.run(["/bin/sh", "-n", str(script)], check=True)
