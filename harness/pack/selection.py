"""Which cells of a matrix a pack can hold: those that live in wheels and can run on the host's GPU.

Cells of containers are packed as wheels where there are any; with ``--containers`` their images are carried.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase

from harness.environments.compute_capability import capability_reason
from harness.errors import NothingChosenError
from harness.matrix.cell import Cell
from harness.matrix.treatment import treatment_table
from harness.runtimes.base import Runtime
from harness.runtimes.tensorrt.runtime import gpu_reason


def chosen(cells: Sequence[Cell], patterns: Sequence[str]) -> tuple[Cell, ...]:
    """Return the *cells* whose id fits one of *patterns* (as a shell's), all of them without any.

    :raises UsageError: a pattern fits none
    """
    for pattern in patterns:
        if not any(fnmatchcase(cell.id, pattern) for cell in cells):
            raise NothingChosenError(
                f"--only {pattern}: matches none of the {len(cells)} cells of the matrix"
            )
    return tuple(c for c in cells if not patterns or any(fnmatchcase(c.id, one) for one in patterns))


def packable(
    cells: Sequence[Cell],
    runtimes: Mapping[str, Runtime],
    *,
    libraries: str,
    capability: str | None,
    say: Callable[[str], None],
) -> tuple[Cell, ...]:
    """Return the cells to be packed, each in the environment ``venv``; *say* why others are left out.

    :param libraries: ``auto``, ``real`` or ``placeholder`` cuBLAS and cuDNN
    :param capability: compute capability of the host's GPU (``9.0``), None where it is not known
    :raises UsageError: no cell is left
    """
    found = []
    twins = {_twin(cell) for cell in cells if cell.environment == "venv"}
    table = treatment_table({name: runtime.treatment_fields for name, runtime in runtimes.items()})
    for one in cells:
        if one.environment == "docker" and _twin(one) in twins:
            # As wheels it would be the other arm once more, under the name of a container.
            say(f"{one.id}: left out: the matrix measures it in a virtual environment too")
            continue
        cell = replace(one, environment="venv")
        reason = _reason(cell, runtimes[cell.runtime], libraries, capability)
        reason = reason or table.unknown(cell.treatment, cell.runtime)
        if reason is None:
            found.append(cell)
        else:
            say(f"{cell.id}: left out: {reason}")
    if not found:
        raise NothingChosenError("no cell of this matrix can be packed; the lines above say why")
    return tuple(found)


def in_containers(
    cells: Sequence[Cell],
    runtimes: Mapping[str, Runtime],
    *,
    capability: str | None,
    say: Callable[[str], None],
) -> tuple[tuple[Cell, ...], tuple[Cell, ...]]:
    """Split *cells* into those whose images are carried, and those that are left for wheels.

    :param capability: as for :func:`packable`; :param say: is told why a cell of a container is left out
    :raises UsageError: there are none of either kind
    """
    contained = []
    for cell in (one for one in cells if one.environment == "docker"):
        reason = _unsupported(cell, runtimes[cell.runtime], capability)
        if reason is None:
            contained.append(cell)
        else:
            say(f"{cell.id}: left out: {reason}")
    if not contained:
        raise NothingChosenError("--containers: none of the cells can be measured in a container")
    rest = tuple(cell for cell in cells if cell.environment != "docker")
    if not rest:
        raise NothingChosenError(
            "--containers: all cells are measured in containers, so there are no wheels to pack; "
            "'trtmatrix images save MATRIX -o DIR' carries images alone"
        )
    return tuple(contained), rest


def without_images(cells: Sequence[Cell], packed: Sequence[Cell]) -> str | None:
    """Say what became of the cells of containers in a pack without images, None where there are none."""
    contained = [cell for cell in cells if cell.environment == "docker"]
    if not contained:
        return None
    ids = {cell.id for cell in packed}
    as_wheels = sum(cell.id in ids for cell in contained)
    return (
        f"cells in containers: {as_wheels} packed as wheels, {len(contained) - as_wheels} left out; "
        "--containers brings their images instead"
    )


def _twin(cell: Cell) -> Cell:
    """Return what *cell* has in common with its arm in another environment."""
    return replace(cell, environment="", repeat="")


def _unsupported(cell: Cell, runtime: Runtime, capability: str | None) -> str | None:
    reason = runtime.unsupported(cell)
    if cell.runtime == "tensorrt" and reason == gpu_reason(cell.version):
        # The pack runs on the host's GPU: what this machine has decides nothing.
        reason = None
    if reason is None and cell.runtime == "tensorrt" and capability is not None:
        reason = capability_reason(cell.version, capability)
    return reason


def _reason(cell: Cell, runtime: Runtime, libraries: str, capability: str | None) -> str | None:
    if "venv" not in runtime.environments:
        return f"{cell.runtime} is not made of wheels"
    reason = _unsupported(cell, runtime, capability)
    if reason is None and runtime.pythons(cell.version) is None:
        reason = f"it is not known which Python the wheels of {cell.runtime} {cell.version} are for"
    if reason is None and libraries == "placeholder" and cell.treatment.tactic_sources == "all":
        reason = "tactic sources 'all' need the real cuBLAS and cuDNN"
    return reason
