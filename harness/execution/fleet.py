"""Machines that measure blocks for a run, several at once: what an executor brings that has them.

A node is a machine of a fleet, a place one of its devices. A block is sent to a place as an order and comes
back as events; files go there by their digest.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeAlias, runtime_checkable

from harness.execution.base import Executor, PlannedBuild
from harness.matrix.cell import Cell

if TYPE_CHECKING:
    from harness.execution.job import JobSettings
    from harness.store.documents.origin import Host

GPU = "gpu"
"""The device of a block that waits for some GPU of a fleet."""

Need: TypeAlias = tuple[str, str, str]
"""Runtime, version and environment of a cell."""

InputKey: TypeAlias = tuple[str, int | None, str]
"""Network, batch and ReLU6 form: what cells share that are given the same files."""


def need_of(cell: Cell) -> Need:
    """Return what a place must have to measure *cell*."""
    return (cell.runtime, cell.version, cell.environment)


def input_key(cell: Cell) -> InputKey:
    """Return what the files of *cell* depend on."""
    return (cell.network, cell.treatment.batch, cell.treatment.relu6)


@dataclass(frozen=True)
class Place:
    """A device of a node.

    :param node: id of the node in its fleet; :param name: what people call it
    :param kind: ``cpu`` or ``gpu``; :param number: of the device among the node's, from 0
    :param gpus: that the node has
    :param host: as builds from there say it; its device is ``unknown`` where one of several GPUs is given
    :param refusals: what cannot run there, with the status and the reason of its cells
    """

    node: str
    name: str
    kind: str
    host: Host
    number: int = 0
    gpus: int = 0
    refusals: Mapping[Need, tuple[str, str]] = field(default_factory=dict)

    def runs(self, cells: Sequence[Cell]) -> int:
        """Return how many of *cells* can run there."""
        return sum(need_of(cell) not in self.refusals for cell in cells)


@dataclass(frozen=True)
class Order:
    """A block to be measured on a node, all on one device.

    :param settings: of the jobs; device and CPU are chosen on the node
    :param number: of the place among those of its node
    :param rounds: builds a cell of the run; :param numbers: of the next build of a cell beyond those
    :param later: first builds that the place will be given afterwards
    :param seconds: that are left of the run's time, None where it has none
    :param check: whether builds are measured on their own too
    :param inputs: name to digest of the files of each network
    :param caches: digest of the timing cache that a build begins with
    :param variables: of the environment of the process; :param command: of the run, for those who wait for it
    """

    builds: tuple[PlannedBuild, ...]
    kind: str
    settings: JobSettings
    rounds: int
    number: int = 0
    numbers: Mapping[Cell, int] = field(default_factory=dict)
    later: int = 0
    seconds: float | None = None
    precision: float = 0.01
    check: bool = True
    inputs: Mapping[InputKey, Mapping[str, str]] = field(default_factory=dict)
    caches: Mapping[PlannedBuild, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    command: Sequence[str] = ()


@dataclass(frozen=True)
class Said:
    """A line for people."""

    line: str


@dataclass(frozen=True)
class Refused:
    """A cell that cannot run on the node, found when it was made ready: ``status`` and ``reason`` of it."""

    cell: str
    status: str
    reason: str


@dataclass(frozen=True)
class Came:
    """A build that is over: :param status: how its worker ended; :param files: its folder, packed"""

    cell: str
    number: int
    status: str
    reason: str
    files: bytes


@dataclass(frozen=True)
class Over:
    """The block came to its end."""


@dataclass(frozen=True)
class Lost:
    """The node, or what measured on it, is gone."""

    reason: str


Event: TypeAlias = Said | Refused | Came | Over | Lost


class Fleet(Protocol):
    """Nodes that measure blocks."""

    @abstractmethod
    def places(self, needs: Sequence[Need]) -> Sequence[Place]:
        """Return the places of the nodes that are there now.

        :param needs: looked for on each node
        """
        ...

    @abstractmethod
    def start(self, number: int, place: Place, order: Order, files: Mapping[str, Path]) -> None:
        """Have *order* measured on *place*.

        :param number: its name in :meth:`events`; :param files: digest to file, of all that the order names
        """
        ...

    @abstractmethod
    def events(self, seconds: float) -> Sequence[tuple[int, Event]]:
        """Return what became of the orders since last time, waiting up to *seconds* for something.

        After ``Over`` and ``Lost`` an order is forgotten.
        """
        ...

    @abstractmethod
    def stop(self, number: int) -> None:
        """End an order: nothing of it is left on its node."""
        ...

    @abstractmethod
    def close(self) -> None:
        """Let the nodes go."""
        ...


@runtime_checkable
class FleetExecutor(Executor, Protocol):
    """An executor that has blocks measured by a fleet; ``run`` is how a node measures one of them."""

    @abstractmethod
    def check(self, address: str | None) -> None:
        """Find out before anything begins whether it can be used here.

        :raises BadOptionError: *address* is of a form that it does not take
        :raises MissingPackageError: what it needs is not installed
        """
        ...

    @abstractmethod
    def fleet(self, address: str | None, say: Callable[[str], None]) -> Fleet:
        """Return the fleet at *address*, connected.

        :raises UnavailableError: there is none, or none of its nodes can be used
        """
        ...
