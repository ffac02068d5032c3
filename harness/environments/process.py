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
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import psutil

from harness.environments.base import Limits, Outcome

TAIL_LINES = 20
TAIL_BYTES = 8 << 10

# Looking costs a fraction of a millisecond for one process; walking all processes for children costs more.
_LOOK_SECONDS = 0.1
_WALK_SECONDS = 1.0
_MIB = 1 << 20


def run_process(
    command: Sequence[str], *, result: Path, limits: Limits, variables: Mapping[str, str]
) -> Outcome:
    """Run a worker to its end or to the first limit it passes.

    :param command: program and arguments
    :param result: the result folder: working directory, and home of ``worker.log``
    :param variables: the whole environment of the process
    :return: the outcome; ``interrupted`` after Ctrl-C, never an exception for what the worker did
    """
    begin = time.monotonic()
    try:
        process = subprocess.Popen(
            list(command),
            cwd=result,
            env=dict(variables),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C at the terminal reaches us alone, and one kill reaches all of it
        )
    except OSError as error:
        return Outcome("failed", f"the worker did not start: {error.strerror or error}")
    assert process.stdout is not None
    log = threading.Thread(
        target=_copy, args=(process.stdout, result / "worker.log", limits.log_bytes), daemon=True
    )
    log.start()
    watch = _Watch(process, result, limits, begin)
    try:
        status, reason = watch.until_end()
    except KeyboardInterrupt:
        status, reason = "interrupted", "interrupted by the user"
    finally:
        _end(process)
        log.join(timeout=10)
    tail = log_tail(result / "worker.log")
    if not status:
        status, reason = _ended(process.returncode, result, limits, tail)
    return Outcome(
        status=status,
        reason=reason,
        exit_code=process.returncode,
        seconds=time.monotonic() - begin,
        peak_memory_bytes=watch.peak or None,
        log_tail=tail,
    )


@dataclass
class _Watch:
    """Looks at a running process until it ends (status empty) or passes a limit."""

    process: subprocess.Popen[bytes]
    result: Path
    limits: Limits
    begin: float
    peak: int = 0

    def until_end(self) -> tuple[str, str]:
        family = [psutil.Process(self.process.pid)] if psutil.pid_exists(self.process.pid) else []
        walked = self.begin
        while True:
            try:
                self.process.wait(timeout=_LOOK_SECONDS)
            except subprocess.TimeoutExpired:
                pass
            else:
                return "", ""
            now = time.monotonic()
            if now - walked >= _WALK_SECONDS and family:
                walked = now
                family[1:] = _children(family[0])
                if (size := folder_bytes(self.result)) > self.limits.result_bytes:
                    return "result_limit", _result_reason(size, self.limits)
            memory = sum(_resident(member) for member in family)
            self.peak = max(self.peak, memory)
            if memory > self.limits.memory_bytes:
                return "memory_limit", (
                    f"resident size of {memory // _MIB} MiB is above the limit of "
                    f"{self.limits.memory_bytes // _MIB} MiB"
                )
            if now - self.begin > self.limits.seconds:
                return "time_limit", f"still running after the limit of {self.limits.seconds:g} s"


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
    try:
        return process.children(recursive=True)
    except psutil.Error:
        return []


def _resident(process: psutil.Process) -> int:
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
