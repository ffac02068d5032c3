"""Tables as files: CSV with the standard library, Parquet with pyarrow."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

from harness.store.files import write_text
from harness.tables.columns import TABLES, Column
from harness.tables.tables import RunTables

BETWEEN = "; "
"""What stands between the entries of a list in CSV."""


def write_csv(tables: RunTables, folder: Path) -> Iterator[tuple[Path, int]]:
    """Write a CSV file a table into *folder* (RFC 4180, UTF-8, missing values empty).

    :return: each file with its rows, as it is written
    :raises OSError: it cannot be written
    """
    for name, columns in TABLES.items():
        rows = tables.rows(name)
        text = io.StringIO(newline="")
        writer = csv.writer(text)
        writer.writerow([column.name for column in columns])
        writer.writerows([_text(row[column.name]) for column in columns] for row in rows)
        write_text(folder / f"{name}.csv", text.getvalue())
        yield folder / f"{name}.csv", len(rows)


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return BETWEEN.join(value) if isinstance(value, list) else str(value)


def write_parquet(tables: RunTables, folder: Path) -> Iterator[tuple[Path, int]]:
    """Write a Parquet file a table into *folder*; the meaning of each column is in its metadata.

    :return: each file with its rows, as it is written
    :raises OSError: it cannot be written
    """
    import pyarrow as pa

    from harness.store.parquet import write_table

    kinds = {
        str: pa.string(),
        int: pa.int64(),
        float: pa.float64(),
        bool: pa.bool_(),
        list: pa.list_(pa.string()),
    }

    def field(column: Column) -> pa.Field:
        return pa.field(column.name, kinds[column.kind], metadata={"meaning": column.meaning})

    for name, columns in TABLES.items():
        rows = tables.rows(name)
        write_table(folder / f"{name}.parquet", rows, pa.schema([field(column) for column in columns]))
        yield folder / f"{name}.parquet", len(rows)
