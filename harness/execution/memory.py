"""The memory of this machine and of a device, for :class:`harness.worker.room.Room`."""

from __future__ import annotations

import psutil

from harness.store.machine import free_gpu_memory
from harness.worker import room


class Room(room.Room):
    """Memory of this machine, and of *device* where that is a GPU.

    :param device: ``cpu``, or a GPU's UUID
    """

    def __init__(self, device: str) -> None:
        self._device = device
        super().__init__()

    def _free(self) -> list[tuple[int, int]]:
        """Return free and total bytes of each memory."""
        memory = psutil.virtual_memory()
        gpu = free_gpu_memory(self._device)
        return [(int(memory.available), int(memory.total)), *([gpu] if gpu is not None else [])]
