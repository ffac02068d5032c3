"""Tables as DataFrames of pandas or polars, whichever is installed."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from harness.analysis.grid import grid_of
from harness.errors import MissingPackageError, UnknownNameError
from harness.plugins.reading import observe
from harness.tables.columns import TABLES, Column
from harness.tables.rows import Row
from harness.tables.tables import RunTables

LIBRARIES = ("pandas", "polars")
"""In the order in which they are looked for."""


class Frames:
    """A run, or several, as DataFrames; each is made when it is first asked for.

    Columns: :data:`harness.tables.columns.TABLES`, the same as ``trtmatrix show RUN --parquet`` writes.
    """

    def __init__(self, tables: RunTables, library: str) -> None:
        self._tables, self.library = tables, library

    @cached_property
    def builds(self) -> Any:
        """One row a build: what it is, how it went, its latency in each pass."""
        return self._frame("builds")

    @cached_property
    def samples(self) -> Any:
        """One row a build and pass: a summary of its samples, ms."""
        return self._frame("samples")

    @cached_property
    def layers(self) -> Any:
        """One row a build and engine layer: class, kernel, time, source ops, formats."""
        return self._frame("layers")

    @cached_property
    def tactics(self) -> Any:
        """One row a build and tactic that the builder tried, where its log was kept."""
        return self._frame("tactics")

    @cached_property
    def verdicts(self) -> Any:
        """One row a verdict, by the decision table and the policy of the run's matrix."""
        return self._frame("verdicts")

    def _frame(self, name: str) -> Any:
        make = {"pandas": _pandas, "polars": _polars}[self.library]
        return make(self._tables.rows(name), TABLES[name])


def read(runs: Path | str | Sequence[Path | str], library: str | None = None) -> Frames:
    """Return stored runs as DataFrames.

    :param runs: folder or published archive of a run, or several, read as one
    :param library: ``pandas`` or ``polars``; None: the first of them that is installed
    :raises MissingPackageError: it is not installed
    :raises InputError: a run cannot be read
    """
    library = _installed(library)
    named = [runs] if isinstance(runs, str | Path) else list(runs)
    return Frames(RunTables(grid_of(observe([Path(run) for run in named]))), library)


def _installed(library: str | None) -> str:
    if library is not None and library not in LIBRARIES:
        raise UnknownNameError(f"library: '{library}' makes no DataFrames here; {' and '.join(LIBRARIES)} do")
    for name in LIBRARIES if library is None else (library,):
        if importlib.util.find_spec(name) is not None:
            return name
    asked = library or "pandas or polars"
    extra = library or "pandas"
    raise MissingPackageError(
        f"DataFrames are made by {asked}, which is not installed; pip install 'trtmatrix[{extra}]', "
        "or write files with 'trtmatrix show RUN --csv DIR'"
    )


def _pandas(rows: Sequence[Row], columns: Sequence[Column]) -> Any:
    import pandas as pd

    kinds = {str: "object", int: "Int64", float: "float64", bool: "boolean", list: "object"}
    return pd.DataFrame(
        {c.name: pd.Series([row[c.name] for row in rows], dtype=kinds[c.kind]) for c in columns}
    )


def _polars(rows: Sequence[Row], columns: Sequence[Column]) -> Any:
    import polars as pl

    kinds: dict[type, Any] = {
        str: pl.String,
        int: pl.Int64,
        float: pl.Float64,
        bool: pl.Boolean,
        list: pl.List(pl.String),
    }
    return pl.DataFrame(
        {c.name: [row[c.name] for row in rows] for c in columns},
        schema={c.name: kinds[c.kind] for c in columns},
    )
