"""Builds measured side by side on the host, as ``trtmatrix run`` measures them (``harness.worker.lockstep``).

First every build is made, one after the other; then all are alive and take turns. What does not fit into
memory is split into sub-blocks that share their first build. A build alone is measured on its own.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Sequence

from harness.worker import room
from harness.worker.drive import finish
from harness.worker.job import Measure
from harness.worker.lockstep import SLICE_SECONDS, Lockstep, cycles_of, load, load_further

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


class SideBySide:
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
        self._room = Room(gpu)
        self._lockstep = Lockstep(seed, say)
        self._name = os.urandom(4).hex()
        self._alive: list[HostBuild] = []

    def run(self, builds: Sequence[Asked]) -> Generator[tuple[HostBuild, str]]:
        """Yield builds that are over, each with the name of what it was measured beside others in."""
        left = list(builds)
        alone = len(left) == 1
        try:
            while left:
                fresh = yield from self._fill(left, alone=alone)
                if alone:
                    for build in fresh:
                        finish(build.driven)
                elif fresh:
                    self._lockstep.measure([one for build in self._alive for one in build.processes])
                # One stays alive while others are still to be measured beside it.
                stays = [build for build in self._alive if not build.driven.over][:1] if left else []
                ending = [build for build in self._alive if build not in stays]
                self._lockstep.close([one for build in ending for one in build.processes])
                for build in ending:
                    self._alive.remove(build)
                    yield build, "" if alone else self._name
        finally:
            for build in self._alive:  # interrupted: what is half measured is not kept
                build.interrupt()
                build.end()

    def _fill(
        self, left: list[Asked], *, alone: bool
    ) -> Generator[tuple[HostBuild, str], None, list[HostBuild]]:
        """Have builds of *left* built and loaded while memory and time allow; yield those that failed.

        Returns those to be measured, at least one, memory or not. Empties *left* once the time is up.
        """
        fresh: list[HostBuild] = []
        while left and (not fresh or self._room.for_one_more()):
            asked = left[0]
            if not self._allows(
                asked.cell, sum(measuring_seconds(one.driven.settings) * len(one.processes) for one in fresh)
            ):
                self._say(f"{asked.cell} round {asked.round}: not begun, the time is up")
                left.clear()
                break
            build = self._start(left.pop(0))
            if build is None:
                continue
            self._alive.append(build)
            load(build.driven)
            if not alone:
                load_further(build.driven, build.wanted, build.start_further, self._room.for_one_more)
            if build.driven.over:
                self._alive.remove(build)
                yield build, ""
            else:
                fresh.append(build)
        return fresh


def measuring_seconds(settings: Measure) -> float:
    """Return the seconds that a build is expected to be measured, once it is built and loaded."""
    slices = cycles_of(settings) * SLICE_SECONDS * OVERHEAD
    profile = settings.profile_iterations * PROFILED_SECONDS
    return (1 + len(settings.passes)) * (settings.warmup_seconds + slices) + profile
