"""What is measured next: rounds of builds that belong together, as far as the time goes.

A round of a subject (network and treatment) is one build of every version, in a random order of its own. All
rounds of what is compared (both ReLU6 forms of a subject) are one block, whose builds are measured side by
side; where the time does not do for all, as many rounds as it does for. Versions are compared within one
host, so a round that is begun is finished, and one that cannot be finished is not begun.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

DEFAULT_SECONDS = 60.0
"""What a build is expected to take before any has been seen; the first one that is loaded says better."""

MARGIN = 1.15
"""Builds of one cell differ in length; an estimate is stretched by this much."""


class Round(NamedTuple):
    """One round of one subject; *cells* in the order in which they are to be built."""

    subject: str
    round: int
    cells: tuple[str, ...]


def rounds_of(
    jobs: Mapping[str, Mapping[str, Any]], rounds: int, seed: int, *, by_round: bool = False
) -> list[Round]:
    """Return all rounds: subjects in the order of the pack, all rounds of one before the next.

    :param by_round: one round of all subjects before the next round of any
    The order within a round depends on seed, subject and round alone: a visit that resumes goes on with it.
    """
    subjects: dict[str, list[str]] = {}
    for cell, job in jobs.items():
        subjects.setdefault(job["subject"], []).append(cell)
    found = [
        Round(subject, number, _shuffled(cells, f"{seed}/{subject}/{number}"))
        for subject, cells in subjects.items()
        for number in range(rounds)
    ]
    return sorted(found, key=lambda one: one.round) if by_round else found


def block_of(job: Mapping[str, Any], number: int, *, by_round: bool) -> tuple[Any, ...]:
    """Return what builds of one block share.

    A build that begins with another's timing cache waits for it: it is a block by itself.
    """
    cell = job["document"]["cell"]
    if cell.get("treatment", {}).get("timing_cache") == "on":
        return str(job["together"]), str(cell["id"]), number
    return (str(job["together"]), number) if by_round else (str(job["together"]),)


def _shuffled(cells: Sequence[str], seed: str) -> tuple[str, ...]:
    order = list(cells)
    random.Random(seed).shuffle(order)
    return tuple(order)


class Kind(NamedTuple):
    """What a cell is, by which the time of one is expected from others.

    :param site: the version that builds it; :param traits: network and treatment, as ``precision=fp16``
    """

    site: str
    traits: frozenset[str]

    def likeness(self, other: Kind) -> tuple[bool, int]:
        """Say how alike two cells are: the version first (8.6 builds longer than 8.5), then shared traits."""
        return self.site == other.site, len(self.traits & other.traits)


def kind_of(job: Mapping[str, Any]) -> Kind:
    """Return the kind of a job's cell."""
    cell = job["document"]["cell"]
    traits = {f"{name}={value}" for name, value in cell.get("treatment", {}).items()}
    return Kind(str(job["site"]), frozenset(traits | {"network={}".format(cell.get("network"))}))


class Budget:
    """Seconds that may be used, and what builds have taken so far.

    :param seconds: None for no limit
    :param clock: returns the seconds since the visit began
    :param kinds: kind of each cell, by which those that were not seen yet are judged
    """

    def __init__(self, seconds: float | None, clock: Callable[[], float], kinds: Mapping[str, Kind]) -> None:
        self.seconds, self.clock, self._kinds = seconds, clock, kinds
        self._taken: dict[str, float] = {}

    def took(self, cell: str, seconds: float) -> None:
        """Note that a build of *cell* took so long."""
        self._taken[cell] = max(seconds, self._taken.get(cell, 0.0))

    @property
    def unseen(self) -> bool:
        """Whether no build has been seen yet, so that what is expected of one is a guess."""
        return not self._taken

    def expected(self, cell: str) -> float:
        """Return the seconds a build of *cell* may take: its longest, or that of the cells most like it.

        Not the longest of all: FP16 with ReLU6 in pieces builds four times as long as FP32 with a clip, and a
        visit that expected so much of every build would leave the time of whole blocks unused.
        """
        if cell in self._taken:
            return self._taken[cell] * MARGIN
        if not self._taken:
            return DEFAULT_SECONDS * MARGIN
        alike = {other: self._kinds[cell].likeness(self._kinds[other]) for other in self._taken}
        most = max(alike.values())
        return max(self._taken[other] for other, how in alike.items() if how == most) * MARGIN

    def allows(self, cells: Sequence[str], owed: float = 0.0) -> bool:
        """Say whether builds of all *cells* are likely to end within the budget.

        :param owed: seconds that others still need
        """
        if self.seconds is None:
            return True
        return self.clock() + owed + sum(self.expected(cell) for cell in cells) <= self.seconds
