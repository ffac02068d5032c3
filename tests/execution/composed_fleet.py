"""A fleet of composed nodes: what becomes of each order is said beforehand, nothing is measured."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from harness.execution.base import Block, PlannedBuild
from harness.execution.fleet import Came, Event, Fleet, Lost, Need, Order, Over, Place
from harness.matrix.cell import Cell, Treatment
from harness.store.documents.origin import Host

Plays = Callable[[Place, Order], list[Event]]


def cell(version: str, network: str = "mobilenet_v2", runtime: str = "openvino") -> Cell:
    return Cell(network, Treatment(), runtime, version, "venv")


def place(
    node: str, kind: str = "cpu", number: int = 0, gpus: int = 0, without: Sequence[Need] = ()
) -> Place:
    refusals = dict.fromkeys(without, ("unavailable", "no wheel"))
    return Place(node, node, kind, Host(machine=node, device=kind), number, gpus, refusals)


def block(network: str, builds: int = 2, versions: Sequence[str] = ("1", "2"), device: str = "cpu") -> Block:
    cells = [cell(version, network) for version in versions]
    return Block(tuple(PlannedBuild(c, number) for c in cells for number in range(builds)), device)


def came(planned: PlannedBuild) -> Came:
    return Came(planned.cell.id, planned.number, "ok", "", b"")


def all_come(_place: Place, order: Order) -> list[Event]:
    """Return the events of a block that goes well."""
    return [*(came(build) for build in order.builds), Over()]


def order_of(block: Block, place: Place, later: int) -> tuple[Order, Mapping[str, Path]]:
    return Order(block.builds, place.kind, None, 1, later=later), {}  # type: ignore[arg-type]


class ComposedFleet(Fleet):
    """Nodes that do as *plays* says; a node that loses a block with ``its machine is gone`` is gone."""

    def __init__(self, places: Sequence[Place], plays: Plays = all_come) -> None:
        self.there, self.plays = list(places), plays
        self.started: list[tuple[str, Order]] = []
        self.most_at_once: dict[str, int] = {}
        self.stopped: list[int] = []
        self.needs: list[list[Need]] = []
        self.running: dict[int, tuple[Place, list[Event]]] = {}

    def places(self, needs: Sequence[Need]) -> Sequence[Place]:
        self.needs.append(list(needs))
        return self.there

    def start(self, number: int, place: Place, order: Order, files: Mapping[str, Path]) -> None:  # noqa: ARG002
        self.started.append((place.node, order))
        self.running[number] = (place, self.plays(place, order))
        now = sum(other.node == place.node for other, _ in self.running.values())
        self.most_at_once[place.node] = max(now, self.most_at_once.get(place.node, 0))

    def events(self, seconds: float) -> Sequence[tuple[int, Event]]:  # noqa: ARG002
        # One event of each order at a time: those of several nodes come mixed.
        found = [(number, events.pop(0)) for number, (_, events) in self.running.items() if events]
        for number, event in found:
            place = self.running[number][0]
            if isinstance(event, Lost) and event.reason == "its machine is gone":
                self.there = [other for other in self.there if other.node != place.node]
            if isinstance(event, Over | Lost):
                del self.running[number]
        return found

    def stop(self, number: int) -> None:
        self.stopped.append(number)
        self.running.pop(number, None)

    def close(self) -> None:
        self.running.clear()
