"""``docker``: each version in a container of its own, confined, on the engine docker itself would use."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness import hookimpl
from harness.environments.base import (
    Availability,
    Check,
    Environment,
    Limits,
    Outcome,
    Prepared,
    Progress,
    VersionRow,
    availability_of,
)
from harness.environments.cache import cache_folder
from harness.environments.docker.catalogue import Choice, catalogue
from harness.environments.docker.checks import docker_checks
from harness.environments.docker.container import Run
from harness.environments.docker.engine import Engine, connect
from harness.environments.docker.errors import ENGINE_ERRORS, text_of
from harness.environments.docker.image_facts import differences, read_facts, summary
from harness.environments.docker.images import Images, ReadyImage
from harness.environments.docker.labels import KIND, OWNER, PREFIX, owner, remove_container, sweep
from harness.environments.docker.posture import (
    JOB,
    RESULT,
    Folders,
    GpuRequest,
    container_arguments,
    environment_inside,
    user_ids,
)
from harness.environments.docker.settings import DockerSettings
from harness.environments.needs import RuntimeNeeds, WorkerSource
from harness.environments.staging import staged_worker
from harness.errors import UnavailableError, UsageError

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

    def run(self, job: Path, inputs: Sequence[Path], result: Path, limits: Limits) -> Outcome:
        """Run the worker on *job* in a container (see :class:`harness.environments.base.Prepared`)."""
        missing = [path.name for path in inputs if not (job.parent / path.name).exists()]
        if missing:
            return Outcome("failed", f"the job's folder lacks {', '.join(missing)}")
        try:
            self._await_engine()
            self._remove_leftovers()
        except ENGINE_ERRORS as error:
            # Not this cell's failure, and no other cell would fare better: the run stops and can be resumed.
            return Outcome(
                "interrupted",
                f"the docker engine does not answer ({text_of(error)}); start it and resume the run",
            )
        asked: dict[str, Any] = json.loads(job.read_text(encoding="utf-8"))
        gpu = self._gpu(asked.get("device"))
        with _staged(job, self.worker) as (worker, staged), _writable(result, self.engine):
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
            run = Run(self.engine, self.image.id, command, arguments, result.absolute(), limits)
            outcome = run.outcome()
        return self._recorded(run, outcome, result, gpu)

    def _gpu(self, device: object) -> GpuRequest | None:
        if isinstance(device, str) and device.startswith("GPU-"):
            return GpuRequest(device)
        return GpuRequest() if self.gpu else None

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

    def _recorded(self, run: Run, outcome: Outcome, result: Path, gpu: GpuRequest | None) -> Outcome:
        config = run.inspected.get("Config") or {}
        record = {
            "schema": "trtmatrix.container/1",
            "image": self.image.name,
            "image_id": self.image.id,
            "source": self.image.source,
            "digest": self.image.digest,
            "engine": f"{self.engine.facts.name} {self.engine.facts.version}",
            "gpu": None if gpu is None else {"uuid": gpu.uuid or None},
            "command": [*(config.get("Entrypoint") or []), *(config.get("Cmd") or [])],
            "user": config.get("User"),
            "labels": config.get("Labels"),
            "host_config": run.inspected.get("HostConfig"),
            "status": outcome.status,
            "reason": outcome.reason,
        }
        (result / CONTAINER_FILE).write_text(json.dumps(record, indent=1), encoding="utf-8")
        facts = {"image": self.image.source, "image_digest": self.image.digest, "image_id": self.image.id}
        return Outcome(
            status=outcome.status,
            reason=outcome.reason,
            exit_code=outcome.exit_code,
            seconds=outcome.seconds,
            peak_memory_bytes=outcome.peak_memory_bytes,
            log_tail=outcome.log_tail,
            facts=facts,
        )


class DockerEnvironment(Environment):
    """Containers of NGC images, and of images made from wheels.

    :param settings: read from the environment at each use by default
    """

    name = "docker"

    def __init__(self, settings: DockerSettings | None = None) -> None:
        self._settings = settings
        self._engine: Engine | None = None

    @property
    def settings(self) -> DockerSettings:
        """What the user has set."""
        return self._settings or DockerSettings.from_environment()

    def engine(self) -> Engine:
        """Return the engine, connected once; containers of runs that are over are removed on the way.

        :raises UnavailableError: none answers
        """
        if self._engine is None:
            engine = connect()
            sweep(engine)
            self._engine = engine
        return self._engine

    def resolve(self, runtime: str, said: str) -> Sequence[str]:
        """Return the versions that the expression *said* names (see :mod:`.version_expression`).

        :raises UsageError: no image fits
        """
        return catalogue().resolve(runtime, said)

    def version_rows(self) -> Iterator[VersionRow]:
        """Yield one row for each image of the catalogue: what it holds, what it needs, how sure that is."""
        known = catalogue()
        for name in dict.fromkeys(n for recipe in known.recipes.values() for n in recipe.runtimes):
            for recipe, image in known.images(name):
                yield VersionRow(
                    runtime=name,
                    version=known.name_of(name, image),
                    where=f"{recipe.repository.rpartition('/')[2] or recipe.name}:{image.tag}",
                    needs=image.needs,
                )

    def checks(self, runtime: RuntimeNeeds, version: str) -> Sequence[Check]:
        """Look at catalogue, engine, GPU, driver and image; a registry is asked for images not here."""
        try:
            choice = catalogue().choose(runtime.name, version)
        except UsageError as error:
            return (Check("catalogue", "unsupported", str(error)),)
        name = choice.image.name if choice.image is not None else f"recipe {choice.recipe.name}"
        basis = f" ({choice.image.basis})" if choice.image is not None else ""
        chosen = Check("catalogue", "ok", name + basis)
        try:
            engine = self.engine()
        except UnavailableError as error:
            return (chosen, Check("engine", "unavailable", str(error), "start a docker engine"))
        return (chosen, *docker_checks(engine, choice, runtime, version, self.settings, registry=True))

    def availability(self, runtime: RuntimeNeeds, version: str) -> Availability:
        """Say whether *version* can run in a container here; an image to be pulled counts as there."""
        try:
            choice = catalogue().choose(runtime.name, version)
        except UsageError as error:
            return Availability("unsupported", str(error))
        try:
            engine = self.engine()
        except UnavailableError as error:
            return Availability(
                "unavailable", str(error), "start a docker engine, or use another environment"
            )
        return availability_of(docker_checks(engine, choice, runtime, version, self.settings, registry=False))

    def prepare(self, runtime: RuntimeNeeds, version: str, progress: Progress) -> Prepared:
        """Pull or build the image of *version* and read what it holds.

        :raises UnavailableError: it cannot be had
        """
        try:
            choice = catalogue().choose(runtime.name, version)
        except UsageError as error:
            raise UnavailableError(str(error)) from error
        engine = self.engine()
        image = Images(engine, self.settings, progress).ready(choice, runtime, version)
        held = read_facts(engine, image.id, choice.recipe.python_command)
        odd = differences(choice.image, held) if choice.image is not None else []
        for line in odd:
            progress(f"{image.source}: {line}")
        return PreparedContainer(
            engine=engine,
            image=image,
            choice=choice,
            settings=self.settings,
            facts=_facts(image, choice, held, odd),
            worker=runtime.worker,
            variables=dict(runtime.environment_variables),
            gpu=choice.recipe.gpu == "required",
        )


def _facts(
    image: ReadyImage, choice: Choice, held: Mapping[str, Any], odd: Sequence[str]
) -> dict[str, object]:
    """Return what is kept of an image with every build: its content wins over the catalogue's words."""
    return {
        **held,
        **{f"image_{name}": value for name, value in summary(held).items()},
        "image": image.source,
        "image_built": image.name,
        "image_id": image.id,
        "image_digest": image.digest,
        "image_basis": choice.image.basis if choice.image is not None else "read inside",
        "catalogue_differences": list(odd),
        "build_log": image.build_log,
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


@hookimpl
def trtmatrix_environments() -> Sequence[Environment]:
    """Register the environment of containers."""
    return [DockerEnvironment()]
