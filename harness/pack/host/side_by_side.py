"""Builds measured side by side on the host, as ``trtmatrix run`` measures them, while its time allows."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Sequence

from harness.worker import room
from harness.worker.lockstep import SLICE_SECONDS, Lockstep, cycles_of
from harness.worker.side_by_side import SideBySide

from .builds import Asked, HostBuild
from .machine import free_gpu_memory, free_memory

OVERHEAD = 1.3
"""Time of a pass over that of its slices: what settles before each, and the way of the answers."""

PROFILED_SECONDS = 0.1
"""What is expected of one profiled inference, with the pauses between them."""


class Room(room.Room):
    """Memory of this host, and of the GPU that is measured on.

    :param gpu: its UUID, None without one
    """

    def __init__(self, gpu: str | None) -> None:
        self._gpu = gpu
        super().__init__()

    def _free(self) -> list[tuple[int, int]]:
        found = [free_memory(), free_gpu_memory(self._gpu) if self._gpu is not None else None]
        return [one for one in found if one is not None]


Ended = tuple[HostBuild, str]
"""A build that is over, and the name of what it was measured beside others in; empty where it was alone."""


class HostBlock:
    """A block of builds on this host.

    :param start: starts the worker of a build; None where it is not to be made
    :param allows: says whether the time suffices for builds of cells, given the seconds that those alive are
        still to be measured
    :param built: is told what a build of a cell takes, its measuring included, as soon as it is loaded
    :param seed: of the orders
    """

    def __init__(
        self,
        start: Callable[[Asked], HostBuild | None],
        allows: Callable[[Sequence[str], float], bool],
        built: Callable[[str, float], None],
        gpu: str | None,
        seed: int,
        say: Callable[[str], None],
    ) -> None:
        self._start, self._allows, self._built, self._say = start, allows, built, say
        self._loading: HostBuild | None = None
        self._round: int | None = None
        room, lockstep = Room(gpu), Lockstep(seed, say)
        self._block = SideBySide[Asked, HostBuild, Ended](lockstep, self._next, self._end, room.for_one_more)
        self._name = os.urandom(4).hex()

    def run(self, builds: Sequence[Asked]) -> Generator[Ended]:
        """Yield builds that are over, each with the name of what it was measured beside others in."""
        try:
            yield from self._block.measured(builds, lambda _seconds, _split: iter(()))
        finally:
            for build in self._block.alive:  # interrupted: what is half measured is not kept
                build.interrupt()
                build.end()

    def _next(self, left: list[Asked], fresh: Sequence[HostBuild]) -> tuple[HostBuild | None, None]:
        """Start the next build as far as time allows; empty *left* once the time is up."""
        self._tell()
        asked = left[0]
        seconds = sum(measuring_seconds(one) for one in fresh)
        # A round that is begun is to be finished.
        begins = asked.round != self._round
        cells = [one.cell for one in left if one.round == asked.round] if begins else [asked.cell]
        if not self._allows(cells, seconds):
            self._say(f"{asked.cell} round {asked.round}: not begun, the time is up")
            left.clear()
            return None, None
        self._round = asked.round
        self._loading = self._start(left.pop(0))
        return self._loading, None

    def _tell(self) -> None:
        """Say what the build that was loaded last takes."""
        one, self._loading = self._loading, None
        if one is not None and not one.driven.over:
            self._built(one.asked.cell, one.seconds + measuring_seconds(one))

    def _end(self, build: HostBuild, alone: bool) -> Ended:
        return build, "" if alone else self._name


def measuring_seconds(build: HostBuild) -> float:
    """Return the seconds that *build* is expected to be measured, once it is built and loaded."""
    settings = build.driven.settings
    slices = cycles_of(settings) * SLICE_SECONDS * OVERHEAD
    profile = settings.profile_iterations * PROFILED_SECONDS
    passes = 1 + len(settings.passes)
    return len(build.processes) * passes * (settings.warmup_seconds + slices) + profile
