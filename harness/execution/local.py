"""The local executor: one block at a time on each device of this machine."""

from __future__ import annotations

import contextlib
import getpass
import json
import os
import re
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from harness.distribution import hookimpl
from harness.execution.base import DEFAULT_EXECUTOR, Block, EndedBuild, Executor, MeasureBlock


class LocalExecutor(Executor):
    """Holds a lock file for the device while a block is measured on it.

    Two runs on one machine, of whatever user or folder, take turns block by block instead of disturbing
    each other's samples; who waits says for whom.
    """

    name = DEFAULT_EXECUTOR

    def __init__(self, say: Callable[[str], None] = lambda _line: None) -> None:
        self._say, self._waited = say, 0.0

    @property
    def waited_seconds(self) -> float:
        """How long it has waited for the locks of devices."""
        return self._waited

    def telling(self, say: Callable[[str], None]) -> Executor:
        """Return one that says what it waits for."""
        return type(self)(say)

    def run(self, block: Block, measure: MeasureBlock) -> Generator[EndedBuild, None, None]:
        """Measure *block* alone on its device."""
        import filelock  # long to load: only where something is measured

        safe = re.sub(r"[^A-Za-z0-9_.-]", "_", block.device)
        path = Path(tempfile.gettempdir()) / f"trtmatrix-device-{safe}.lock"
        # Beside the lock, whose content goes when another process so much as asks for it.
        holder = path.with_suffix(".holder")
        lock = filelock.FileLock(path, mode=0o666)
        try:
            lock.acquire(timeout=0)
        except filelock.Timeout:
            self._say(f"waiting for {_device(block.device)}, on which {_who(holder)} is measuring")
            began = time.monotonic()
            try:
                lock.acquire()
            finally:
                self._waited += time.monotonic() - began
            self._say(f"{_device(block.device)} is free")
        try:
            _write(holder)
            yield from measure(block)
        finally:
            with contextlib.suppress(OSError):
                holder.unlink(missing_ok=True)
            lock.release()


def _device(name: str) -> str:
    return "the CPU" if name == "cpu" else name


def _write(holder: Path) -> None:
    """Note who measures: what a run that waits shows. A note that cannot be written costs no measurement."""
    said = {
        "pid": os.getpid(),
        "user": _user(),
        "command": " ".join([Path(sys.argv[0]).name, *sys.argv[1:]]),
        "folder": str(Path.cwd()),
        "since": f"{datetime.now(UTC):%H:%M:%S} UTC",
    }
    with contextlib.suppress(OSError):
        holder.unlink(missing_ok=True)  # another user's, who may have died
        holder.write_text(json.dumps(said), encoding="utf-8")
        holder.chmod(0o644)


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # a container without an entry for the user
        return str(os.getuid()) if hasattr(os, "getuid") else "unknown"


def _who(holder: Path) -> str:
    """Return who measures, as far as its note says: another run, its process, folder and beginning."""
    try:
        said = json.loads(holder.read_text(encoding="utf-8"))
        return (
            f"another run (process {said['pid']} of {said['user']}: {said['command']}, in {said['folder']}, "
            f"since {said['since']})"
        )
    except (OSError, ValueError, KeyError, TypeError):
        return "another run"


@hookimpl
def trtmatrix_executors() -> Sequence[Executor]:
    """Register the local executor."""
    return [LocalExecutor()]
