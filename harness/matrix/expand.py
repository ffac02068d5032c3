"""From a matrix file to its cells: every name resolved, ids unique."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from fnmatch import fnmatchcase
from functools import cache

from harness.errors import EmptyMatrixError, MatrixValueError
from harness.matrix.cell import CELL_ID, CELL_ID_RULE, Cell
from harness.matrix.file import Block, MatrixFile, VersionBlock
from harness.matrix.strict import suggestion
from harness.matrix.treatment import COMMON_TABLE, TreatmentTable

AA = "aa"
"""The label of the second arm of an A/A pair."""

Arm = tuple[str, str, str]
"""Version, environment and label."""

Resolve = Callable[[str, str, str], Sequence[str]]
"""Called with runtime, environment and what the file says; returns the versions that it names."""


def expand(
    matrix: MatrixFile,
    *,
    networks: Collection[str],
    runtimes: dict[str, tuple[str, ...]],
    environments: Collection[str],
    resolve: Resolve = lambda _runtime, _environment, said: [said],
    table: TreatmentTable = COMMON_TABLE,
) -> list[Cell]:
    """Return the cells of *matrix* in its own order: block, network, treatment, runtime, version.

    :param networks: known names, the file's own networks included
    :param runtimes: known names to the environments that can hold each, the preferred one first
    :param resolve: turns a version expression (``>=8.5,<10``) into versions; a plain version names itself
    :param table: the fields of treatments, and which runtime knows them
    :raises InputError: a name is unknown, an id cannot name a folder, two cells have one, or nothing is left
    """
    _check_names(matrix, networks, runtimes, environments)
    cells: dict[str, Cell] = {}

    @cache
    def arms(number: int) -> tuple[Arm, ...]:
        """Return those of a table of versions, once: the same are measured under each treatment."""
        versions = matrix.versions[number]
        return tuple(_arms(versions, runtimes[versions.runtime], resolve))

    for block in matrix.blocks:
        for cell in _cells_of(matrix, block, arms, table):
            if any(fnmatchcase(cell.id, pattern) for pattern in matrix.exclude):
                continue
            if not CELL_ID.fullmatch(cell.id):
                raise MatrixValueError(matrix.path, f"'{cell.id}' cannot be a cell id: {CELL_ID_RULE}")
            if cells.get(cell.id, cell) != cell:
                raise MatrixValueError(matrix.path, f"two different cells would be called '{cell.id}'")
            cells[cell.id] = cell
    if not cells:
        raise EmptyMatrixError(matrix.path, "no cell is left: every one is excluded", where="exclude")
    return list(cells.values())


def _cells_of(
    matrix: MatrixFile, block: Block, arms: Callable[[int], tuple[Arm, ...]], table: TreatmentTable
) -> Iterator[Cell]:
    for network in block.networks:
        for treatment in block.treatments:
            for number, versions in enumerate(matrix.versions):
                if block.runtimes and versions.runtime not in block.runtimes:
                    continue
                fitted = table.fitted(treatment, versions.runtime)
                for version, environment, repeat in arms(number):
                    yield Cell(network, fitted, versions.runtime, version, environment, repeat)


def _arms(block: VersionBlock, preferred: tuple[str, ...], resolve: Resolve) -> Iterator[Arm]:
    """Yield (version, environment, label): the first environment bare, others and A/A arms labelled."""
    environments = block.environments or preferred[:1]
    for said in block.versions:
        for version in resolve(block.runtime, environments[0], said):
            for index, environment in enumerate(environments):
                yield version, environment, "" if index == 0 else environment
            if said in block.repeat:
                yield version, environments[0], AA


def _check_names(
    matrix: MatrixFile,
    networks: Collection[str],
    runtimes: dict[str, tuple[str, ...]],
    environments: Collection[str],
) -> None:
    for name in matrix.options:
        if name not in runtimes:
            problem = f"no runtime is called '{name}'{suggestion(name, list(runtimes))}"
            raise MatrixValueError(matrix.path, problem, where=f"[options.{name}]")
    for number, block in enumerate(matrix.blocks, start=1):
        _known(matrix, f"[[block]] {number}", "networks", block.networks, networks)
        _known(matrix, f"[[block]] {number}", "runtimes", block.runtimes, runtimes)
    for number, versions in enumerate(matrix.versions, start=1):
        table = f"[[versions]] {number}"
        _known(matrix, table, "runtime", (versions.runtime,), runtimes)
        _known(matrix, table, "environment", versions.environments, environments)


def _known(matrix: MatrixFile, table: str, key: str, names: Collection[str], known: Collection[str]) -> None:
    for name in names:
        if name not in known:
            problem = f"key '{key}': unknown name '{name}'{suggestion(name, list(known))}"
            raise MatrixValueError(matrix.path, problem, where=table)
