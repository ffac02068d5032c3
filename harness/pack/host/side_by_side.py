"""Builds measured side by side on the host, as ``trtmatrix run`` measures them, while its time allows."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Sequence

from harness.worker import room
from harness.worker.job import Measure
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
    :param allows: says whether the time suffices for one more build of a cell, given the seconds that those
        alive are still to be measured
    :param seed: of the orders
    """

    def __init__(
        self,
        start: Callable[[Asked], HostBuild | None],
        allows: Callable[[str, float], bool],
        gpu: str | None,
        seed: int,
        say: Callable[[str], None],
    ) -> None:
        self._start, self._allows, self._say = start, allows, say
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
        asked = left[0]
        seconds = sum(measuring_seconds(one.driven.settings) * len(one.processes) for one in fresh)
        if not self._allows(asked.cell, seconds):
            self._say(f"{asked.cell} round {asked.round}: not begun, the time is up")
            left.clear()
            return None, None
        return self._start(left.pop(0)), None

    def _end(self, build: HostBuild, alone: bool) -> Ended:
        return build, "" if alone else self._name


def measuring_seconds(settings: Measure) -> float:
    """Return the seconds that a build is expected to be measured, once it is built and loaded."""
    slices = cycles_of(settings) * SLICE_SECONDS * OVERHEAD
    profile = settings.profile_iterations * PROFILED_SECONDS
    return (1 + len(settings.passes)) * (settings.warmup_seconds + slices) + profile
