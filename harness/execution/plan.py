"""What a run will measure: the user's choices and the matrix file, every name resolved.

Imports neither a runtime nor what writes bundles: listing the cells of a matrix takes about a second.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import (
    BadOptionError,
    MatrixValueError,
    NoSuchFileError,
    OptionsContradictError,
    UnknownNameError,
    did_you_mean,
)
from harness.execution.base import DEFAULT_EXECUTOR
from harness.execution.budget import Budget
from harness.execution.fleet import FleetExecutor
from harness.matrix.cell import Cell
from harness.matrix.expand import expand
from harness.matrix.file import PREVIOUS, MatrixFile, read_matrix
from harness.matrix.strict import suggestion
from harness.networks.base import is_tensorflow
from harness.resources import data_folder

if TYPE_CHECKING:
    from harness.execution.parts import Parts
    from harness.networks.base import NetworkFamily, OwnFamily


FLEET_EXECUTOR = "ray"
"""The executor of those who name the address of a cluster and no executor."""


@dataclass(frozen=True)
class Choices:
    """What the user chose on the command line or in the ini file; None: as the matrix file says.

    :param networks: files named with ``--network``; they replace the matrix's own networks
    :param shapes: ``NAME=1x3x224x224`` for inputs of those files whose axes are open
    :param outputs: nodes that are the outputs of those files, TensorFlow's only
    :param history: folder of nights, in which the engines of anchors are kept
    :param address: of a cluster
    """

    matrix: Path | None = None
    out: Path | None = None
    builds: int | None = None
    quick: bool = False
    resume: bool = False
    retry_failed: bool = False
    networks: tuple[Path, ...] = ()
    shapes: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    executor: str | None = None
    address: str | None = None
    minutes: float | None = None
    history: Path | None = None


@dataclass(frozen=True)
class Plan:
    """A matrix with every name resolved.

    :param executor: name of the one that is given the blocks; :param address: of its fleet, if one is named
    """

    matrix: MatrixFile
    cells: tuple[Cell, ...]
    families: Mapping[str, NetworkFamily]
    executor: str = DEFAULT_EXECUTOR
    address: str | None = None

    def rounds(self, choices: Choices) -> int:
        """Return how many builds a cell gets."""
        if choices.builds is not None:
            return choices.builds
        return self.matrix.quick_builds if choices.quick else self.matrix.builds

    def budget(self, choices: Choices) -> Budget:
        """Return the time that a run may take, from now on."""
        minutes = choices.minutes
        if minutes is None and not choices.quick:
            minutes = self.matrix.minutes
        return Budget(None if minutes is None else 60 * minutes, self.matrix.precision)


def above_zero(said: str | None, option: str) -> float | None:
    """Return the number that was given with *option*, None where none was.

    :raises BadOptionError: it is no number above 0
    """
    if said is None:
        return None
    try:
        value = float(said)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise BadOptionError(f"{option}: expected a number above 0, found '{said}'")
    return value


def default_matrix() -> Path:
    """Return the embedded default matrix file."""
    return data_folder("suites") / "default.toml"


def is_matrix(path: Path) -> bool:
    """Say whether *path* is meant as a matrix file: one of the user's own, or one that comes along."""
    return path.is_file() or path.suffix == ".toml" or (not path.exists() and str(path) in suites())


def suites() -> dict[str, Path]:
    """Return the matrix files that come along, by name (``default``, ``tensorrt_core``)."""
    return {path.stem: path for path in sorted(data_folder("suites").glob("*.toml"))}


def matrix_path(named: Path | None) -> Path:
    """Return the matrix file that the user names: one of their own, else one that comes along, by its name.

    :raises NoSuchFileError: it is neither
    """
    if named is None:
        return default_matrix()
    if named.is_file() or len(named.parts) != 1 or named.suffix:
        return named
    known = suites()
    if str(named) not in known:
        near = did_you_mean(str(named), known) or f"; these come along: {', '.join(known)}"
        raise NoSuchFileError(named, f"no such file, and no suite of that name comes along{near}")
    return known[str(named)]


def make_plan(choices: Choices, parts: Parts) -> Plan:
    """Read the matrix file and expand it to cells.

    :raises InputError: the file is not a matrix file, or names something unknown
    """
    return plan_of(read_matrix(matrix_path(choices.matrix), parts.treatments), choices, parts)


def plan_of(matrix: MatrixFile, choices: Choices, parts: Parts) -> Plan:
    """Return *matrix* expanded to cells.

    :raises InputError: it names something unknown
    """
    families = dict(parts.networks)
    named = {network_name(path): path for path in choices.networks}
    if choices.shapes and not named:
        raise OptionsContradictError(
            "--shape needs an ONNX file, GraphDef or SavedModel, whose inputs it speaks of (--network)"
        )
    if choices.outputs and [is_tensorflow(path) for path in named.values()] != [True]:
        raise OptionsContradictError(
            "--output needs one GraphDef or SavedModel, whose nodes it speaks of (--network)"
        )
    families.update(_own_networks({**matrix.networks, **named}, named, choices))
    if named:
        blocks = tuple(replace(block, networks=tuple(named)) for block in matrix.blocks)
        matrix = replace(matrix, blocks=blocks)
    if choices.quick:
        matrix = replace(matrix, exclude=(*matrix.exclude, *matrix.quick_exclude))
    cells = expand(
        matrix,
        networks=families,
        runtimes={name: runtime.environments for name, runtime in parts.runtimes.items()},
        environments=parts.environments,
        resolve=lambda runtime, environment, said: parts.environments[environment].resolve(runtime, said),
        table=parts.treatments,
    )
    _check_baseline(matrix, cells)
    executor = _executor(matrix, choices, parts)
    return Plan(matrix, tuple(cells), families, executor, choices.address)


def _executor(matrix: MatrixFile, choices: Choices, parts: Parts) -> str:
    """Return the name of the executor: the user's choice, else the file's."""
    name = matrix.executor if choices.executor is None else choices.executor
    if choices.address is not None and choices.executor is None and name == DEFAULT_EXECUTOR:
        name = FLEET_EXECUTOR
    if name in parts.executors:
        if choices.address is not None and not isinstance(parts.executors[name], FleetExecutor):
            raise OptionsContradictError(
                f"--address: executor '{name}' has no cluster; leave it out, or say "
                f"--executor {FLEET_EXECUTOR}"
            )
        return name
    problem = f"no executor is called '{name}'{suggestion(name, list(parts.executors))}"
    if choices.executor is not None:
        raise UnknownNameError(f"--executor: {problem}")
    raise MatrixValueError(matrix.path, f"key 'executor': {problem}", where="[run]")


def _check_baseline(matrix: MatrixFile, cells: Sequence[Cell]) -> None:
    """Say before anything is measured that no cell could be compared with the baseline."""
    versions = dict.fromkeys(cell.version for cell in cells)
    releases = {f"{cell.runtime} {cell.version}" for cell in cells}
    if matrix.baseline not in {PREVIOUS, *versions, *releases}:
        raise MatrixValueError(
            matrix.path,
            f"'{matrix.baseline}' is no version here; say '{PREVIOUS}' or one of {', '.join(versions)}",
            where="[policy] baseline",
        )


def _own_networks(
    paths: Mapping[str, Path], named: Mapping[str, Path], choices: Choices
) -> dict[str, OwnFamily]:
    """Return the networks that are a user's own files; reading them needs the onnx package, or protobuf.

    :param named: those that ``--shape`` and ``--output`` speak of
    """
    if not paths:
        return {}
    from harness.networks.input_shapes import check_names, read_shapes
    from harness.networks.user_onnx import onnx_family
    from harness.networks.user_tensorflow import tensorflow_family

    shapes = read_shapes(choices.shapes)
    families: dict[str, OwnFamily] = {}
    for name, path in paths.items():
        sizes = shapes if name in named else None
        if is_tensorflow(path):
            outputs = choices.outputs if name in named else ()
            families[name] = tensorflow_family(name, path, sizes, outputs)
        else:
            families[name] = onnx_family(name, path, sizes)
    for family in families.values():
        family.check()  # what is wrong with a file is said before anything is measured
    check_names(shapes, {families[name].file: families[name].inputs for name in named})
    return families


def own_network(file: Path, shapes: Sequence[str]) -> OwnFamily:
    """Return the network in *file*, with *shapes* (``NAME=1x3x224x224``) for the open axes of its inputs.

    :raises InputError: it cannot be read; :raises BadOptionError: a shape does not fit
    """
    named = {network_name(file): file}
    return _own_networks(named, named, Choices(shapes=tuple(shapes)))[network_name(file)]


def stored_plan(root: Path) -> Plan:
    """Return the plan that the run stored in *root* was made from, with the cells that it holds.

    :raises InputError: no bundle
    """
    from harness.store.bundle import Bundle

    bundle = Bundle.open(root)
    said = bundle.manifest.matrix
    records = bundle.cells()
    builds = [build.build + 1 for build in bundle.builds()]
    matrix = MatrixFile(
        path=Path(said.file),
        text=said.text,
        description=said.description,
        builds=max(builds, default=1),
        baseline=said.baseline,
        fail_on=said.fail_on,
        material=said.material,
        open=said.open,
        nights=said.nights,
        anchors=said.anchors,
    )
    return Plan(matrix, tuple(record.cell for record in records), {})


def network_name(path: Path) -> str:
    """Return the name that a file given with ``--network`` gets: its stem, made fit for an id."""
    stem = path.resolve().name if path.is_dir() else path.stem
    return "".join(c if c.isalnum() or c in "_." else "_" for c in stem).lstrip("._") or "network"
