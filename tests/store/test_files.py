from __future__ import annotations

import os
from pathlib import Path

import pyarrow as pa
import pytest

from harness.errors import InputError
from harness.store.files import read_json, read_table, write_json, write_table, write_text

SCHEMA = pa.schema([pa.field("name", pa.string(), nullable=False), pa.field("ms", pa.float64())])


def test_json_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "a.json"
    write_json(path, {"a": 1})
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(path, {"a": float("nan")})
    assert read_json(path) == {"a": 1}
    assert [p.name for p in path.parent.iterdir()] == ["a.json"]


@pytest.mark.parametrize("content", ['{"a": ' + "[" * 100_000, '{"a": ' + "9" * 6_000 + "}"])
def test_json_too_deep_or_too_long_to_be_read_is_one_line(tmp_path: Path, content: str) -> None:
    path = tmp_path / "a.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match="not JSON that can be read"):
        read_json(path)


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.json")
    with pytest.raises(InputError, match="expected a regular file"):
        read_json(tmp_path / "a.json")


def test_links_are_written_through_and_devices_to(tmp_path: Path) -> None:
    target, link, device = tmp_path / "deep" / "b.txt", tmp_path / "a.txt", tmp_path / "device"
    target.parent.mkdir()
    target.write_text("old", encoding="utf-8")
    link.symlink_to(target)
    device.symlink_to(os.devnull)
    write_text(link, "new")
    write_text(device, "gone")
    assert link.is_symlink()
    assert target.read_text(encoding="utf-8") == "new"
    assert Path(os.devnull).is_char_device()


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
