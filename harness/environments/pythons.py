"""Which Python interpreters are on this machine, so that a version gets one for which it has wheels."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

Release = tuple[int, int]

_NEWEST_MINOR = 20  # of what a search by name tries: python3.20 is years away
_ASK = "import sys; print(*sys.version_info[:3], sys.executable)"


@dataclass(frozen=True)
class Interpreter:
    """A CPython that answered.

    :param release: major and minor version; :param full: ``3.11.7``
    """

    path: Path
    release: Release
    full: str


def running() -> Interpreter:
    """Return the interpreter that runs the harness (its base, where that is a virtual environment)."""
    base = getattr(sys, "_base_executable", None) or sys.executable
    return Interpreter(Path(base), sys.version_info[:2], platform.python_version())


def find_python(bounds: tuple[Release, Release] | None) -> Interpreter | None:
    """Return the running interpreter where it lies within *bounds*, else the newest one that does.

    :param bounds: lowest and highest release, inclusive; None for any
    """
    own = running()
    if bounds is None or bounds[0] <= own.release <= bounds[1]:
        return own
    (major, low), (_, high) = bounds
    for minor in range(min(high, _NEWEST_MINOR), low - 1, -1):
        found = _find_release((major, minor))
        if found is not None:
            return found
    return None


@cache
def _find_release(release: Release) -> Interpreter | None:
    for candidate in _candidates(release):
        found = _ask(candidate)
        if found is not None and found.release == release:
            return found
    return None


def _candidates(release: Release) -> Iterator[list[str]]:
    """Yield command lines that may start *release*, the cheapest to find first."""
    name = f"python{release[0]}.{release[1]}"
    if (path := shutil.which(name)) is not None:
        yield [path]
    root = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    for folder in sorted((root / "versions").glob(f"{release[0]}.{release[1]}.*"), reverse=True):
        yield [str(folder / "bin" / name)]
    if os.name == "nt" and (launcher := shutil.which("py")) is not None:
        yield [launcher, f"-{release[0]}.{release[1]}"]
    if (uv := uv_binary()) is not None:
        # Interpreters that uv itself manages; without leave to fetch one.
        answer = _output([uv, "python", "find", "--no-python-downloads", f"{release[0]}.{release[1]}"])
        if answer:
            yield [answer]


def _ask(command: list[str]) -> Interpreter | None:
    # A pyenv shim of a release that is not switched on exits with 127: only an answer counts.
    words = _output([*command, "-c", _ASK]).split(maxsplit=3)
    if len(words) != 4:
        return None
    major, minor, micro, path = words
    return Interpreter(Path(path), (int(major), int(minor)), f"{major}.{minor}.{micro}")


def _output(command: list[str]) -> str:
    try:
        # From the root folder: a pin in the working directory is meant for other work.
        answer = subprocess.run(
            command, capture_output=True, text=True, timeout=20, cwd=Path(sys.prefix).anchor
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return answer.stdout.strip() if answer.returncode == 0 else ""


@cache
def uv_binary() -> str | None:
    """Return the path of uv: that of its package where it is installed, else the one on ``PATH``, or None."""
    try:
        from uv import find_uv_bin

        return str(find_uv_bin())
    except (ImportError, FileNotFoundError):
        return shutil.which("uv")
