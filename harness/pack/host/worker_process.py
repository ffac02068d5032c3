"""One build on the host: the job's folder, the worker's process, what it used, how it ended."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .machine import clean
from .unpack import link

TAIL_BYTES = 8 << 10
_LOOK_SECONDS = 0.05


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


def run_worker(
    command: Sequence[str], result: Path, environment: Mapping[str, str], seconds: float
) -> dict[str, Any]:
    """Run a worker to its end or to the limit of *seconds*; return the keys of ``harness``'s outcome.

    The log of the worker is ``result/worker.log``.
    """
    began = time.monotonic()
    with (result / "worker.log").open("wb") as log:
        process = subprocess.Popen(
            list(command), cwd=str(result), env=dict(environment), stdin=subprocess.DEVNULL, stdout=log,
            stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        try:
            code, peak, late = _wait(process.pid, began + seconds)
        except BaseException:
            _end(process.pid)
            os.waitpid(process.pid, 0)
            raise
        process.returncode = code
    status, reason = _ended(code, result, seconds, late)
    return {
        "status": status,
        "reason": reason,
        "exit_code": code,
        "seconds": time.monotonic() - began,
        "peak_memory_bytes": peak,
        "log_tail": tail(result / "worker.log"),
    }


def _wait(pid: int, deadline: float) -> tuple[int, int, bool]:
    """Return exit code (negative: signal), peak resident bytes, and whether it was ended at the deadline."""
    late = False
    while True:
        done, status, usage = os.wait4(pid, os.WNOHANG)
        if done:
            code = -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
            return code, usage.ru_maxrss * 1024, late
        if time.monotonic() > deadline and not late:
            late = True
            _end(pid)
        time.sleep(_LOOK_SECONDS)


def _ended(code: int, result: Path, seconds: float, late: bool) -> tuple[str, str]:
    if late:
        return "time_limit", f"still running after the limit of {seconds:g} s"
    if code < 0:
        return "killed", f"killed by signal {-code}"
    if code > 0:
        return "failed", f"the worker ended with exit status {code}"
    if not (result / "result.json").is_file():
        return "failed", "the worker ended without a result"
    return "ok", ""


def _end(pid: int) -> None:
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
