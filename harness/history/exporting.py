"""Points of a history as one file for other tools: Parquet or CSV, one row a night, subject and measure."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import BadOptionError, FileSystemError, NothingChosenError
from harness.history.folder import History
from harness.history.reading import ask, where_of
from harness.history.records import EVERYTHING, Filter, Problem

if TYPE_CHECKING:
    import duckdb

FORMS = (".parquet", ".csv")


def export(history: History, target: Path, wanted: Filter = EVERYTHING) -> tuple[int, tuple[Problem, ...]]:
    """Write the points that *wanted* names to *target*, and return how many, and the files left out.

    :param target: ``.parquet`` or ``.csv``; there whole or not at all
    :raises BadOptionError: it ends otherwise; :raises NothingChosenError: there is nothing to write
    :raises FileSystemError: it cannot be written; :raises UnavailableError: DuckDB is not installed
    """
    if target.suffix not in FORMS:
        raise BadOptionError(f"-o {target}: expected a name that ends in {' or '.join(FORMS)}")
    where, values = where_of(wanted)
    query = (
        f"SELECT * FROM read_parquet(?, hive_partitioning = false) WHERE {where} "
        "ORDER BY started, night, host, cell, measure"
    )
    count, problems = ask(history, "points", query, values, lambda found: _write(found, target))
    if not count:
        raise NothingChosenError(f"{history.root}: no night has a series of that kind")
    return count, tuple(problems)


def _write(chosen: duckdb.DuckDBPyRelation, target: Path) -> int:
    """Write *chosen* to *target* and return how many rows it has; nothing is written of none.

    :raises FileSystemError: it cannot be written
    """
    import duckdb

    if not (count := len(chosen)):
        return 0
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        if target.suffix == ".csv":
            chosen.write_csv(str(part))
        else:
            chosen.write_parquet(str(part), compression="zstd")
        part.replace(target)
    except duckdb.IOException as error:
        raise FileSystemError(f"{target}: {str(error).splitlines()[0]}") from None
    finally:
        part.unlink(missing_ok=True)
    return count
