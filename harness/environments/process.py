"""One worker process: started in a group of its own, watched against its limits, ended with all its children.

Memory is the resident size of the process tree, not address space: runtimes reserve far more than they use.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING

from harness.environments.base import Limits, NeverStarted, Outcome, WorkerConversation

if TYPE_CHECKING:
    import psutil

TAIL_LINES = 20
TAIL_BYTES = 8 << 10

# Looking costs a fraction of a millisecond for one process; walking all processes for children costs more.
_WALK_SECONDS = 1.0
_LEAVE_SECONDS = 30
_MIB = 1 << 20


def start_process(
    command: Sequence[str], *, result: Path, limits: Limits, variables: Mapping[str, str]
) -> WorkerConversation:
    """Start a worker process and return the conversation with it.

    :param command: program and arguments
    :param result: the result folder: working directory, and home of ``worker.log``
    :param variables: the whole environment of the process
    """
    try:
        process = subprocess.Popen(
            list(command),
            cwd=result,
            env=dict(variables),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            start_new_session=True,  # Ctrl-C at the terminal reaches us alone, and one kill reaches all of it
        )
    except OSError as error:
        return NeverStarted("failed", f"the worker did not start: {error.strerror or error}")
    return WorkerProcess(process, result, limits)


class WorkerProcess(WorkerConversation):
    """The conversation with a process through its pipes; standard error is the log."""

    def __init__(self, process: subprocess.Popen[bytes], result: Path, limits: Limits) -> None:
        import psutil

        super().__init__(limits.seconds)
        self._process, self._result, self._limits = process, result, limits
        self._family = [psutil.Process(process.pid)] if psutil.pid_exists(process.pid) else []
        self._walked = self.begin
        self._peak = 0
        assert process.stdout is not None
        assert process.stderr is not None
        log = (process.stderr, result / "worker.log", limits.log_bytes)
        self._threads = (
            threading.Thread(target=_copy, args=log, daemon=True),
            threading.Thread(target=self._read, args=(process.stdout,), daemon=True),
        )
        for thread in self._threads:
            thread.start()

    def send(self, data: bytes) -> None:
        """Write into the worker's standard input.

        :raises OSError: it is closed
        """
        assert self._process.stdin is not None
        self._process.stdin.write(data)

    def look(self) -> tuple[str, str]:
        """Hold resident memory of the whole process tree and size of the result against the limits."""
        now = time.monotonic()
        if now - self._walked >= _WALK_SECONDS and self._family:
            self._walked = now
            self._family[1:] = _children(self._family[0])
            if (size := folder_bytes(self._result)) > self._limits.result_bytes:
                return "result_limit", _result_reason(size, self._limits)
        memory = sum(_resident(member) for member in self._family)
        self._peak = max(self._peak, memory)
        if memory > self._limits.memory_bytes:
            return "memory_limit", (
                f"resident size of {memory // _MIB} MiB is above the limit of "
                f"{self._limits.memory_bytes // _MIB} MiB"
            )
        return "", ""

    def end(self) -> Outcome:
        """Wait for a worker that has closed or ended by itself, kill any other, and collect all of it."""
        try:
            self._leave()
        except KeyboardInterrupt:
            self.stop("interrupted", "interrupted by the user")
        finally:
            _end(self._process)
            for thread in self._threads:
                thread.join(timeout=10)
        tail = log_tail(self._result / "worker.log")
        status, reason = self.cut
        if not status:
            status, reason = _ended(self._process.returncode, self._result, self._limits, tail)
        return Outcome(
            status=status,
            reason=reason,
            exit_code=self._process.returncode,
            seconds=time.monotonic() - self.begin,
            peak_memory_bytes=self._peak or None,
            log_tail=tail,
        )

    def _leave(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        if not self.ends_itself():
            return
        try:
            self._process.wait(timeout=_LEAVE_SECONDS)
        except subprocess.TimeoutExpired:
            self.stop("failed", f"the worker answers no more, and did not end within {_LEAVE_SECONDS} s")

    def _read(self, answers: IO[bytes]) -> None:
        with answers:
            while chunk := os.read(answers.fileno(), 1 << 16):
                self.received(chunk)
        self.received(b"")


def _ended(code: int, result: Path, limits: Limits, tail: str) -> tuple[str, str]:
    if code < 0:
        number = -code
        name = signal.Signals(number).name if number in set(map(int, signal.Signals)) else "unknown"
        return "killed", f"killed by signal {number} ({name})"
    if (size := folder_bytes(result)) > limits.result_bytes:
        return "result_limit", _result_reason(size, limits)
    if code != 0:
        last = tail.rstrip().rsplit("\n", 1)[-1].strip()
        return "failed", f"the worker ended with exit status {code}" + (f": {last}" if last else "")
    if not (result / "result.json").is_file():
        return "failed", "the worker ended without a result"
    return "ok", ""


def _result_reason(size: int, limits: Limits) -> str:
    return f"result folder of {size // _MIB} MiB is above the limit of {limits.result_bytes // _MIB} MiB"


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill what is left of the process and of everything it started, and collect it."""
    import psutil

    members = _children(psutil.Process(process.pid)) if process.poll() is None else []
    if hasattr(os, "killpg"):
        try:
            # The group outlives its leader while a child is left, so this is right after a normal end too.
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        except PermissionError:  # macOS says so of a group of zombies only
            pass
    for member in members:  # children that made a group of their own
        try:
            member.kill()
        except psutil.Error:
            continue
    if process.poll() is None:
        process.kill()
    process.wait()


def _children(process: psutil.Process) -> list[psutil.Process]:
    import psutil

    try:
        return process.children(recursive=True)
    except psutil.Error:
        return []


def _resident(process: psutil.Process) -> int:
    import psutil

    try:
        return int(process.memory_info().rss)
    except psutil.Error:  # ended between the look and the question
        return 0


def folder_bytes(folder: Path) -> int:
    """Return the size of all files below *folder*; files that vanish meanwhile count nothing."""
    total = 0
    for root, _, names in os.walk(folder):
        for name in names:
            try:
                total += (Path(root) / name).lstat().st_size
            except OSError:
                continue
    return total


def log_tail(log: Path) -> str:
    """Return the last lines of a log (at most 20, 8 KiB), empty where there is none."""
    try:
        with log.open("rb") as stream:
            stream.seek(max(0, log.stat().st_size - TAIL_BYTES))
            text = stream.read().decode("utf-8", "replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-TAIL_LINES:])


def _copy(source: IO[bytes], log: Path, limit: int) -> None:
    """Copy what the worker prints into its log, up to *limit* bytes; the rest is read and dropped."""
    written = dropped = 0
    with source, log.open("wb") as target:
        while chunk := os.read(source.fileno(), 1 << 16):
            kept = chunk[: max(0, limit - written)]
            target.write(kept)
            target.flush()
            written += len(kept)
            dropped += len(chunk) - len(kept)
        if dropped:
            target.write(f"\n[log cut here: {dropped} bytes more were printed]\n".encode())
