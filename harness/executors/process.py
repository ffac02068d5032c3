"""The process of a node from outside: started with an order, heard, ended with all of its workers."""

from __future__ import annotations

import json
import os
import pickle
import queue
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import psutil

from harness.environments.process import log_tail
from harness.execution.fleet import Came, Event, Lost, Order, Over, Refused, Said
from harness.execution.sending import packed
from harness.executors.node import FILES, ORDER, log_of

_END_SECONDS = 30.0
"""That a process has to end its workers and containers in."""

_READ_SECONDS = 5.0
"""That what an ended process had said is waited for."""


_PREFIX, _OWNER = "trtmatrix-node-", "process"
"""Of the folder of a process, and the file in it that holds its number."""

_LOOK_SECONDS = 0.1
"""Between looks at what is left of a run."""


def sweep() -> None:
    """Remove what processes left on this machine that were killed: Ray kills those of a node that dies."""
    for owner in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*/{_OWNER}"):
        if _owner(owner.parent) is None:
            _remove(owner.parent)


def clear(mark: str, seconds: float, quiet: float) -> None:
    """Remove what the processes of the run called *mark* left on this machine; end those that go on.

    :param seconds: that processes have to end by themselves
    :param quiet: seconds for which nothing of the run may turn up: one may be starting when it is killed
    """
    until, came = time.monotonic() + seconds, time.monotonic()
    while True:
        now = time.monotonic()
        # Logs lie beside the folders, and may be all that is left.
        left = {path.with_suffix("") for path in Path(tempfile.gettempdir()).glob(f"{_PREFIX}{mark}-*")}
        for folder in left:
            owner = _owner(folder)
            if owner is not None and now > until:
                with suppress(OSError):
                    os.killpg(owner, signal.SIGKILL)
            if owner is None or now > until:
                _remove(folder)
        came = now if left else came
        if not left and now - came >= quiet:
            return
        time.sleep(_LOOK_SECONDS)


def _owner(folder: Path) -> int | None:
    """Return the number of the process that *folder* belongs to, None where that has ended."""
    with suppress(OSError, ValueError, psutil.Error):
        number = int((folder / _OWNER).read_text(encoding="ascii"))
        return number if psutil.Process(number).status() != psutil.STATUS_ZOMBIE else None
    return None


def _remove(folder: Path) -> None:
    log_of(folder).unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)


class NodeProcess:
    """Measures *order* on this machine.

    :param files: digest to content, of all that the order names
    :param mark: of the run, for :func:`clear`
    """

    def __init__(self, order: Order, files: Mapping[str, bytes], mark: str = "") -> None:
        sweep()
        self._folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{mark}-"))
        # Until the process is there: whoever is killed meanwhile leaves the folder.
        (self._folder / _OWNER).write_text(str(os.getpid()), encoding="ascii")
        (self._folder / FILES).mkdir()
        for digest, content in files.items():
            (self._folder / FILES / digest).write_bytes(content)
        (self._folder / ORDER).write_bytes(pickle.dumps(order))
        self._log = log_of(self._folder)
        log = self._log.open("wb")
        self._events: queue.Queue[Event] = queue.Queue()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "harness.executors.node", str(self._folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            start_new_session=True,
        )
        log.close()
        (self._folder / _OWNER).write_text(str(self._process.pid), encoding="ascii")
        assert self._process.stdout is not None
        self._reader = threading.Thread(target=self._read, args=(self._process.stdout,), daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self._process.pid

    def events(self, seconds: float) -> list[Event]:
        """Return what has happened since last time, waiting up to *seconds* for something."""
        found: list[Event] = []
        with suppress(queue.Empty):
            found.append(self._events.get(timeout=seconds))
            while True:
                found.append(self._events.get_nowait())
        return found

    def stop(self) -> None:
        """End the process and all that it started, in no more than half a minute."""
        with suppress(OSError):
            assert self._process.stdin is not None
            self._process.stdin.close()
        try:
            self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            with suppress(OSError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        # A build that came last may still be read out of the folder.
        self._reader.join(_READ_SECONDS)
        _remove(self._folder)
        sweep()

    def _read(self, lines: IO[bytes]) -> None:
        last: Event | None = None
        with lines:
            for line in lines:
                last = self._event(json.loads(line))
                self._events.put(last)
        code = self._process.wait()
        if not isinstance(last, Over | Lost):
            said = log_tail(self._log).strip().rsplit("\n", 1)[-1]
            self._events.put(Lost(f"its process ended with status {code}" + (f": {said}" if said else "")))

    def _event(self, said: dict[str, Any]) -> Event:
        what = said.pop("event")
        if what == "came":
            folder = Path(said.pop("folder"))
            came = Came(files=packed(folder), **said)
            shutil.rmtree(folder, ignore_errors=True)
            assert self._process.stdin is not None
            with suppress(OSError, ValueError):
                self._process.stdin.write(b".")
                self._process.stdin.flush()
            return came
        event: Event = {"said": Said, "refused": Refused, "over": Over, "lost": Lost}[what](**said)
        return event
