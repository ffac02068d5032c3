from __future__ import annotations

import json
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
