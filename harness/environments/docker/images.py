"""Images: pulled where the catalogue names them, built where something has to be added, cached by content."""

from __future__ import annotations

import contextlib
import re
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker.errors
from docker.models.images import Image as EngineImage

from harness.environments import venv
from harness.environments.base import Progress
from harness.environments.cache import cache_folder, scratch_folder
from harness.environments.docker import base_image
from harness.environments.docker import context as docker_context
from harness.environments.docker.engine import Engine
from harness.environments.docker.errors import ENGINE_ERRORS, explain_pull, text_of
from harness.environments.docker.image_facts import read_python
from harness.environments.docker.labels import CONTENT, REPOSITORY
from harness.environments.docker.recipes import Choice, Image, Recipe
from harness.environments.docker.settings import DockerSettings
from harness.environments.docker.transfer import brought_name
from harness.environments.installer import python_of
from harness.environments.needs import RuntimeNeeds
from harness.environments.pythons import Interpreter, find_python
from harness.errors import DockerFailedError, ImageBuildError, ImageUnavailableError, NoPythonError

_GB = 1_000_000_000
# A layer is downloaded packed and kept unpacked; both lie on the disk for a moment.
_PULL_FACTOR = 1.5
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True)
class ReadyImage:
    """An image that a container can be made of.

    :param id: of its configuration, ``sha256:...``
    :param source: name of the image it was built on, or its own
    :param digest: registry digest of *source* where the engine knows one, else its id
    """

    id: str
    name: str
    source: str
    digest: str
    variables: Mapping[str, str]
    build_log: str = ""


class Images:
    """Makes images ready on one engine: :param progress: told one line about each step that takes long"""

    def __init__(self, engine: Engine, settings: DockerSettings, progress: Progress) -> None:
        self.engine, self.settings, self.progress = engine, settings, progress

    def ready(self, choice: Choice, runtime: RuntimeNeeds, version: str) -> ReadyImage:
        """Return the image for *version*.

        :raises UnavailableError: it cannot be pulled or built
        """
        try:
            if choice.image is not None:
                return self._listed(choice.recipe, choice.image, runtime)
            return self._wheels(choice.recipe, runtime, version)
        except ENGINE_ERRORS as error:
            raise DockerFailedError(f"the docker engine failed: {text_of(error)}") from error

    def find(self, name: str) -> EngineImage | None:
        """Return the image *name* where the engine has it."""
        try:
            return self.engine.client.images.get(name)
        except docker.errors.ImageNotFound:
            return None

    def pull(self, recipe: Recipe, name: str, size_gb: float) -> EngineImage:
        """Pull *name* unless it is here.

        :raises UnavailableError: refused, unknown, unreachable, or too big for the disk
        """
        found = self.find(name)
        if found is not None:
            return found
        if problem := disk_problem(self.engine, name, size_gb):
            raise ImageUnavailableError(problem)
        self.progress(f"pulling {name} (about {size_gb:g} GB)")
        repository, _, tag = name.rpartition(":")
        try:
            for line in self.engine.client.api.pull(repository, tag=tag, stream=True, decode=True):
                if line.get("error"):
                    raise ImageUnavailableError(
                        explain_pull(docker.errors.DockerException(line["error"]), name, recipe.login)
                    )
            return self.engine.client.images.get(name)
        except ENGINE_ERRORS as error:
            raise ImageUnavailableError(explain_pull(error, name, recipe.login)) from error

    def _listed(self, recipe: Recipe, image: Image, runtime: RuntimeNeeds) -> ReadyImage:
        source = self.pull(recipe, image.name, image.size_gb or recipe.size_gb)
        if not self.settings.build:
            return _ready(source, image.name, source, image.name)
        text = docker_context.listed_dockerfile(recipe, image, runtime.name)
        content = docker_context.content_digest(text, str(source.id))
        tag = f"{REPOSITORY}/{recipe.name}-{image.tag}:{content[:12]}"
        built, log = self._build(tag, content, text, dict)
        return _ready(built, tag, source, image.name, log)

    def _wheels(self, recipe: Recipe, runtime: RuntimeNeeds, version: str) -> ReadyImage:
        name = brought_name(recipe.name, runtime.name, version)
        if (brought := self.find(name)) is not None:
            return _ready(brought, name, brought, name)
        release = version.partition("+")[0]  # without the name of a stand-in
        base, name, interpreter = self._base(recipe, runtime, release)
        plan = venv.plan_for(runtime, release, interpreter)
        requirements = list(plan.requirements)
        text = docker_context.dockerfile(recipe, runtime.name, version, base=name, requirements=requirements)
        content = docker_context.content_digest(text, str(base.id), venv.key_of(plan))
        kind = f"-{recipe.name}" if recipe.stand_in else ""
        tag = f"{REPOSITORY}/{runtime.name.replace('_', '-')}-{release}{kind}:{content[:12]}"

        def wheels() -> Mapping[str, Path]:
            folder = venv.make(plan, f"{runtime.name} {version}", self.progress)
            return {"site-packages": site_packages(folder)}

        built, log = self._build(tag, content, text, wheels)
        return _ready(built, tag, base, name, log)

    def _base(
        self, recipe: Recipe, runtime: RuntimeNeeds, version: str
    ) -> tuple[EngineImage, str, Interpreter]:
        """Return the base image, its name, and an interpreter here of the same release for the wheels."""
        named = self.settings.base or recipe.base
        bounds = runtime.pythons(version)
        if not named:
            interpreter = find_python(bounds)
            if interpreter is None:
                raise NoPythonError(f"no Python here has wheels of {runtime.name} {version}")
            tree = base_image.collect(interpreter)
            return self._import(tree), tree.tag, interpreter
        image = self.pull(recipe, named, recipe.size_gb)
        release = read_python(self.engine, str(image.id), recipe.python_command)
        if bounds is not None and not bounds[0] <= release <= bounds[1]:
            raise NoPythonError(
                f"{named} has Python {release[0]}.{release[1]}, and {runtime.name} {version} has "
                "no wheel for it"
            )
        same = find_python((release, release))
        if same is None:
            raise NoPythonError(
                f"{named} has Python {release[0]}.{release[1]}; install the same here, so that "
                "its wheels can be fetched"
            )
        return image, named, same

    def _import(self, tree: base_image.Tree) -> EngineImage:
        found = self.find(tree.tag)
        if found is not None:
            return found
        self.progress(f"making a base image of Python {tree.interpreter.full}")
        with scratch_folder("base") as folder:
            file = Path(folder) / "root.tar"
            base_image.write_archive(tree, file)
            # The tag within the name: apart from it, Podman 4.3 would call the image `latest`.
            self.engine.client.api.import_image_from_file(
                str(file), repository=tree.tag, changes=tree.changes
            )
        return self.engine.client.images.get(tree.tag)

    def _build(
        self, tag: str, content: str, text: str, trees: Callable[[], Mapping[str, Path]]
    ) -> tuple[EngineImage, str]:
        log = cache_folder() / "docker" / "logs" / f"{content[:16]}.log"
        found = self.find(tag)
        if found is not None and found.labels.get(CONTENT) == content:
            return found, str(log) if log.is_file() else ""
        copied = trees()
        self.progress(f"building {tag}")
        log.parent.mkdir(parents=True, exist_ok=True)
        with scratch_folder("build") as folder, log.open("w", encoding="utf-8") as kept:
            context = Path(folder) / "context.tar"
            docker_context.write_context(context, text, copied)
            kept.write(text + "\n")
            with context.open("rb") as stream:
                for line in self._steps(tag, content, stream):
                    kept.write(line)
                    if line.startswith("Step "):
                        self.progress(f"building {tag}: {line.strip()}")
        return self.engine.client.images.get(tag), str(log)

    def _steps(self, tag: str, content: str, context: Any) -> Iterator[str]:
        options: dict[str, Any] = {}
        if self.settings.build_network:
            options["network_mode"] = self.settings.build_network
        answer = self.engine.client.api.build(
            fileobj=context,
            custom_context=True,
            tag=tag,
            labels={CONTENT: content},
            decode=True,
            rm=True,
            forcerm=True,  # no container of a failed step stays behind
            use_config_proxy=True,
            **options,
        )
        with contextlib.closing(answer):
            last = ""
            for line in answer:
                if line.get("error"):
                    raise ImageBuildError(
                        f"building {tag} failed: {' '.join(str(line['error']).split())}; "
                        f"last words: {last.strip() or 'none'}; --no-build uses the image as it is"
                    )
                said = _COLOUR.sub("", str(line.get("stream") or ""))
                last = said.strip() or last
                yield said


def disk_problem(engine: Engine, name: str, size_gb: float) -> str:
    """Return why the engine's disk cannot take an image of *size_gb*, empty where it can or nobody knows."""
    free = engine.facts.disk_free_bytes
    if engine.endpoint.is_local and engine.facts.root:
        with contextlib.suppress(OSError):
            free = shutil.disk_usage(engine.facts.root).free
    need = size_gb * _PULL_FACTOR * _GB
    if free is None or free >= need:
        return ""
    return (
        f"{name} needs about {need / _GB:.0f} GB while it is pulled, and {free / _GB:.0f} GB are free in "
        f"{engine.facts.root}"
    )


def site_packages(folder: Path) -> Path:
    """Return the packages of the virtual environment in *folder*."""
    if sys.platform == "win32":
        return folder / "Lib" / "site-packages"
    return next(python_of(folder).parent.parent.glob("lib/python*/site-packages"))


def _ready(image: EngineImage, name: str, source: EngineImage, source_name: str, log: str = "") -> ReadyImage:
    digests = source.attrs.get("RepoDigests") or []
    settings = (image.attrs.get("Config") or {}).get("Env") or []
    return ReadyImage(
        id=str(image.id),
        name=name,
        source=source_name,
        digest=str(digests[0]) if digests else str(source.id),
        variables=dict(entry.partition("=")[::2] for entry in settings),
        build_log=log,
    )
