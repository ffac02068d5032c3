"""``docker``: each version in a container of its own, confined, on the engine docker itself would use."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from harness.distribution import hookimpl
from harness.environments.base import (
    Availability,
    Check,
    Environment,
    Prepared,
    Progress,
    VersionRow,
    availability_of,
)
from harness.environments.docker.catalogue import catalogue
from harness.environments.docker.recipes import Choice
from harness.environments.docker.settings import DockerSettings
from harness.environments.needs import RuntimeNeeds
from harness.errors import ImageUnavailableError, UnavailableError, UsageError

if TYPE_CHECKING:
    from harness.environments.docker.engine import Engine
    from harness.environments.docker.images import ReadyImage


class DockerEnvironment(Environment):
    """Containers of NGC images, and of images made from wheels.

    What talks to an engine is loaded when one is asked for: every command registers this, and few use it.

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
            from harness.environments.docker.engine import connect
            from harness.environments.docker.labels import sweep

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
        from harness.environments.docker.checks import docker_checks

        try:
            choice = catalogue().choose(runtime.name, version)
        except UsageError as error:
            return (Check("catalogue", "unsupported", str(error)),)
        name = choice.image.name if choice.image is not None else f"recipe {choice.recipe.name}"
        basis = f" ({choice.image.basis})" if choice.image is not None else _stand_in(choice)
        chosen = Check("catalogue", "ok", name + basis)
        try:
            engine = self.engine()
        except UnavailableError as error:
            return (chosen, Check("engine", "unavailable", str(error), "start a docker engine"))
        return (chosen, *docker_checks(engine, choice, runtime, version, self.settings, registry=True))

    def availability(self, runtime: RuntimeNeeds, version: str) -> Availability:
        """Say whether *version* can run in a container here; an image to be pulled counts as there."""
        from harness.environments.docker.checks import docker_checks

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
        from harness.environments.docker.image_facts import differences, read_facts
        from harness.environments.docker.images import Images
        from harness.environments.docker.prepared import PreparedContainer

        try:
            choice = catalogue().choose(runtime.name, version)
        except UsageError as error:
            raise ImageUnavailableError(str(error)) from error
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


def _stand_in(choice: Choice) -> str:
    return f" (stand-in of {choice.recipe.stand_in}, not NGC)" if choice.recipe.stand_in else ""


def _facts(
    image: ReadyImage, choice: Choice, held: Mapping[str, Any], odd: Sequence[str]
) -> dict[str, object]:
    """Return what is kept of an image with every build: its content wins over the catalogue's words."""
    from harness.environments.docker.image_facts import summary

    return {
        **held,
        **{f"image_{name}": value for name, value in summary(held).items()},
        "image": image.source,
        "image_built": image.name,
        "image_id": image.id,
        "image_digest": image.digest,
        "image_basis": choice.image.basis
        if choice.image is not None
        else _stand_in(choice).strip() or "read inside",
        "catalogue_differences": list(odd),
        "build_log": image.build_log,
    }


@hookimpl
def trtmatrix_environments() -> Sequence[Environment]:
    """Register the environment of containers."""
    return [DockerEnvironment()]
