"""Whether the memory of machine and device takes one more worker: asked for before each, not guessed."""

from __future__ import annotations

import psutil

from harness.store.machine import free_gpu_memory

RESERVE = 0.1
"""Part of a memory that is left to everybody else."""

MARGIN = 1.2
"""A worker needs more while it builds than it keeps."""


class Room:
    """Memory of this machine, and of *device* where that is a GPU.

    :param device: ``cpu``, or a GPU's UUID

    What a worker takes is learned from those that were started: the largest drop of what was free.
    """

    def __init__(self, device: str) -> None:
        self._device = device
        self._before = self._free()
        self._largest = [0 for _ in self._before]

    def for_one_more(self) -> bool:
        """Say whether there is memory for another worker like those so far."""
        free = self._free()
        for index, (was, now) in enumerate(zip(self._before, free, strict=True)):
            self._largest[index] = max(self._largest[index], was[0] - now[0])
        self._before = free
        return all(
            left - MARGIN * largest > RESERVE * total
            for (left, total), largest in zip(free, self._largest, strict=True)
        )

    def _free(self) -> list[tuple[int, int]]:
        """Return free and total bytes of each memory."""
        memory = psutil.virtual_memory()
        gpu = free_gpu_memory(self._device)
        return [(int(memory.available), int(memory.total)), *([gpu] if gpu is not None else [])]
