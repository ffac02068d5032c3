"""Series out of a history, by DuckDB over its Parquet files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from harness.errors import MissingPackageError
from harness.history.folder import History
from harness.history.records import (
    ADOPTION,
    EVERYTHING,
    Facts,
    Filter,
    Layer,
    Point,
    Problem,
    Series,
    Subject,
)

if TYPE_CHECKING:
    import duckdb

T = TypeVar("T")

_KEY = (*Subject._fields, "measure")
_FACTS = ", ".join(f"fact_{name}" for name in Facts.__dataclass_fields__)
_BETWEEN = chr(31)
"""Stands between names and between facts: one text is read faster than one of each."""

# Times as microseconds, which need no package for time zones.
_COLUMNS = (
    f"concat_ws(chr(31), {', '.join(_KEY)}) AS key, unit, night, epoch_us(started) AS started, value, "
    f"low, high, values, concat_ws(chr(31), {_FACTS}) AS facts"
)


@dataclass(frozen=True)
class Read:
    """What was asked for, and which files could not be read: they are left out.

    :param series: by subject and measure, points oldest first
    """

    series: tuple[Series, ...]
    problems: tuple[Problem, ...]


def series(history: History, wanted: Filter = EVERYTHING) -> Read:
    """Return the series of *history* that *wanted* names, by subject and measure.

    :raises UnavailableError: DuckDB is not installed
    """
    where, values = where_of(wanted)
    # A partition's folder is no column: what it is called stands in the rows.
    query = (
        f"SELECT {_COLUMNS} FROM read_parquet(?, hive_partitioning = false) WHERE {where} "
        f"ORDER BY {', '.join(_KEY)}, started, night"
    )
    # As columns: a row of Python objects for each point of a year takes longer than the query.
    table, problems = ask(history, "points", query, values, lambda found: found.to_arrow_table())
    found = () if table is None else tuple(_series(table))
    return Read(that_apply(found) if wanted.measure == EVERYTHING.measure else found, tuple(problems))


def that_apply(found: Sequence[Series]) -> tuple[Series, ...]:
    """Return *found* without the adoption of kernels that no version of its runtime ever chose.

    Such zeros say nothing of a version: the runtime has no such kernels, or no choice.
    """
    choosing = {
        one.subject.runtime
        for one in found
        if one.measure.startswith(ADOPTION) and any(point.value for point in one.points)
    }
    return tuple(
        one for one in found if not one.measure.startswith(ADOPTION) or one.subject.runtime in choosing
    )


def layers(history: History, cell: str, night: str) -> list[Layer]:
    """Return the layers of one cell in one night, by build and place.

    :param cell: its id; :param night: id of its run
    :raises UnavailableError: DuckDB is not installed
    """
    own = History(history.root, tuple(x for x in history.nights if x.run == night))
    query = (
        "SELECT night, build, name, op_class, coalesce(kernel, ''), ms "
        "FROM read_parquet(?, hive_partitioning = false) WHERE cell = ? ORDER BY build, position"
    )
    rows, _ = ask(own, "layers", query, [cell], lambda found: found.fetchall())
    return [Layer(*row) for row in rows or ()]


def ask(
    history: History,
    table: str,
    query: str,
    values: Sequence[object],
    take: Callable[[duckdb.DuckDBPyRelation], T],
) -> tuple[T | None, list[Problem]]:
    """Return what *take* makes of *query* over the files of *table*, and what is wrong with those left out.

    :param query: with a place for the files first; :param values: of its other places
    :raises UnavailableError: DuckDB is not installed
    """
    connection = connect()
    import duckdb

    files, problems = named_files(history, table)
    try:
        return take(connection.sql(query, params=[files, *values])) if files else None, problems
    except duckdb.Error:  # a torn one: each is looked at on its own
        files, problems = readable(history, connection, table)
        return take(connection.sql(query, params=[files, *values])) if files else None, problems


def connect() -> duckdb.DuckDBPyConnection:
    """Return a connection to DuckDB that reads files and keeps none.

    :raises UnavailableError: it is not installed
    """
    try:
        import duckdb
    except ImportError:
        raise MissingPackageError(
            "a history is read with DuckDB, which is not installed; pip install 'trtmatrix[history]'"
        ) from None
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'").fetchall()
    return connection


def readable(
    history: History, connection: duckdb.DuckDBPyConnection, table: str
) -> tuple[list[str], list[Problem]]:
    """Return the files of *table* that can be read, and what is wrong with the others.

    One look at all of them; each on its own only where one is torn.
    """
    import duckdb

    there, problems = named_files(history, table)
    if not there:
        return [], problems
    try:
        connection.execute(
            "SELECT count(*) FROM read_parquet(?, hive_partitioning = false)", [there]
        ).fetchall()
        return there, problems
    except duckdb.Error:
        pass
    good = []
    for path in there:
        try:
            connection.execute("SELECT count(*) FROM read_parquet(?)", [path]).fetchall()
            good.append(path)
        except duckdb.Error as error:
            problems.append(Problem(path, f"torn: {str(error).splitlines()[0]}"))
    return good, problems


def named_files(history: History, table: str) -> tuple[list[str], list[Problem]]:
    """Return the files of *table* that are there, and those that the index names and that are not."""
    files = [file for night in history.nights for file in night.files if file.startswith(table)]
    named = [history.root / file for file in files]
    there = [str(path) for path in named if path.is_file()]
    known = set(there)
    problems = [
        Problem(str(x), "the index names it, and it is not there") for x in named if str(x) not in known
    ]
    return there, problems


def where_of(wanted: Filter) -> tuple[str, list[Any]]:
    """Return a condition of SQL that chooses what *wanted* names, and its values."""
    said: list[tuple[str, Any]] = [(f"{column} GLOB ?", value) for column, value in wanted.patterns()]
    said += [("started >= ?", wanted.since)] if wanted.since is not None else []
    said += [("started <= ?", wanted.until)] if wanted.until is not None else []
    return " AND ".join(["true", *(text for text, _ in said)]), [value for _, value in said]


def _series(table: pa.Table) -> Iterator[Series]:
    """Yield the series in rows that are in their order, and in each in that of time."""
    if not table.num_rows:
        return
    columns = table.combine_chunks()
    keys, ends = _runs(columns["key"])
    names, nights = _coded(columns["night"])
    said, facts = _coded(columns["facts"])
    known = [Facts(*text.split(_BETWEEN)) for text in said]
    started = columns["started"].to_numpy()
    times = {at: _EPOCH + timedelta(microseconds=at) for at in np.unique(started).tolist()}
    lists = columns["values"].chunk(0)
    flat, places = lists.values.to_numpy().tolist(), lists.offsets.to_numpy().tolist()
    points = [
        Point(names[night], times[at], value, low, high, tuple(flat[begin:end]), known[fact])
        for night, at, value, low, high, begin, end, fact in zip(
            nights,
            started.tolist(),
            columns["value"].to_numpy().tolist(),
            columns["low"].to_pylist(),
            columns["high"].to_pylist(),
            places[:-1],
            places[1:],
            facts,
            strict=True,
        )
    ]
    begins = [0, *ends[:-1]]
    for key, begin, end in zip(keys, begins, ends, strict=True):
        *subject, measure = key.split(_BETWEEN)
        unit = columns["unit"][begin].as_py()
        yield Series(Subject(*subject), measure, unit, tuple(points[begin:end]))


def _runs(column: pa.ChunkedArray) -> tuple[list[str], list[int]]:
    """Return the values of runs of equal ones, and where each ends."""
    found = pc.run_end_encode(column.chunk(0))
    return found.values.to_pylist(), found.run_ends.to_pylist()


def _coded(column: pa.ChunkedArray) -> tuple[list[str], list[int]]:
    """Return the different values, and the number of each row's own."""
    found = column.chunk(0).dictionary_encode()
    return found.dictionary.to_pylist(), found.indices.to_numpy().tolist()


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
