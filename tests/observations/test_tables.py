from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from harness.errors import InputError
from harness.evidence.records import EngineLayer, Evidence, LayerTime
from harness.matrix.cell import Cell, Treatment
from harness.observations.tables import sample_rows, write_tables
from harness.store.bundle import Bundle
from harness.store.documents.build import Build
from harness.store.documents.manifest import Manifest
from harness.store.documents.origin import Host
from harness.store.parquet import read_table

CELL = Cell("mobilenet_v2", Treatment(), "listed", "1.0", "venv")
WINDOW = {
    "pass": "latency",
    "window": 0,
    "clock": "host",
    "start_ns": [10, 20],
    "latency_ms": [1.5, 1.25],
    "enqueue_ms": None,
    "host_ms": [1.6, 1.3],
}


class Reads:
    """A runtime whose evidence is one JSON list of names."""

    def keep_engine(self, folder: Path) -> None:
        assert (folder / "build.json").is_file()

    def read_engine(self, folder: Path) -> Evidence:
        names = json.loads((folder / "names.json").read_text(encoding="utf-8"))
        return Evidence(
            layers=(EngineLayer(0, "conv", "Convolution", kernel="gemm"),),
            times=tuple(LayerTime(i, n, median_ms=0.5, samples_ms=(0.5, 0.6)) for i, n in enumerate(names)),
        )


def build(tmp_path: Path, window: dict[str, object], names: str = '["conv", "reorder"]') -> Bundle:
    bundle = Bundle.create(tmp_path / "run", Manifest())
    bundle.set_cell(CELL, "measured")
    files = tmp_path / "files"
    files.mkdir()
    (files / "samples.json").write_text(json.dumps({"windows": [window]}), encoding="utf-8")
    (files / "names.json").write_text(names, encoding="utf-8")
    bundle.put_build(files, Build(cell=CELL.id, build=2, status="ok", round=2, host=Host(machine="h")))
    return bundle


def test_every_sample_is_a_row(tmp_path: Path) -> None:
    bundle = build(tmp_path, WINDOW)
    write_tables(bundle, {"listed": Reads()})
    rows = read_table(bundle.root / "samples.parquet")
    assert [(r["cell"], r["build"], r["sample"], r["latency_ms"], r["start_ns"]) for r in rows] == [
        (CELL.id, 2, 0, 1.5, 10),
        (CELL.id, 2, 1, 1.25, 20),
    ]
    assert [r["enqueue_ms"] for r in rows] == [None, None]
    assert {(r["process"], r["cycle"], r["slice"]) for r in rows} == {(0, 0, 0)}
    assert bundle.manifest.warnings == ()


def test_every_profile_row_is_a_row_with_its_kernel(tmp_path: Path) -> None:
    bundle = build(tmp_path, WINDOW)
    write_tables(bundle, {"listed": Reads()})
    rows = read_table(bundle.root / "layer_times.parquet")
    assert [(r["name"], r["kernel"], r["median_ms"], r["samples_ms"]) for r in rows] == [
        ("conv", "gemm", 0.5, [0.5, 0.6]),
        ("reorder", None, 0.5, [0.5, 0.6]),
    ]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"start_ns": [1]}, r"slices\[0\]: columns differ in length"),
        ({"latency_ms": None}, r"slices\[0\]\.latency_ms: expected `array`, got `null`"),
        ({"latency_ms": [1.0, 0.0]}, r"slices\[0\]\.latency_ms\[1\]: expected `float` > 0"),
        ({"host_ms": [1.0, -1.0]}, r"slices\[0\]\.host_ms\[1\]: expected `float` >= 0"),
        ({"start_ns": [-1, 2]}, r"slices\[0\]\.start_ns\[0\]: expected `int` >= 0"),
    ],
)
def test_a_spoiled_window_is_named(tmp_path: Path, change: dict[str, object], message: str) -> None:
    bundle = build(tmp_path, {**WINDOW, **change})
    record = next(bundle.builds())
    with pytest.raises(InputError, match=message):
        list(sample_rows(record))


@pytest.mark.parametrize(("left", "found"), [(2, "1 slices"), (0, "1 slices"), (1, "no such file")])
def test_windows_that_were_lost_are_missed(tmp_path: Path, left: int, found: str) -> None:
    bundle = build(tmp_path, WINDOW)
    record = next(bundle.builds())
    (record.folder / "result.json").write_text(json.dumps({"windows": left}), encoding="utf-8")
    if "no such" in found:
        (record.folder / "samples.json").unlink()
    with pytest.raises(InputError, match=f"{found}, where the worker answered {left}"):
        list(sample_rows(record))


def test_a_worker_that_does_not_count_its_windows_is_believed(tmp_path: Path) -> None:
    record = next(build(tmp_path, WINDOW).builds())
    (record.folder / "result.json").write_text('{"facts": {}}', encoding="utf-8")
    assert len(list(sample_rows(record))) == 2


def test_what_cannot_be_read_is_a_warning_and_the_rest_is_written(tmp_path: Path) -> None:
    bundle = build(tmp_path, {**WINDOW, "start_ns": [1]})
    write_tables(bundle, {"listed": Reads()})
    assert len(bundle.manifest.warnings) == 1
    assert read_table(bundle.root / "samples.parquet") == []


def test_rows_say_all_that_was_measured_and_whose_it_is(tmp_path: Path) -> None:
    window = {**WINDOW, "window": 4, "clock": "gpu", "cpu_ms": [0.5, None], "throttled": [False, True]}
    bundle = build(tmp_path, window, '["conv"]')
    write_tables(bundle, {"listed": Reads()})
    assert read_table(bundle.root / "samples.parquet")[1] == {
        "cell": CELL.id, "build": 2, "round": 2, "host": "h", "pass": "latency", "process": 0, "cycle": 4,
        "slice": 0, "sample": 1, "clock": "gpu", "start_ns": 20, "latency_ms": 1.25, "enqueue_ms": None,
        "host_ms": 1.3, "cpu_ms": None, "throttled": True,
    }  # fmt: skip
    assert read_table(bundle.root / "layer_times.parquet") == [
        {
            "cell": CELL.id, "build": 2, "position": 0, "name": "conv", "type": "Convolution",
            "kernel": "gemm", "average_ms": None, "median_ms": 0.5, "samples_ms": [0.5, 0.6],
        },
    ]  # fmt: skip


def test_a_build_whose_runtime_is_not_here_has_samples_and_no_layers(tmp_path: Path) -> None:
    bundle = build(tmp_path, WINDOW)
    write_tables(bundle, {})
    assert len(read_table(bundle.root / "samples.parquet")) == 2
    assert read_table(bundle.root / "layer_times.parquet") == []
    assert bundle.manifest.warnings == ()


def test_builds_that_failed_are_in_no_table_and_no_warning_and_others_are(tmp_path: Path) -> None:
    bundle = build(tmp_path, WINDOW)
    for number, status in ((0, "failed"), (3, "ok"), (4, "ok")):
        files = tmp_path / "files"
        files.mkdir()
        (files / "samples.json").write_text(json.dumps({"windows": [WINDOW]}), encoding="utf-8")
        (files / "names.json").write_text("[" if number == 3 else '["conv"]', encoding="utf-8")
        bundle.put_build(files, Build(cell=CELL.id, build=number, status=status))
    write_tables(bundle, {"listed": Reads()})
    (warning,) = bundle.manifest.warnings
    assert warning.startswith(f"{CELL.id} build 3: ")
    rows = read_table(bundle.root / "samples.parquet")
    assert [(row["build"], row["sample"]) for row in rows] == [(n, s) for n in (2, 3, 4) for s in (0, 1)]
    assert {row["build"] for row in read_table(bundle.root / "layer_times.parquet")} == {2, 4}
    write_tables(bundle, {})
    assert bundle.manifest.warnings == (), "those of the tables as they are now"


def test_a_layer_without_single_runs_has_none(tmp_path: Path) -> None:
    class Means(Reads):
        def read_engine(self, folder: Path) -> Evidence:
            whole = super().read_engine(folder)
            return replace(whole, times=(LayerTime(7, "conv", average_ms=0.25),))

    bundle = build(tmp_path, WINDOW)
    write_tables(bundle, {"listed": Means()})
    (row,) = read_table(bundle.root / "layer_times.parquet")
    assert (row["position"], row["average_ms"], row["median_ms"], row["samples_ms"]) == (7, 0.25, None, None)
