"""A block of builds measured side by side: all alive, one slice of each a cycle, each cycle in a new order.

What all of them share in a cycle (clocks, heat, neighbours) is taken out by whoever reads the slices.
Standard library and Python 3.5 syntax, since a pack's host script uses it too.
"""

import math
import random
import time
from typing import Callable, Dict, List, Optional, Sequence, Tuple  # noqa: F401

from harness.worker.drive import Driven, finish, profile_rounds
from harness.worker.job import Measure

SLICE_SECONDS = 0.025
"""Short slices are worth more than long ones: what they share is closer in time."""

SETTLE = 2
"""Inferences at the start of a slice that are not counted: the caches are another process's."""

LONG_MS = 5.0
"""Where every inference of a block takes as long, the first one fills the caches and one settles a slice."""

LEAST = 3
"""Samples of a slice, however long an inference takes."""

LONG_LEAST, LONG_CYCLES = 1, 2
"""Where every inference of a block is long: samples of a slice, and cycles in place of one. What slices
differ by is the moment, which samples of one share: more slices say more in the same time."""

MOST = 10000
"""Samples of a slice, however short an inference is."""

Say = Callable[[str], None]


def nothing(_line: str) -> None:
    """Say nothing."""


class Lockstep(object):
    """The builds of a block that are alive.

    :param seed: of the orders

    Cycles are numbered on from one call of :meth:`measure` to the next: a build that stays alive over several
    is the anchor by which the others are set against each other.
    """

    def __init__(self, seed: int, say: Say = nothing) -> None:
        self._random = random.Random(seed)
        self._say = say
        self._cycles = {}  # type: Dict[str, int]
        self._seconds, self._slices = 0.0, 0

    @property
    def slice_seconds(self) -> float:
        """What a slice took so far with all that belongs to it, on average."""
        return self._seconds / self._slices if self._slices else SLICE_SECONDS

    def measure(self, builds: Sequence[Driven]) -> None:
        """Take every pass of *builds*, cycle by cycle; one that ends costs its own slices alone."""
        for name in passes_of(builds):
            members = [one for one in builds if name in one.passes and not one.over]
            settings = {id(one): one.settings for one in members}
            for one in members:
                one.asked(one.warm_up, name, settings[id(one)].warmup_seconds)
            self.cycles(name, [(one, cycles_of(settings[id(one)])) for one in members])

    def close(self, processes: Sequence[Driven], stays: Optional[Driven] = None) -> None:
        """Have the layers of engines profiled, a round of each in turn, in a new order each; close all.

        Processes that loaded what another one kept are closed before: that one alone is profiled.

        :param stays: is not closed
        """
        alive = []  # type: List[Driven]
        for one in processes:
            if one.over:
                continue
            if one.samples.process:
                if one is not stays:
                    one.close()
            else:
                alive.append(one)
        rounds = {id(one): profile_rounds(one.settings.profile_iterations) for one in alive}
        for number in range(max([len(sizes) for sizes in rounds.values()] or [0])):
            taking = [one for one in alive if not one.over and number < len(rounds[id(one)])]
            self._random.shuffle(taking)
            for one in taking:
                one.asked(one.profile, rounds[id(one)][number])
        for one in alive:
            if not one.over and one is not stays:
                one.close()

    def cycles(self, name: str, members: Sequence[Tuple[Driven, int]]) -> None:
        """Take slices of the pass *name*, so many of each build, one of each a cycle as long as it is due."""
        began = time.monotonic()
        most = max([count for _, count in members] or [0])
        settle, least, seconds, number = SETTLE, LEAST, SLICE_SECONDS, 0
        while number < most:
            cycle = self._cycles.get(name, 0)
            self._cycles[name] = cycle + 1
            alive = [one for one, count in members if not one.over and number < count]
            self._random.shuffle(alive)
            for place, one in enumerate(alive):
                taken = one.asked(one.take, name, seconds, least, MOST, settle)
                self._slices += 1
                if taken is not None:
                    one.samples.add(name, taken, cycle, place)
            if number == 0 and all_long([one for one in alive if not one.over]):
                settle, least, seconds = 1, LONG_LEAST, 0.0
                members = [(one, 1 + LONG_CYCLES * (count - 1)) for one, count in members]
                most = 1 + LONG_CYCLES * (most - 1)
            if most >= 10 and (number + 1) % (most // 5) == 0:
                self._say("{}: cycle {} of {}, {} side by side".format(name, number + 1, most, len(alive)))
            number += 1
        self._seconds += time.monotonic() - began


def all_long(builds: Sequence[Driven]) -> bool:
    """Say whether the last inferences of all *builds* were long: one answer, so that none is favoured."""
    slices = [one.samples.slices[-1] for one in builds if one.samples.slices]
    return bool(slices) and all(min(row["latency_ms"]) >= LONG_MS for row in slices)


def passes_of(builds: Sequence[Driven]) -> List[str]:
    """Return the names of the passes of *builds*, in the order in which they are met."""
    found = []  # type: List[str]
    for one in builds:
        found.extend(name for name in one.passes if name not in found)
    return found


def cycles_of(settings: Measure) -> int:
    """Return how many slices a build gets of each pass, at least as many as windows were asked for."""
    return max(settings.windows, math.ceil(settings.maximum_seconds / SLICE_SECONDS))


def load_further(
    first: Driven, processes: int, start: Callable[[int], Driven], room: Callable[[int], bool], there: int = 1
) -> List[Driven]:
    """Have the engine that *first* kept loaded by further processes, and return them.

    :param processes: of the engine in all, as far as there is memory for them
    :param start: starts the worker of the process of that number
    :param there: processes that it has already
    """
    further = []  # type: List[Driven]
    while len(further) + there < processes and first.passes and not first.over and not first.more and room(0):
        one = start(len(further) + there)
        further.append(one)
        load(one)
        if one.over:
            break
    return further


def load(build: Driven) -> None:
    """Have the engine of *build* built and loaded.

    One of many engines (tensor formats that are tried) is measured to its end on its own: it is over then.
    """
    build.asked(build.build)
    if build.more and not build.over:
        finish(build)
