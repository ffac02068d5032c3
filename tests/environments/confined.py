"""A runtime that is nothing but a Python with NumPy, and jobs whose worker is a few lines of test code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from harness.environments.base import Limits, Outcome, converse
from harness.environments.docker.engine import Engine
from harness.environments.docker.images import Images
from harness.environments.docker.posture import Posture
from harness.environments.docker.prepared import PreparedContainer
from harness.environments.docker.recipes import Choice, Recipe
from harness.environments.docker.settings import DockerSettings
from harness.environments.needs import WorkerSource
from harness.environments.pythons import find_python
from tests.worker.worker_jobs import worker_of, write_job

QUICK = Limits(seconds=60, memory_bytes=512 << 20, result_bytes=8 << 20, log_bytes=1 << 20)


_WORKER = worker_of("probe")

# The lines run while the frame imports them, and the process ends with them.
_MODULE = """
import os, sys, traceback
status = 0
try:
    exec({code!r}, {{"__name__": "confined"}})
except SystemExit as end:
    status = end.code or 0
except BaseException:
    traceback.print_exc()
    status = 1
sys.stdout.flush()
sys.stderr.flush()
os._exit(status)
"""


@dataclass(frozen=True)
class PlainPython:
    """What :class:`harness.runtimes.base.Runtime` needs for an image to be made."""

    name: str = "plain_python"
    python: tuple[int, int] | None = None
    complete_requirements: bool = True
    worker: WorkerSource = _WORKER

    def pythons(self, version: str) -> tuple[tuple[int, int], tuple[int, int]] | None:  # noqa: ARG002
        return (self.python, self.python) if self.python else None

    def requirements(self, version: str, python: tuple[int, int]) -> Sequence[str]:  # noqa: ARG002
        return ["numpy==1.19.5"] if python < (3, 8) else ["numpy==1.26.4"]


def recipe(folder: Path) -> Recipe:
    """Return a recipe that puts wheels on a base made of an interpreter."""
    return Recipe("plain", folder / "plain.toml", ("plain_python",), "wheels.Dockerfile.j2")


def container(
    engine: Engine,
    folder: Path,
    code: str,
    *,
    python: tuple[int, int] | None = None,
    posture: Posture | None = None,
) -> PreparedContainer:
    """Return a container whose worker is *code*."""
    runtime = PlainPython(python=python)
    assert find_python(runtime.pythons("1")) is not None
    settings = DockerSettings(posture=posture or Posture())
    choice = Choice(recipe(folder), None)
    image = Images(engine, settings, lambda _line: None).ready(choice, runtime, "1")  # type: ignore[arg-type]
    (folder / "confined_worker.py").write_text(_MODULE.format(code=code), encoding="utf-8")
    worker = WorkerSource("confined_worker", folder / "confined_worker.py")
    return PreparedContainer(engine, image, choice, settings, {}, worker)


def run(
    prepared: PreparedContainer, folder: Path, limits: Limits = QUICK, **changes: object
) -> tuple[Outcome, Path]:
    """Run a job that says only who it is; return the outcome and the result folder."""
    result = folder / "result"
    result.mkdir()
    job = write_job(folder / "job", "confined_worker", cell={"id": "a-cell"})
    changed = replace(prepared, **changes)  # type: ignore[arg-type]
    return converse(changed.start(job, [], result, limits), job, result), result
