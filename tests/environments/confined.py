"""A runtime that is nothing but a Python with NumPy, and jobs whose worker is a few lines of test code."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from harness.environments.base import Limits, Outcome
from harness.environments.docker.catalogue import Choice, Recipe
from harness.environments.docker.engine import Engine
from harness.environments.docker.environment import PreparedContainer
from harness.environments.docker.images import Images
from harness.environments.docker.posture import Posture
from harness.environments.docker.settings import DockerSettings
from harness.environments.pythons import find_python

QUICK = Limits(seconds=60, memory_bytes=512 << 20, result_bytes=8 << 20, log_bytes=1 << 20)


@dataclass(frozen=True)
class PlainPython:
    """What :class:`harness.runtimes.base.Runtime` needs for an image to be made."""

    name: str = "plain_python"
    python: tuple[int, int] | None = None
    complete_requirements: bool = True

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
    worker = folder / "worker-source"
    worker.mkdir()
    (worker / "__init__.py").touch()
    (worker / "__main__.py").write_text(code, encoding="utf-8")
    return PreparedContainer(engine, image, choice, settings, {}, worker=worker)


def run(
    prepared: PreparedContainer, folder: Path, limits: Limits = QUICK, **changes: object
) -> tuple[Outcome, Path]:
    """Run a job that says only who it is; return the outcome and the result folder."""
    job, result = folder / "job", folder / "result"
    job.mkdir(exist_ok=True)
    result.mkdir()
    (job / "job.json").write_text(json.dumps({"cell": {"id": "a-cell"}, "device": None}), encoding="utf-8")
    return replace(prepared, **changes).run(job / "job.json", [], result, limits), result  # type: ignore[arg-type]
