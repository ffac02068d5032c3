"""The local executor: one measurement at a time on each device of this machine."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import filelock

from harness import hookimpl
from harness.environments.base import Outcome
from harness.execution.base import Executor
from harness.store.machine import gpus


class LocalExecutor:
    """Holds a lock file for the device while a worker measures on it.

    Two runs on one machine, of whatever user or folder, take turns worker by worker instead of disturbing
    each other's samples.
    """

    name = "local"

    def run(self, device: str, work: Callable[[], Outcome]) -> Outcome:
        """Run *work* alone on *device*."""
        safe = re.sub(r"[^A-Za-z0-9_.-]", "_", device)
        lock = filelock.FileLock(Path(tempfile.gettempdir()) / f"trtmatrix-device-{safe}.lock", mode=0o666)
        with lock:
            return work()

    def devices(self) -> Iterable[str]:
        """Return ``cpu`` and the UUIDs of the GPUs."""
        return ["cpu", *(str(gpu["uuid"]) for gpu in gpus())]


@hookimpl
def trtmatrix_executors() -> Sequence[Executor]:
    """Register the local executor."""
    return [LocalExecutor()]
