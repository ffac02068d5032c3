"""Series out of a history, by DuckDB over its Parquet files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from harness.errors import MissingPackageError
from harness.history.folder import History
from harness.history.records import EVERYTHING, Facts, Filter, Layer, Point, Problem, Series, Subject
from harness.store.documents.night import Night

if TYPE_CHECKING:
    import duckdb

_KEY = (*Subject._fields, "measure")
_FACTS = ", ".join(f"fact_{name}" for name in Facts.__dataclass_fields__)
_BETWEEN = chr(31)
"""Stands between facts: one text a night is read faster than one of each."""

# Of a night in the order of time; times as microseconds, which need no package for time zones.
_LISTS = ", ".join(
    f"list({column} ORDER BY started, night)"
    for column in (
        "night",
        "epoch_us(started)",
        "value",
        "low",
        "high",
        "values",
        f"concat_ws(chr(31), {_FACTS})",
    )
)


@dataclass(frozen=True)
class Read:
    """What was asked for, and which files could not be read: they are left out.

    :param series: by subject and measure, points oldest first
    """

    series: tuple[Series, ...]
    problems: tuple[Problem, ...]


def nights(history: History) -> Sequence[Night]:
    """Return the nights of *history*, oldest first."""
    return history.nights


def series(history: History, wanted: Filter = EVERYTHING) -> Read:
    """Return the series of *history* that *wanted* names, by subject and measure.

    :raises UnavailableError: DuckDB is not installed
    """
    where, values = where_of(wanted)
    keys = ", ".join(_KEY)
    # A partition's folder is no column: what it is called stands in the rows.
    query = (
        f"SELECT {keys}, any_value(unit), {_LISTS} FROM read_parquet(?, hive_partitioning = false) "
        f"WHERE {where} GROUP BY {keys} ORDER BY {keys}"
    )
    rows, problems = ask(history, "points", query, values)
    return Read(tuple(_series(rows)), tuple(problems))


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
    return [Layer(*row) for row in ask(own, "layers", query, [cell])[0]]


def ask(
    history: History, table: str, query: str, values: Sequence[object]
) -> tuple[list[tuple[Any, ...]], list[Problem]]:
    """Return the rows of *query* over the files of *table*, and what is wrong with those left out.

    :param query: with a place for the files first; :param values: of its other places
    :raises UnavailableError: DuckDB is not installed
    """
    connection = connect()
    import duckdb

    files, problems = named_files(history, table)
    try:
        return _rows(connection, query, files, values), problems
    except duckdb.Error:  # a torn one: each is looked at on its own
        files, problems = readable(history, connection, table)
        return _rows(connection, query, files, values), problems


def _rows(
    connection: duckdb.DuckDBPyConnection, query: str, files: list[str], values: Sequence[object]
) -> list[tuple[Any, ...]]:
    return connection.execute(query, [files, *values]).fetchall() if files else []


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


def _series(rows: Sequence[tuple[Any, ...]]) -> Iterator[Series]:
    width = len(_KEY)
    facts: dict[str, Facts] = {}
    times: dict[int, datetime] = {}
    for row in rows:
        key, unit, columns = row[:width], row[width], row[width + 1 :]
        points = []
        for night, started, value, low, high, values, said in zip(*columns, strict=True):
            if said not in facts:
                facts[said] = Facts(*said.split(_BETWEEN))
            if started not in times:
                times[started] = _EPOCH + timedelta(microseconds=started)
            points.append(Point(night, times[started], value, low, high, tuple(values), facts[said]))
        yield Series(Subject(*key[:-1]), key[-1], unit, tuple(points))


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
