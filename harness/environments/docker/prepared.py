"""An image made ready, and the worker's container as it is run from it: what it sees, and what it leaves."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from harness.environments.base import Limits, NeverStarted, Outcome, WorkerConversation
from harness.environments.cache import cache_folder
from harness.environments.docker.container import WorkerContainer
from harness.environments.docker.engine import Engine
from harness.environments.docker.errors import ENGINE_ERRORS, text_of
from harness.environments.docker.gpu_access import GpuAccess, gpu_access, offer_of
from harness.environments.docker.images import ReadyImage
from harness.environments.docker.labels import KIND, OWNER, PREFIX, owner, remove_container
from harness.environments.docker.posture import (
    JOB,
    RESULT,
    Folders,
    container_arguments,
    environment_inside,
    user_ids,
)
from harness.environments.docker.recipes import Choice
from harness.environments.docker.settings import DockerSettings
from harness.environments.needs import WorkerSource
from harness.environments.staging import staged_worker

CONTAINER_FILE = "container.json"
"""In the result folder: the container as it was asked for, and its ``HostConfig`` as the engine took it."""


@dataclass(frozen=True)
class PreparedContainer:
    """An image that holds one version, and how to run the worker in it.

    :param gpu: whether a GPU is asked for even where the job names none
    :param worker: what the runtime brings of its own
    """

    engine: Engine
    image: ReadyImage
    choice: Choice
    settings: DockerSettings
    facts: Mapping[str, object]
    worker: WorkerSource
    variables: Mapping[str, str] = field(default_factory=dict)
    gpu: bool = False

    def start(self, job: Path, inputs: Sequence[Path], result: Path, limits: Limits) -> WorkerConversation:
        """Start a worker in a container (see :class:`harness.environments.base.Prepared`)."""
        missing = [path.name for path in inputs if not (job.parent / path.name).exists()]
        if missing:
            return NeverStarted("failed", f"the job's folder lacks {', '.join(missing)}")
        try:
            self._await_engine()
            self._remove_leftovers()
        except ENGINE_ERRORS as error:
            # Not this cell's failure, and no other cell would fare better: the run stops and can be resumed.
            return NeverStarted(
                "interrupted",
                f"the docker engine does not answer ({text_of(error)}); start it and resume the run",
            )
        asked: dict[str, Any] = json.loads(job.read_text(encoding="utf-8"))
        gpu, problem = self._gpu(asked.get("device"))
        if problem:
            return NeverStarted("failed", problem)
        with ExitStack() as stack:
            worker, staged = stack.enter_context(_staged(job, self.worker))
            stack.enter_context(_writable(result, self.engine))
            folders = Folders(worker, staged, result.absolute())
            arguments = container_arguments(self.engine.facts, limits, self.settings.posture, folders, gpu)
            arguments["environment"] = environment_inside(
                self.image.variables, self.variables, gpu, self.engine.facts
            )
            cell = asked.get("cell") or {}
            arguments["labels"] = {
                KIND: "container",
                OWNER: owner(),
                f"{PREFIX}.cell": str(cell.get("id", "")) if isinstance(cell, Mapping) else "",
            }
            command = [self.choice.recipe.python_command, "-m", "harness.worker", f"{JOB}/{job.name}", RESULT]
            run = _Recorded(self, command, arguments, result.absolute(), limits, gpu, stack.pop_all())
        run.start()
        return run

    def _gpu(self, device: object) -> tuple[GpuAccess | None, str]:
        """Return the way of the GPU that a job names into the container, or why there is none."""
        uuid = device if isinstance(device, str) and device.startswith("GPU-") else ""
        if not uuid and not self.gpu:
            return None, ""
        return gpu_access(offer_of(self.engine, user_ids(self.engine.facts)[0]), uuid)

    def _await_engine(self) -> None:
        """Return once the engine answers: one that is being started again gets some time."""
        until = time.monotonic() + self.settings.restart_seconds
        while True:
            try:
                self.engine.ping()
            except ENGINE_ERRORS:
                if time.monotonic() > until:
                    raise
                time.sleep(0.5)
            else:
                return

    def _remove_leftovers(self) -> None:
        while self.engine.leftovers:
            container = self.engine.leftovers.pop()
            try:
                remove_container(self.engine, container)
            except ENGINE_ERRORS:
                self.engine.leftovers.add(container)
                raise


class _Recorded(WorkerContainer):
    """A worker's container that leaves ``container.json`` beside the result, and nothing else behind.

    :param kept: what is to be given back once the container is gone: staged files, rights over the result
    """

    def __init__(
        self,
        prepared: PreparedContainer,
        command: Sequence[str],
        arguments: Mapping[str, Any],
        result: Path,
        limits: Limits,
        gpu: GpuAccess | None,
        kept: ExitStack,
    ) -> None:
        super().__init__(prepared.engine, prepared.image.id, command, arguments, result, limits)
        self._prepared, self._gpu, self._kept = prepared, gpu, kept

    def end(self) -> Outcome:
        """End it, and say which image it was."""
        with self._kept:
            outcome = super().end()
        image = self._prepared.image
        (self.result / CONTAINER_FILE).write_text(
            json.dumps(self._record(outcome), indent=1), encoding="utf-8"
        )
        facts: dict[str, object] = {
            "image": image.source,
            "image_digest": image.digest,
            "image_id": image.id,
        }
        if self._gpu is not None:
            facts["gpu_access"] = self._gpu_record(self._gpu)
        return replace(outcome, facts=facts)

    def _gpu_record(self, gpu: GpuAccess) -> dict[str, Any]:
        lifted = any(limit["Name"] == "memlock" for limit in self.arguments["ulimits"])
        return {**gpu.record, "locked_memory": "unlimited" if lifted else "limit of the engine"}

    def _record(self, outcome: Outcome) -> dict[str, Any]:
        image, config = self._prepared.image, self.inspected.get("Config") or {}
        return {
            "schema": "trtmatrix.container/1",
            "image": image.name,
            "image_id": image.id,
            "source": image.source,
            "digest": image.digest,
            "engine": f"{self.engine.facts.name} {self.engine.facts.version}",
            "gpu": None if self._gpu is None else self._gpu_record(self._gpu),
            "command": [*(config.get("Entrypoint") or []), *(config.get("Cmd") or [])],
            "user": config.get("User"),
            "labels": config.get("Labels"),
            "host_config": self.inspected.get("HostConfig"),
            "status": outcome.status,
            "reason": outcome.reason,
        }


@contextmanager
def _staged(job: Path, worker: WorkerSource) -> Iterator[tuple[Path, Path]]:
    """Yield copies of worker and job folder that any user may read, links resolved: what a container sees."""
    source = staged_worker(worker)
    # In the cache rather than in /tmp, which an engine in a sandbox of its own may not share.
    top = cache_folder() / "docker" / "jobs" / secrets.token_hex(8)
    try:
        for name, folder in (("worker", source), ("job", job.parent)):
            shutil.copytree(folder, top / name, ignore=shutil.ignore_patterns(".complete"))
        for path in (top, *top.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)
        yield top / "worker", top / "job"
    finally:
        shutil.rmtree(top, ignore_errors=True)


@contextmanager
def _writable(result: Path, engine: Engine) -> Iterator[None]:
    """Give the result folder to the container's user while it runs, and take all of it back afterwards."""
    own, inside = _own_ids(), user_ids(engine.facts)
    if own is None or own == inside or own[0] != 0:
        yield
        return
    os.chown(result, *inside)
    try:
        yield
    finally:
        for root, folders, files in os.walk(result):
            for name in (".", *folders, *files):
                os.chown(Path(root) / name, *own, follow_symlinks=False)


def _own_ids() -> tuple[int, int] | None:
    return (os.getuid(), os.getgid()) if hasattr(os, "getuid") else None
