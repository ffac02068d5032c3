"""Which images a version runs in, for carrying them to another engine."""

from __future__ import annotations

from harness.environments.base import Progress
from harness.environments.docker.catalogue import catalogue
from harness.environments.docker.engine import Engine
from harness.environments.docker.images import Images
from harness.environments.docker.settings import DockerSettings
from harness.environments.docker.transfer import brought_name
from harness.environments.needs import RuntimeNeeds


def needed_images(
    engine: Engine, settings: DockerSettings, runtime: RuntimeNeeds, version: str, progress: Progress
) -> tuple[list[str], str]:
    """Make the images of *version* ready and return their names, the one that runs last.

    :return: names, and the name under which an image of wheels is found elsewhere (empty for listed ones)
    :raises UsageError: no recipe has *version*
    :raises UnavailableError: an image cannot be pulled or built
    """
    choice = catalogue().choose(runtime.name, version)
    ready = Images(engine, settings, progress).ready(choice, runtime, version)
    brought = "" if choice.image is not None else brought_name(choice.recipe.name, runtime.name, version)
    # An image of wheels stands alone: its base is made of a Python that the other machine may not have.
    names = [ready.source, ready.name] if choice.image is not None else [ready.name]
    return list(dict.fromkeys(names)), brought
