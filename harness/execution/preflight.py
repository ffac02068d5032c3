"""Preflight: whether each cell can run here (``failed``: a plugin raised), why not, and what to do."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from harness.environments.base import Availability, Check, Environment, availability_of
from harness.errors import PluginError
from harness.execution.parts import Parts
from harness.matrix.cell import Cell
from harness.runtimes.base import Runtime

UNTRIED = "tried"
"""Name of the check that says what was never run."""


@dataclass(frozen=True)
class CellAvailability:
    """What preflight found for one cell: :param checks: everything looked at, in order, for ``--explain``"""

    cell: Cell
    availability: Availability
    checks: tuple[Check, ...] = ()

    @property
    def state(self) -> str:
        """``ok``, ``unsupported``, ``unavailable``, or ``failed`` where a plugin raised."""
        return self.availability.state

    @property
    def reason(self) -> str:
        """One line, empty when ok."""
        return self.availability.reason

    @property
    def note(self) -> str:
        """What to know of a cell that can run: that nobody who wrote its runtime ever ran it."""
        return next((check.reason for check in self.checks if check.name == UNTRIED), "")

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
                seen[key] = _place(runtime, environment, cell.version)
            checks = [*_cell(parts, cell), *seen[key]]
        found.append(CellAvailability(cell, availability_of(checks), tuple(checks)))
    return found


def _place(runtime: Runtime, environment: Environment, version: str) -> Sequence[Check]:
    try:
        return environment.checks(runtime, version)
    except PluginError as error:
        return (Check("plugin", "failed", str(error)),)


def _cell(parts: Parts, cell: Cell) -> Sequence[Check]:
    try:
        problem, untried = parts.unsupported(cell), parts.runtimes[cell.runtime].untried(cell)
    except PluginError as error:
        return (Check("plugin", "failed", str(error)),)
    if problem:
        return (Check("runtime", "unsupported", problem),)
    said = Check("runtime", "ok", f"{cell.runtime} {cell.version} may be asked for this cell")
    return (said, Check(UNTRIED, "ok", f"never run by us: {untried}")) if untried else (said,)
