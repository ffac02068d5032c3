from __future__ import annotations

import errno
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from harness.errors import DamagedBundleError, InputError, NoSuchFileError
from harness.store.parquet import read_table, write_table

SCHEMA = pa.schema([pa.field("name", pa.string(), nullable=False), pa.field("ms", pa.float64())])


def test_tables_come_back_to_the_last_bit(tmp_path: Path) -> None:
    rows = [{"name": "a", "ms": 0.1 + 0.2}, {"name": "b", "ms": None}]
    write_table(tmp_path / "t.parquet", rows, SCHEMA)
    assert read_table(tmp_path / "t.parquet") == rows


def test_no_rows_are_a_table_too(tmp_path: Path) -> None:
    write_table(tmp_path / "t.parquet", [], SCHEMA)
    assert read_table(tmp_path / "t.parquet") == []


def test_a_torn_table_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    write_table(path, [{"name": "a", "ms": 1.0}], SCHEMA)
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(InputError, match=r"t\.parquet: not a Parquet table"):
        read_table(path)
    with pytest.raises(InputError, match="no such file"):
        read_table(tmp_path / "none.parquet")


def test_a_table_is_replaced_whole_and_read_in_part(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "er" / "t.parquet"
    write_table(path, [{"name": "a", "ms": 1.0}], SCHEMA)
    with pytest.raises(pa.ArrowInvalid):
        write_table(path, [{"name": "b", "ms": "slow"}], SCHEMA)
    assert read_table(path) == [{"name": "a", "ms": 1.0}]
    write_table(path, [{"name": "b", "ms": 1.0}, {"name": "c", "ms": 2.0}], SCHEMA)
    assert read_table(path, [("name", "=", "c")]) == [{"name": "c", "ms": 2.0}]
    assert [found.name for found in path.parent.iterdir()] == ["t.parquet"]


def test_a_table_says_in_one_line_why_it_cannot_be_read(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    path.write_bytes(b"PAR1 and nothing more")
    with pytest.raises(InputError) as caught:
        read_table(path)
    assert "\n" not in str(caught.value)
    assert caught.value.path == str(path)


def test_tables_are_compressed_with_what_every_reader_has(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    write_table(path, [{"name": "a" * 1000, "ms": 1.0}] * 100, SCHEMA)
    (row_group,) = [pq.ParquetFile(path).metadata.row_group(0)]
    assert {row_group.column(n).compression for n in range(2)} == {"ZSTD"}


def test_a_disk_that_is_full_is_named_by_the_table_and_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "t.parquet"
    write_table(path, [{"name": "a", "ms": 1.0}], SCHEMA)

    def full(_table: object, where: Path, **_more: object) -> None:
        where.write_bytes(b"PAR1")
        assert where.parent == path.parent, "it could not be renamed from elsewhere"
        raise OSError(errno.ENOSPC, "No space left on device", str(where))

    monkeypatch.setattr(pq, "write_table", full)
    with pytest.raises(OSError, match="No space left") as caught:
        write_table(path, [{"name": "b", "ms": 1.0}], SCHEMA)
    assert (caught.value.filename, caught.value.filename2) == (str(path), None)
    assert read_table(path) == [{"name": "a", "ms": 1.0}]
    assert [found.name for found in tmp_path.iterdir()] == ["t.parquet"]


def test_a_table_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(NoSuchFileError) as caught:
        read_table(tmp_path / "none.parquet")
    assert (caught.value.path, caught.value.problem) == (str(tmp_path / "none.parquet"), "no such file")
    (tmp_path / "t.parquet").write_bytes(b"no table\nat all")
    with pytest.raises(DamagedBundleError) as torn:
        read_table(tmp_path / "t.parquet")
    assert torn.value.problem.startswith("not a Parquet table of a bundle: ")
    assert len(torn.value.problem) > len("not a Parquet table of a bundle: ")
