"""Points of a history as one file for other tools: Parquet or CSV, one row a night, subject and measure."""

from __future__ import annotations

import os
from pathlib import Path

from harness.errors import BadOptionError, NothingChosenError
from harness.history.folder import History
from harness.history.reading import connect, readable, where_of
from harness.history.records import EVERYTHING, Filter, Problem

FORMS = (".parquet", ".csv")


def export(history: History, target: Path, wanted: Filter = EVERYTHING) -> tuple[int, tuple[Problem, ...]]:
    """Write the points that *wanted* names to *target*, and return how many, and the files left out.

    :param target: ``.parquet`` or ``.csv``; there whole or not at all
    :raises BadOptionError: it ends otherwise; :raises NothingChosenError: there is nothing to write
    :raises UnavailableError: DuckDB is not installed
    """
    if target.suffix not in FORMS:
        raise BadOptionError(f"-o {target}: expected a name that ends in {' or '.join(FORMS)}")
    connection = connect()
    files, problems = readable(history, connection, "points")
    where, values = where_of(wanted)
    chosen = None
    if files:
        chosen = connection.sql(
            f"SELECT * FROM read_parquet(?, hive_partitioning = false) WHERE {where} "
            "ORDER BY started, night, host, cell, measure",
            params=[files, *values],
        )
    count = 0 if chosen is None else len(chosen)
    if chosen is None or not count:
        raise NothingChosenError(f"{history.root}: no night has a series of that kind")
    part = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        if target.suffix == ".csv":
            chosen.write_csv(str(part))
        else:
            chosen.write_parquet(str(part), compression="zstd")
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    return count, tuple(problems)
