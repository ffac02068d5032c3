"""Tables of a bundle as Parquet files, which are there whole or not at all.

Apart from the other files, since most commands need no table and pyarrow takes long to load.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from harness.errors import DamagedBundleError, NoSuchFileError


def write_table(path: Path, rows: list[dict[str, Any]], schema: pa.Schema) -> None:
    """Write *rows* as Parquet atomically."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        pq.write_table(pa.Table.from_pylist(rows, schema=schema), temporary, compression="zstd")
        temporary.replace(path)
    except OSError as error:
        error.filename, error.filename2 = str(path), None
        raise
    finally:
        temporary.unlink(missing_ok=True)


def read_table(path: Path, filters: Any = None) -> list[dict[str, Any]]:
    """Read a Parquet table of a bundle as rows, with *filters* in pyarrow's form.

    :raises InputError: missing or torn
    """
    try:
        rows: list[dict[str, Any]] = pq.read_table(path, filters=filters).to_pylist()
    except FileNotFoundError:
        raise NoSuchFileError(path, "no such file") from None
    except (pa.ArrowInvalid, OSError) as error:
        raise DamagedBundleError(
            path, f"not a Parquet table of a bundle: {str(error).splitlines()[0]}"
        ) from None
    return rows
