"""Blocks sent to the places of a fleet, several at once, and again where one is lost."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from harness.execution.base import Block, PlannedBuild
from harness.execution.fleet import (
    Came,
    Event,
    Fleet,
    Lost,
    Need,
    Order,
    Over,
    Place,
    Refused,
    Said,
    need_of,
)
from harness.execution.placing import Group, choose, fitting
from harness.matrix.cell import Cell

TRIES = 3
"""Places that a block may lose before its builds are failed ones: it may be what kills them."""

WAIT_SECONDS = 1.0
"""Between looks at which nodes are there."""


@dataclass(frozen=True)
class Home:
    """A build that came home from *place*."""

    planned: PlannedBuild
    place: Place
    came: Came


@dataclass(frozen=True)
class Cut:
    """A place was lost: what came *home* from it of these blocks is set aside, they are measured again."""

    home: Sequence[PlannedBuild]
    place: Place
    reason: str


@dataclass(frozen=True)
class GivenUp:
    """Builds that no place brought to an end."""

    builds: Sequence[PlannedBuild]
    reason: str


Became: TypeAlias = Home | Cut | GivenUp | Refused

MakeOrder: TypeAlias = Callable[[Block, Place, int], tuple[Order, Mapping[str, Path]]]
"""Makes the order for a block and names its files, given its place and the first builds that follow there."""


@dataclass
class _Running:
    group: Group
    place: Place


class Dispatch:
    """Has groups of blocks measured by a fleet.

    :param order: makes the order for a block
    """

    def __init__(
        self, fleet: Fleet, groups: Sequence[Group], order: MakeOrder, say: Callable[[str], None]
    ) -> None:
        self._fleet, self._waiting, self._order, self._say = fleet, list(groups), order, say
        self._needs: list[Need] = list(dict.fromkeys(need_of(c) for g in groups for c in g.cells))
        self._running: dict[int, _Running] = {}
        self._started = 0

    @property
    def later(self) -> int:
        """First builds of the blocks that have not begun."""
        begun = sum(one.group.left - len(one.group.block.builds) for one in self._running.values())
        return begun + sum(group.left for group in self._waiting)

    def run(self) -> Generator[Became, None, None]:
        """Yield what becomes of builds and cells; whoever stops asking ends what is running."""
        try:
            while self._waiting or self._running:
                yield from self._place()
                if not self._running:
                    continue
                for number, event in self._fleet.events(WAIT_SECONDS):
                    if number in self._running:
                        yield from self._take(number, self._running[number], event)
        finally:
            for number in list(self._running):
                self._fleet.stop(number)

    def _place(self) -> Iterator[Became]:
        """Give each group that waits a place where there is one, and give up those for which none is left."""
        if not self._waiting:
            return
        places = self._fleet.places(self._needs)
        for group in list(self._waiting):
            if not fitting(group, places):
                self._waiting.remove(group)
                yield from refusals(group.cells, group.kind, places)
            elif (place := choose(group, places, [one.place for one in self._running.values()])) is not None:
                self._waiting.remove(group)
                self._start(group, place, max(1, len(places)))

    def _start(self, group: Group, place: Place, places: int) -> None:
        waiting = sum(other.left for other in self._waiting)
        later = group.left - len(group.block.builds) + waiting // places
        order, files = self._order(group.block, place, later)
        self._started += 1
        self._running[self._started] = _Running(group, place)
        self._say(f"{place.name}: a block of {_count(len(order.builds))}: {order.builds[0].cell.beside}")
        self._fleet.start(self._started, place, order, files)

    def _take(self, number: int, running: _Running, event: Event) -> Iterator[Became]:
        group, place = running.group, running.place
        if isinstance(event, Said):
            self._say(f"{place.name}: {event.line}")
        elif isinstance(event, Refused):
            group.refused.add(event.cell)
            yield event
        elif isinstance(event, Came):
            planned = _planned(group, event)
            group.home.append(planned)
            yield Home(planned, place, event)
        elif isinstance(event, Over) and not group.missing:
            del self._running[number]
            group.done += 1
            if group.done < len(group.blocks):
                self._start(group, place, 1)
        else:
            del self._running[number]
            reason = event.reason if isinstance(event, Lost) else "it gave builds up without a word"
            yield from self._lose(group, place, reason)

    def _lose(self, group: Group, place: Place, reason: str) -> Iterator[Became]:
        home = list(group.home)
        group.begin_again(place.node, reason)
        yield Cut(home, place, reason)
        if len(group.lost) < TRIES:
            self._waiting.insert(0, group)
            return
        builds = [build for block in group.blocks for build in block.builds]
        yield GivenUp(builds, f"its node was lost {TRIES} times; the last time: {reason}")


def refusals(cells: Sequence[Cell], kind: str, places: Sequence[Place]) -> list[Refused]:
    """Return why *cells* can run on none of *places*, as the first of the kind that they need says it."""
    place = next((place for place in places if place.kind == kind), None)
    if place is None:
        reason = f"no node of the cluster has a {kind.upper()} to measure on"
        return [Refused(cell.id, "unavailable", reason) for cell in cells]
    found = [(cell, place.refusals.get(need_of(cell))) for cell in cells]
    return [Refused(cell.id, *said) for cell, said in found if said is not None]


def _planned(group: Group, came: Came) -> PlannedBuild:
    """Return what *came* is the build of: one that was asked for, or one more of a cell of the block."""
    cell = next(build.cell for build in group.block.builds if build.cell.id == came.cell)
    return PlannedBuild(cell, came.number)


def _count(builds: int) -> str:
    return "one build" if builds == 1 else f"{builds} builds"
