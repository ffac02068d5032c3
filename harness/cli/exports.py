"""What ``trtmatrix show`` writes for other tools: a trace, an engine graph, tables."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from harness.cli.outputs import check_file, check_folder
from harness.errors import NothingChosenError, OptionsContradictError, UnknownNameError
from harness.matrix.strict import suggestion
from harness.written import number_of

if TYPE_CHECKING:
    from harness.analysis.grid import Grid
    from harness.analysis.groups import BuildGroup
    from harness.observations.records import BuildObservation


@dataclass(frozen=True)
class Exports:
    """The files that were asked for, None where they were not."""

    trace: Path | None
    dot: Path | None
    csv: Path | None
    parquet: Path | None

    @classmethod
    def of(cls, arguments: argparse.Namespace) -> Exports:
        """Return what the command line asks for.

        :raises OptionsContradictError: ``--dot`` without a cell
        """
        if arguments.dot is not None and arguments.cell is None:
            raise OptionsContradictError("--dot needs CELL: 'trtmatrix show RUN' lists the cells")
        return cls(arguments.trace, arguments.dot, arguments.csv, arguments.parquet)

    def __bool__(self) -> bool:
        """Whether anything is asked for."""
        return any((self.trace, self.dot, self.csv, self.parquet))

    def check(self, run: Path) -> None:
        """Refuse places that cannot be written to, before the run is read.

        :raises OutputPathError: see :func:`harness.cli.outputs.check_file`
        """
        for path, option in ((self.trace, "--trace"), (self.dot, "--dot")):
            if path is not None:
                check_file(path, option, [run])
        for path, option in ((self.csv, "--csv"), (self.parquet, "--parquet")):
            if path is not None:
                check_folder(path, option)

    def write(self, grid: Grid, number: int | None) -> None:
        """Write what is asked for of the builds in *grid*, and say where it is.

        :param number: of the build whose graph is drawn; None for that of the middle layer time
        :raises NothingChosenError: no build has layer times, or its layers cannot be tied to each other
        """
        if self.trace is not None:
            _write_trace(self.trace, grid, number)
        if self.dot is not None:
            _write_dot(self.dot, grid, number)
        if self.csv is not None or self.parquet is not None:
            _write_tables(self.csv, self.parquet, grid)


def only(grid: Grid, named: str | None) -> tuple[Grid, int | None]:
    """Return *grid* with the groups of one cell, and the number of the build that *named* ends in.

    :param named: ``CELL`` or ``CELL/BUILD``; CELL is an id, or a part of one that no other has
    :raises UnknownNameError: there is no such cell or build, or there are several
    """
    if named is None:
        return grid, None
    name, _, number = named.partition("/")
    if number and not number.isdecimal():
        raise UnknownNameError(f"'{named}': '{number}' is no number of a build")
    ids = list(dict.fromkeys(group.cell.id for group in grid.groups))
    found = [name] if name in ids else [one for one in ids if name in one]
    if len(found) != 1:
        problem = f"{len(found)} cells have that in their name: {', '.join(found)}"
        raise UnknownNameError(f"'{name}': {problem if found else f'no such cell{_nearest(name, ids)}'}")
    groups = tuple(group for group in grid.groups if group.cell.id == found[0])
    known = [str(build.build) for group in groups for build in group.observed]
    if number and number not in known:
        raise UnknownNameError(
            f"{found[0]} has no build {number}; its builds are {', '.join(known) or 'none'}"
        )
    return replace(grid, groups=groups), int(number) if number else None


def _nearest(name: str, ids: Sequence[str]) -> str:
    """Return a suggestion to end a message with: by the whole id, else by as many parts of its end."""
    parts = name.count("-") + 1
    ends = {"-".join(one.split("-")[-parts:]): one for one in ids}
    close = get_close_matches(name, ends, n=1)
    return suggestion(name, ids) if not close else suggestion(ends[close[0]], ids)


def _write_trace(path: Path, grid: Grid, number: int | None) -> None:
    from harness.report.trace import trace
    from harness.store.files import write_text

    document = trace(grid.groups, number)
    if not document["traceEvents"]:
        raise NothingChosenError("--trace: none of these builds has layer times")
    write_text(path, json.dumps(document, separators=(",", ":"), ensure_ascii=False) + "\n")
    print(f"trace: {path}; open it in Perfetto or in Chrome's tracing page")


def _write_tables(csv: Path | None, parquet: Path | None, grid: Grid) -> None:
    from harness.tables.tables import RunTables
    from harness.tables.writing import write_csv, write_parquet

    tables = RunTables(grid)
    for folder, write in ((csv, write_csv), (parquet, write_parquet)):
        if folder is not None:
            for path, rows in write(tables, folder):
                print(f"{path}: {number_of(rows, 'row')}")


def _write_dot(path: Path, grid: Grid, number: int | None) -> None:
    from harness.report.dot import dot
    from harness.store.files import write_text

    group, build = _drawn(grid, number)
    assert build.engine is not None
    title = f"{group.cell.id}, build {build.build}"
    if not build.engine.edges:
        raise NothingChosenError(f"--dot: nothing says which layer feeds which in {title}")
    write_text(path, dot(title, build.engine))
    print(f"graph of {title}: {path}")


def _drawn(grid: Grid, number: int | None) -> tuple[BuildGroup, BuildObservation]:
    """Return the build of that *number*, or the first group's that is in the middle."""
    for group in grid.groups:
        builds = [group.typical_build] if number is None else [b for b in group.observed if b.build == number]
        for build in builds:
            if build is not None and build.engine is not None and build.engine.layers:
                return group, build
    raise NothingChosenError(f"--dot: no layers are known of {grid.groups[0].cell.id}")
