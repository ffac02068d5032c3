"""What an executor is: it is given blocks of builds, has them measured where it sees fit, and yields each."""

from __future__ import annotations

import tempfile
from abc import abstractmethod
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from harness.environments.base import Outcome
from harness.matrix.cell import Cell

if TYPE_CHECKING:
    from harness.store.documents.build import Build

DEFAULT_EXECUTOR = "local"


@dataclass(frozen=True)
class PlannedBuild:
    """A build to be made: :param number: of the cell's builds, from 0"""

    cell: Cell
    number: int


@dataclass(frozen=True)
class Block:
    """Builds that belong together: one executor measures all of them, on one device.

    :param device: ``cpu``, a GPU's UUID, or ``unknown``
    """

    builds: tuple[PlannedBuild, ...]
    device: str


@dataclass(frozen=True)
class BuildResult:
    """What is left of a build that is over: the folder to put into the bundle, and its ``build.json``."""

    folder: Path
    document: Build
    outcome: Outcome


@dataclass(frozen=True)
class EndedBuild:
    """A build that is over: measured, failed, or interrupted (``result.outcome.status`` says which)."""

    planned: PlannedBuild
    result: BuildResult


def failed_build(planned: PlannedBuild, reason: str, scratch: Path) -> BuildResult:
    """Return a build that failed before a worker could say anything.

    :param scratch: folder on the bundle's file system
    """
    from harness.store.documents.build import Build  # long to load, for who only plans

    folder = Path(tempfile.mkdtemp(dir=scratch, prefix="result-"))
    document = Build(cell=planned.cell.id, build=planned.number, status="failed", reason=reason)
    return BuildResult(folder, document, Outcome("failed", reason))


MeasureBlock = Callable[[Block], Iterator[EndedBuild]]
"""Measures a block on this machine and yields its builds as they end; after an interrupted one come no more.

It never raises for what a worker did.
"""


class Executor(Protocol):
    """Registered through ``trtmatrix_executors``, chosen by name (``--executor``, ``[run] executor``)."""

    @property
    def waited_seconds(self) -> float:
        """How long it has waited for devices on which others measured, in the run that it is used by."""
        return 0.0

    def telling(self, say: Callable[[str], None]) -> Executor:  # noqa: ARG002
        """Return the executor as one run uses it: by default itself.

        :param say: shows a line to the user: what is waited for, say
        """
        return self

    @property
    @abstractmethod
    def name(self) -> str:
        """``local``."""
        ...

    @abstractmethod
    def run(self, block: Block, measure: MeasureBlock) -> Generator[EndedBuild, None, None]:
        """Have *block* measured and yield its builds as they end.

        :param measure: measures a block here; an executor of this machine yields from it, alone on the device
        """
        ...
