"""Preflight: each cell ``ok``, ``unsupported`` or ``unavailable``, with the reason and what to do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from harness.environments.base import Availability, Environment
from harness.environments.docker.catalogue import catalogue
from harness.environments.docker.checks import Check, docker_checks, verdict
from harness.environments.docker.environment import DockerEnvironment
from harness.errors import UnavailableError, UsageError
from harness.execution.parts import Parts
from harness.matrix.cell import Cell
from harness.runtimes.base import Runtime


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
    seen: dict[tuple[str, str, str], list[Check]] = {}
    found = []
    for cell in cells:
        key = (cell.runtime, cell.version, cell.environment)
        runtime, environment = parts.runtimes.get(cell.runtime), parts.environments.get(cell.environment)
        if runtime is None or environment is None:
            missing = cell.runtime if runtime is None else cell.environment
            checks = [Check("plugin", "unsupported", f"nothing registered is called '{missing}'")]
        else:
            if key not in seen:
                seen[key] = place_checks(runtime, environment, cell.version)
            checks = [_cell(parts, cell), *seen[key]]
        found.append(CellAvailability(cell, verdict(checks), tuple(checks)))
    return found


def place_checks(runtime: Runtime, environment: Environment, version: str) -> list[Check]:
    """Look at one version in one environment."""
    if isinstance(environment, DockerEnvironment):
        return _docker(runtime, environment, version)
    answer = environment.availability(runtime, version)
    words = answer.reason or f"{runtime.name} {version} can run in {environment.name}"
    return [Check(environment.name, answer.state, words, answer.remedy)]


def _docker(runtime: Runtime, environment: DockerEnvironment, version: str) -> list[Check]:
    try:
        choice = catalogue().choose(runtime.name, version)
    except UsageError as error:
        return [Check("catalogue", "unsupported", str(error))]
    name = choice.image.name if choice.image is not None else f"recipe {choice.recipe.name}"
    basis = f" ({choice.image.basis})" if choice.image is not None else ""
    checks = [Check("catalogue", "ok", name + basis)]
    try:
        engine = environment.engine()
    except UnavailableError as error:
        return [*checks, Check("engine", "unavailable", str(error), "start a docker engine")]
    return checks + docker_checks(engine, choice, runtime, version, environment.settings, registry=True)


def _cell(parts: Parts, cell: Cell) -> Check:
    problem = parts.unsupported(cell)
    if problem:
        return Check("runtime", "unsupported", problem)
    return Check("runtime", "ok", f"{cell.runtime} {cell.version} may be asked for this cell")
