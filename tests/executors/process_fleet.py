"""A fleet whose nodes are processes of this machine: what a node does, without anything between."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from harness.execution.fleet import Event, Fleet, Lost, Need, Order, Over, Place
from harness.executors.process import NodeProcess
from harness.store.documents.origin import CPU, Host
from harness.store.machine import host_name


class ProcessFleet(Fleet):
    """Nodes ``a`` and ``b``: :param disturb: called with each event and the process that it came from"""

    def __init__(self, disturb: Callable[[Event, NodeProcess], None] = lambda _event, _process: None) -> None:
        self._disturb = disturb
        self.running: dict[int, NodeProcess] = {}
        self.started: list[str] = []

    def places(self, needs: Sequence[Need]) -> Sequence[Place]:  # noqa: ARG002
        host = Host(machine=host_name(), device=CPU)
        return [Place(node, node, CPU, host) for node in "ab"]

    def start(self, number: int, place: Place, order: Order, files: Mapping[str, Path]) -> None:
        self.started.append(place.node)
        self.running[number] = NodeProcess(order, {d: path.read_bytes() for d, path in files.items()})

    def events(self, seconds: float) -> Sequence[tuple[int, Event]]:
        found = [(n, event) for n, process in self.running.items() for event in process.events(seconds)]
        for number, event in found:
            self._disturb(event, self.running[number])
        for number in [number for number, event in found if isinstance(event, Over | Lost)]:
            self.stop(number)
        return found

    def stop(self, number: int) -> None:
        self.running.pop(number).stop()

    def close(self) -> None:
        for number in list(self.running):
            self.stop(number)
