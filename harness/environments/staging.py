"""The worker as it is sent into an environment: the shared frame, and what the runtime brings of its own.

Both keep their dotted names, so that ``from harness.worker.job import Job`` is the same inside and outside.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath

from harness import worker
from harness.environments.cache import cached
from harness.environments.needs import WorkerSource
from harness.errors import PluginPartError

FRAME = WorkerSource("harness.worker", Path(worker.__file__).resolve().parent)
"""What all workers share."""

# What would make the worker's Python another one than the environment's, or the process ours.
_DROPPED = ("PYTHON", "VIRTUAL_ENV", "CONDA", "PIP_", "UV_", "COV_CORE", "COVERAGE", "PYTEST")


def worker_files(sources: Iterable[WorkerSource]) -> dict[PurePosixPath, Path | None]:
    """Return what the folder of a worker holds: relative path to the file it is, None for an empty one.

    :param sources: beside the frame: what runtimes bring
    :raises PluginPartError: there is no such file or folder, or two would be one
    """
    files: dict[PurePosixPath, Path | None] = {}
    for source in (FRAME, *(one for each in sources for one in each.all())):
        parts = source.module.split(".")
        for depth in range(1, len(parts)):
            files.setdefault(PurePosixPath(*parts[:depth], "__init__.py"), None)
        for inner, path in _files_of(source):
            target = PurePosixPath(*parts[:-1], inner)
            if files.setdefault(target, path) not in (None, path):
                raise PluginPartError(
                    f"worker '{source.module}': {target} is a file of another worker already"
                )
            files[target] = path
    return files


def _files_of(source: WorkerSource) -> list[tuple[PurePosixPath, Path]]:
    name = source.module.rpartition(".")[2]
    if source.path.is_file():
        return [(PurePosixPath(f"{name}.py"), source.path)]
    found = [
        (PurePosixPath(name, path.relative_to(source.path).as_posix()), path)
        for path in sorted(source.path.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    ]
    if not found:
        raise PluginPartError(
            f"worker '{source.module}': {source.path} is no file and no folder of a package"
        )
    return found


def copy_worker(folder: Path, sources: Iterable[WorkerSource]) -> None:
    """Write the frame and *sources* into *folder*, which is to be put on ``PYTHONPATH``.

    :raises PluginPartError: see :func:`worker_files`
    """
    for name, path in worker_files(sources).items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if path is None:
            target.touch()
        else:
            shutil.copyfile(path, target)


def staged_worker(source: WorkerSource) -> Path:
    """Return a folder with the frame and the worker *source*, from the cache where it was made before.

    The folder of the harness itself will not do: it needs packages that an environment lacks.
    """
    digest = hashlib.sha256()
    for name, path in sorted(worker_files([source]).items()):
        content = path.read_bytes() if path is not None else b""
        digest.update(name.as_posix().encode() + b"\0" + content + b"\0")
    return cached("worker", digest.hexdigest()[:16], lambda folder: copy_worker(folder, [source]))


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
