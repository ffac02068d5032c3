"""Tables of a run: the same rows in CSV, Parquet and DataFrames, each with its columns."""

from __future__ import annotations

import csv
import importlib.util
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

import harness
from harness.analysis.grid import grid_of
from harness.cli import show
from harness.errors import MissingPackageError, UnknownNameError
from harness.tables.columns import TABLES
from harness.tables.tables import RunTables
from tests.cli.composed_runs import bundle, call
from tests.report.composed import cell, engine, layers, run

COMPOSED = run(
    cell("1", [1.0, 1.1, 1.05], engine(layers(("a", "b", "c")))),
    cell("2", [2.0, 2.1, 2.05], engine(layers(("a", "b", "c"), 2.0))),
    cell("3", status="failed", reason="no such kernel"),
)
TABLES_OF = RunTables(grid_of(COMPOSED))


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of two versions with builds whose latencies are composed."""
    return bundle(tmp_path_factory.mktemp("stored") / "run", {"2023.1.0": 3.0, "2024.0.0": 4.0}, graph=1.5)


@pytest.mark.parametrize("name", TABLES)
def test_rows_have_the_columns_of_their_table_and_values_of_their_kind(name: str) -> None:
    for row in TABLES_OF.rows(name):
        assert list(row) == [column.name for column in TABLES[name]]
        for column in TABLES[name]:
            value = row[column.name]
            assert value is None or type(value) is column.kind, column.name


def test_times_of_layers_add_up_and_verdicts_are_those_of_the_report() -> None:
    builds, rows = TABLES_OF.rows("builds"), TABLES_OF.rows("layers")
    for build in builds:
        own = [row for row in rows if (row["cell"], row["build"]) == (build["cell"], build["build"])]
        assert sum(row["time_ms"] for row in own) == pytest.approx(build["layers_ms"])
        assert sum(row["share"] for row in own) == pytest.approx(1)
    assert [build["typical"] for build in builds].count(True) == 2
    found = {(row["version"], row["bottleneck"]): row for row in TABLES_OF.rows("verdicts")}
    assert found["2", "latency"]["verdict"] == "regressed"
    assert found["2", "latency"]["effect"] == pytest.approx(2.05 / 1.05, rel=0.05)
    assert found["2", "latency"]["low"] < found["2", "latency"]["effect"] < found["2", "latency"]["high"]


def test_csv_and_parquet_hold_the_same_rows(
    stored: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text, binary = tmp_path / "csv", tmp_path / "new" / "parquet"
    assert call(show, str(stored), "--csv", str(text), "--parquet", str(binary)) == 0
    assert f"{text / 'builds.csv'}: 6 rows" in capsys.readouterr().out.splitlines()
    for name, columns in TABLES.items():
        with (text / f"{name}.csv").open(encoding="utf-8", newline="") as stream:
            head, *rows = csv.reader(stream)
        table = pq.read_table(binary / f"{name}.parquet")
        assert head == table.column_names == [column.name for column in columns]
        assert len(rows) == table.num_rows
        meanings = [table.field(column).metadata[b"meaning"].decode() for column in head]
        assert meanings == [column.meaning for column in columns]
    with (text / "samples.csv").open(encoding="utf-8", newline="") as stream:
        medians = [float(row["median_ms"]) for row in csv.DictReader(stream) if row["pass"] == "cuda_graph"]
    assert sorted(set(medians)) == [4.5, 6.0]


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_frames_hold_the_rows_whichever_library_makes_them(library: str, stored: Path) -> None:
    made = pytest.importorskip(library, reason=f"{library} is not installed")
    frames = harness.read(stored, library)
    assert frames.library == library
    for name, columns in TABLES.items():
        frame: Any = getattr(frames, name)
        assert isinstance(frame, made.DataFrame)
        assert list(frame.columns) == [column.name for column in columns]
    assert len(frames.builds) == 6
    assert next(iter(frames.builds["version"])) == "2023.1.0"
    assert frames.samples["samples"].sum() == 6 * 2 * 5
    assert frames.builds is frames.builds, "made once"


def test_without_a_library_the_error_says_what_to_install(
    stored: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(
        "importlib.util.find_spec", lambda name: None if name in ("pandas", "polars") else find(name)
    )
    with pytest.raises(MissingPackageError, match=r"pip install 'trtmatrix\[pandas\]'.*--csv DIR"):
        harness.read(stored)
    with pytest.raises(MissingPackageError, match=r"pip install 'trtmatrix\[polars\]'"):
        harness.read(stored, "polars")
    with pytest.raises(UnknownNameError, match="pandas and polars do"):
        harness.read(stored, "arrow")
