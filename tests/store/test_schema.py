"""The tables of a bundle explain themselves: to whoever reads them with any Parquet reader."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from harness.store.parquet import write_table
from harness.store.schema import LAYER_TIMES, SAMPLES

ROOT = Path(__file__).resolve().parents[2]

SAMPLE: dict[str, Any] = {
    "cell": "c",
    "build": 0,
    "round": 1,
    "host": "h",
    "pass": "latency",
    "process": 0,
    "cycle": 2,
    "slice": 0,
    "sample": 3,
    "clock": "gpu",
    "start_ns": 1_790_000_000_000_000_000,
    "latency_ms": 0.1,
    "enqueue_ms": 0.2,
    "host_ms": 0.3,
    "cpu_ms": 0.1,
    "throttled": False,
}
LAYER: dict[str, Any] = {
    "cell": "c",
    "build": 0,
    "position": 1,
    "name": "conv",
    "type": "Convolution",
    "kernel": "gemm",
    "average_ms": 0.1,
    "median_ms": 0.2,
    "samples_ms": [0.1, 0.3],
}
MAY_LACK = {
    "samples": {"start_ns", "enqueue_ms", "host_ms", "cpu_ms", "throttled"},
    "layers": {"type", "kernel", "average_ms", "median_ms", "samples_ms"},
}
TABLES = [("samples", SAMPLES, SAMPLE), ("layers", LAYER_TIMES, LAYER)]


@pytest.mark.parametrize(("name", "schema", "row"), TABLES)
def test_a_whole_row_comes_back_as_it_was_measured(
    tmp_path: Path, name: str, schema: pa.Schema, row: dict[str, Any]
) -> None:
    write_table(tmp_path / "t.parquet", [row, {**row, **dict.fromkeys(MAY_LACK[name])}], schema)
    whole, bare = pq.read_table(tmp_path / "t.parquet").to_pylist()
    assert whole == row
    assert list(whole) == list(row)
    assert {column for column, value in bare.items() if value is None} == MAY_LACK[name]


@pytest.mark.parametrize(("name", "schema", "row"), TABLES)
def test_what_every_row_has_is_in_every_row(
    tmp_path: Path, name: str, schema: pa.Schema, row: dict[str, Any]
) -> None:
    for column in set(row) - MAY_LACK[name]:
        write_table(tmp_path / "t.parquet", [row], schema)
        assert not pq.read_schema(tmp_path / "t.parquet").field(column).nullable
    assert all(schema.field(column).nullable for column in MAY_LACK[name])


@pytest.mark.parametrize(("name", "schema", "row"), TABLES)
def test_each_column_says_what_it_holds_and_in_which_unit(
    tmp_path: Path, name: str, schema: pa.Schema, row: dict[str, Any]
) -> None:
    write_table(tmp_path / f"{name}.parquet", [row], schema)
    written = pq.read_schema(tmp_path / f"{name}.parquet")
    for field in written:
        meaning = field.metadata[b"meaning"].decode()
        assert meaning.strip()
        for unit in ("ms", "ns"):
            if field.name.endswith(f"_{unit}"):
                assert unit in meaning.replace(",", " ").replace(":", " ").split()
        if field.type == pa.int32():
            assert meaning.endswith("from 0"), field.name
    kind, _, form = written.metadata[b"schema"].decode().rpartition("/")
    assert kind.startswith("trtmatrix.")
    assert form.isdigit()


@pytest.mark.parametrize(("name", "schema"), [("samples", SAMPLES), ("layer_times", LAYER_TIMES)])
def test_the_page_on_bundles_lists_every_column(name: str, schema: pa.Schema) -> None:
    rows = [
        f"| `{field.name}` | {field.type}{' or null' if field.nullable else ''} "
        f"| {field.metadata[b'meaning'].decode()} |"
        for field in schema
    ]
    head = [f"| `{name}.parquet` | type | meaning |", "|---|---|---|"]
    page = ROOT / "docs" / "reference" / "bundle.md"
    assert "\n".join([*head, *rows]) + "\n" in page.read_text(encoding="utf-8")


def test_each_table_says_which_form_it_has() -> None:
    forms = [schema.metadata[b"schema"].decode() for schema in (SAMPLES, LAYER_TIMES)]
    assert forms == ["trtmatrix.sample_rows/2", "trtmatrix.layer_times/1"]


def test_numbers_keep_their_width() -> None:
    assert SAMPLES.field("start_ns").type == pa.int64(), "nanoseconds since 1970 need it"
    assert {SAMPLES.field(name).type for name in ("latency_ms", "enqueue_ms", "host_ms", "cpu_ms")} == {
        pa.float64()
    }
    assert LAYER_TIMES.field("samples_ms").type == pa.list_(pa.float64())
    assert SAMPLES.field("throttled").type == pa.bool_()
