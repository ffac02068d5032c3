"""The local executor: one block at a time on each device of this machine."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Generator, Sequence
from pathlib import Path

from harness import hookimpl
from harness.execution.base import DEFAULT_EXECUTOR, Block, EndedBuild, Executor, MeasureBlock


class LocalExecutor(Executor):
    """Holds a lock file for the device while a block is measured on it.

    Two runs on one machine, of whatever user or folder, take turns block by block instead of disturbing
    each other's samples.
    """

    name = DEFAULT_EXECUTOR

    def run(self, block: Block, measure: MeasureBlock) -> Generator[EndedBuild, None, None]:
        """Measure *block* alone on its device."""
        import filelock

        safe = re.sub(r"[^A-Za-z0-9_.-]", "_", block.device)
        lock = filelock.FileLock(Path(tempfile.gettempdir()) / f"trtmatrix-device-{safe}.lock", mode=0o666)
        with lock:
            yield from measure(block)


@hookimpl
def trtmatrix_executors() -> Sequence[Executor]:
    """Register the local executor."""
    return [LocalExecutor()]
