"""Preflight: each cell ``ok``, ``unsupported`` or ``unavailable``, with the reason and what to do."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from harness.environments.base import Availability, Check, availability_of
from harness.execution.parts import Parts
from harness.matrix.cell import Cell


@dataclass(frozen=True)
class CellAvailability:
    """What preflight found for one cell: :param checks: everything looked at, in order, for ``--explain``"""

    cell: Cell
    availability: Availability
    checks: tuple[Check, ...] = ()

    @property
    def state(self) -> str:
        """``ok``, ``unsupported`` or ``unavailable``."""
        return self.availability.state

    @property
    def reason(self) -> str:
        """One line, empty when ok."""
        return self.availability.reason

    @property
    def remedy(self) -> str:
        """What the user can do, or empty."""
        return self.availability.remedy


def preflight(cells: Iterable[Cell], parts: Parts) -> list[CellAvailability]:
    """Look at every cell without installing, pulling or starting anything.

    Cells that share runtime, version and environment share what was found about those.
    """
    seen: dict[tuple[str, str, str], Sequence[Check]] = {}
    found = []
    for cell in cells:
        key = (cell.runtime, cell.version, cell.environment)
        runtime, environment = parts.runtimes.get(cell.runtime), parts.environments.get(cell.environment)
        if runtime is None or environment is None:
            missing = cell.runtime if runtime is None else cell.environment
            checks = [Check("plugin", "unsupported", f"nothing registered is called '{missing}'")]
        else:
            if key not in seen:
                seen[key] = environment.checks(runtime, cell.version)
            checks = [_cell(parts, cell), *seen[key]]
        found.append(CellAvailability(cell, availability_of(checks), tuple(checks)))
    return found


def _cell(parts: Parts, cell: Cell) -> Check:
    problem = parts.unsupported(cell)
    if problem:
        return Check("runtime", "unsupported", problem)
    return Check("runtime", "ok", f"{cell.runtime} {cell.version} may be asked for this cell")
