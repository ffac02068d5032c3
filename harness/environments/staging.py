"""The worker as it is sent into an environment: harness/worker, as a package called ``worker``."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

import harness
from harness.environments.cache import cached

_SOURCE = Path(harness.__file__).resolve().parent / "worker"

# What would make the worker's Python another one than the environment's, or the process ours.
_DROPPED = ("PYTHON", "VIRTUAL_ENV", "CONDA", "PIP_", "UV_", "COV_CORE", "COVERAGE", "PYTEST")


def staged_worker(source: Path = _SOURCE) -> Path:
    """Return a folder that holds the package ``worker`` and nothing else (to be put on ``PYTHONPATH``).

    The folder of the harness itself will not do: its ``statistics`` would hide the standard library's.

    :param source: the worker's files
    """
    names = sorted(file.relative_to(source) for file in source.rglob("*.py"))
    digest = hashlib.sha256()
    for name in names:
        digest.update(name.as_posix().encode() + b"\0" + (source / name).read_bytes() + b"\0")

    def copy(folder: Path) -> None:
        for name in names:
            target = folder / "worker" / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source / name, target)

    return cached("worker", digest.hexdigest()[:16], copy)


def worker_variables(staged: Path, extra: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a worker process: ours without Python's and the tools' own, plus *extra*."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_DROPPED)}
    own = {
        "PYTHONPATH": str(staged),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONNOUSERSITE": "1",
        "PYTHONUNBUFFERED": "1",  # so that the log of a worker that was killed is whole
        "PYTHONFAULTHANDLER": "1",
        "PYTHONIOENCODING": "utf-8",
    }
    return {**kept, **own, **extra}
