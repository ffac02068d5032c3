"""One build on the host: the job's folder, the worker's process, what it used, how it ended."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.worker.conversation import Conversation

from .machine import clean
from .unpack import link

TAIL_BYTES = 8 << 10
_LOOK_SECONDS = 0.05
LEAVE_SECONDS = 30.0
"""After which a worker that answers no more is ended."""


def place_job(folder: Path, document: Mapping[str, Any], inputs: Path) -> Path:
    """Write ``job.json`` and link the files of *inputs* beside it; return its path."""
    for path in inputs.iterdir():
        if not path.name.startswith("."):
            link(path, folder / path.name)
    job = folder / "job.json"
    job.write_text(json.dumps(document, indent=1), encoding="utf-8")
    return job


def variables(tree: Path, code: Path, site: Path, entry: Mapping[str, Any]) -> dict[str, str]:
    """Return the environment of a worker: packed Python, the site's packages and libraries, the host's.

    :param tree: the packed Python's; :param code: folder of the worker's packages
    """
    libraries = [str(site / name) for name in entry["library_folders"]] + [str(tree / "lib")]
    host = os.environ.get("TRTMATRIX_HOST_LIBRARIES")
    found = clean()
    found.update(entry["variables"])
    found.update(
        PYTHONHOME=str(tree),
        PYTHONPATH=os.pathsep.join([str(code), str(site)]),
        LD_LIBRARY_PATH=os.pathsep.join(libraries + ([host] if host else [])),
        PYTHONDONTWRITEBYTECODE="1",
        PYTHONNOUSERSITE="1",
        PYTHONUNBUFFERED="1",
        PYTHONFAULTHANDLER="1",
        PYTHONIOENCODING="utf-8",
    )
    return found


class WorkerProcess(Conversation):
    """The conversation with a worker process through its pipes; standard error is the log."""

    def __init__(
        self, command: Sequence[str], result: Path, environment: Mapping[str, str], seconds: float
    ) -> None:
        super().__init__(seconds)
        self._result = result
        with (result / "worker.log").open("wb") as log:
            self._process = subprocess.Popen(
                list(command), cwd=str(result), env=dict(environment), stdin=subprocess.PIPE,
                stdout=subprocess.PIPE, stderr=log, bufsize=0, start_new_session=True,
            )  # fmt: skip
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def send(self, data: bytes) -> None:
        """Write into the worker's standard input.

        :raises OSError: it is closed
        """
        assert self._process.stdin is not None
        self._process.stdin.write(data)

    def end(self) -> dict[str, Any]:
        """Wait for a worker that has closed or ended by itself, kill any other; return what came of it.

        The keys are those of ``harness``'s outcome.
        """
        assert self._process.stdin is not None
        self._process.stdin.close()
        code, peak = self._collect(time.monotonic() + (LEAVE_SECONDS if self.ends_itself() else 0.0))
        self._process.returncode = code
        self._reader.join(timeout=10)
        if not self.cut[0]:
            self.cut = _ended(code, self._result)
        status, reason = self.cut
        return {
            "status": status,
            "reason": reason,
            "exit_code": code,
            "seconds": time.monotonic() - self.begin,
            "peak_memory_bytes": peak,
            "log_tail": tail(self._result / "worker.log"),
        }

    def _collect(self, deadline: float) -> tuple[int, int]:
        """Return exit code (negative: signal) and peak resident bytes, after the *deadline* by force."""
        pid, killed = self._process.pid, False
        while True:
            done, status, usage = os.wait4(pid, os.WNOHANG)
            if done:
                _kill(pid)  # what it started and left behind
                code = -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
                return code, usage.ru_maxrss * 1024
            if time.monotonic() >= deadline and not killed:
                killed = True
                self.stop("failed", "the worker answers no more, and did not end by itself")
                _kill(pid)
            time.sleep(_LOOK_SECONDS)

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as answers:
            while True:
                chunk = os.read(answers.fileno(), 1 << 16)
                self.received(chunk)
                if not chunk:
                    return


def _ended(code: int, result: Path) -> tuple[str, str]:
    if code < 0:
        return "killed", f"killed by signal {-code}"
    if code > 0:
        return "failed", f"the worker ended with exit status {code}"
    if not (result / "result.json").is_file():
        return "failed", "the worker ended without a result"
    return "ok", ""


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):  # it may have ended by itself meanwhile
        os.killpg(pid, signal.SIGKILL)


def tail(log: Path, lines: int = 20) -> str:
    """Return the last lines of a log."""
    with log.open("rb") as stream:
        stream.seek(max(0, log.stat().st_size - TAIL_BYTES))
        text = stream.read().decode("utf-8", "replace")
    found: list[str] = text.splitlines()[-lines:]
    return "\n".join(found)


def fresh(folder: Path) -> Path:
    """Return *folder*, empty."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder
