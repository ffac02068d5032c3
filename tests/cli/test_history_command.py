"""``trtmatrix history``: nights are kept, listed and shown; what cannot be read is named."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from harness.cli import main
from tests.history.composed import night_bundle

pytest.importorskip("duckdb", reason="a history is read with DuckDB, the extra 'history'")


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two nights of two versions."""
    folder = tmp_path_factory.mktemp("nights")
    runs = [str(night_bundle(folder, number, {"1.0": 2.0, "2.0": 1.0})) for number in range(2)]
    assert main(["history", "add", "--history", str(folder / "history"), *runs]) == 0
    return folder / "history"


def test_what_cannot_be_added_is_named_and_the_rest_is_added(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = night_bundle(tmp_path, 0, {"1.0": 2.0})
    history = str(tmp_path / "history")
    assert main(["history", "add", "--history", history, str(tmp_path / "none"), str(run)]) == 2
    said = capsys.readouterr()
    assert said.out == f"{run.name}: added, 3 builds, 2 series\n"
    assert "[no-such-file]" in said.err
    assert main(["history", "add", "--history", history, str(run)]) == 0
    assert "there already" in capsys.readouterr().out


def test_nights_are_listed_with_what_does_not_belong(
    history: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["history", "list", "--history", str(history), "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [(row["builds"], row["hosts"]) for row in rows] == [(6, ["host-a"])] * 2


def test_series_are_shown_by_pattern_and_day(history: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["history", "show", "--history", str(history), "--measure", "lat*", "--version", "1*"]
    assert main(command) == 0
    assert "mobilenet_v2 fp32-b1-clip on openvino 1.0" in capsys.readouterr().out
    assert main([*command, "--json", "--since", "2026-01-31"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert [len(row["points"]), row["subject"]["version"]] == [1, "1.0"]
    assert main([*command, "--since", "soon"]) == 2
    assert "2026-11-28" in capsys.readouterr().err


def test_without_duckdb_what_to_install_is_said(
    history: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "duckdb", None)
    assert main(["history", "show", "--history", str(history)]) == 3
    assert "trtmatrix[history]" in capsys.readouterr().err


def test_points_are_exported_whole_or_not_at_all(
    history: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import csv

    command = ["history", "export", "--history", str(history), "--measure", "latency", "-o"]
    assert main([*command, str(tmp_path / "points.csv")]) == 0
    with (tmp_path / "points.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert [(row["version"], row["measure"]) for row in rows] == [("1.0", "latency"), ("2.0", "latency")] * 2
    assert main([*command, str(tmp_path / "points.parquet")]) == 0
    assert main([*command, str(tmp_path / "points.xlsx")]) == 2
    assert main([*command, str(tmp_path / "none.csv"), "--version", "9"]) == 2
    assert "[nothing-chosen]" in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["points.csv", "points.parquet"]


def test_where_points_cannot_be_written_is_one_line(
    history: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["history", "export", "--history", str(history), "-o"]
    (tmp_path / "file").touch()
    assert main([*command, str(tmp_path / "file" / "points.csv")]) == 2
    assert "[output-path]" in capsys.readouterr().err
    assert main([*command, str(tmp_path / f"{'n' * 250}.csv")]) == 2  # the name beside it is too long
    said = capsys.readouterr().err
    assert (said.count("\n"), "[file-system]" in said) == (1, True)
    assert main([*command, str(tmp_path / "new" / "points.csv")]) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "new"]


def test_pruning_says_what_would_go(history: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["history", "prune", "--history", str(history), "--nights", "1", "--dry-run"]) == 0
    said = capsys.readouterr().out
    assert said.count("would remove") == 2
    assert main(["history", "prune", "--history", str(history), "--days", "-1"]) == 2


def test_a_run_is_judged_by_the_nights_before(
    history: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = str(night_bundle(tmp_path, 5, {"1.0": 2.0, "2.0": 1.0}))
    assert main(["judge", run, "--history", str(history), "--baseline", "2026-01-30", "-v"]) == 0
    assert "fewer than 3" in capsys.readouterr().out
    assert main(["judge", run, "--baseline", "history"]) == 2
    assert main(["judge", run, "--history", str(history), "--baseline", "2020-01-01"]) == 2
    assert "no night is called" in capsys.readouterr().err
