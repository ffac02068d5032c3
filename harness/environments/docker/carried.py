"""Which images versions run in, and all of them saved for another engine."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from harness.environments.base import Progress
from harness.environments.docker.catalogue import catalogue
from harness.environments.docker.engine import Engine
from harness.environments.docker.images import Images
from harness.environments.docker.settings import DockerSettings
from harness.environments.docker.transfer import Saving, brought_name
from harness.environments.docker.transfer_parts import Carried, Folder
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


@dataclass(frozen=True)
class Saved:
    """Images that a folder holds now.

    :param parts: of the whole folder; :param bytes: of all its parts together
    """

    images: tuple[Carried, ...]
    parts: int
    bytes: int


def save_needed(
    engine: Engine,
    settings: DockerSettings,
    versions: Iterable[tuple[RuntimeNeeds, str]],
    folder: Folder,
    progress: Progress,
) -> Saved:
    """Save what *versions* run in: images of the catalogue, and what is made of them here.

    :raises InputError: the folder's index is torn
    :raises UsageError: no recipe has a version
    :raises UnavailableError: an image cannot be pulled or built, or the engine fails
    """
    saving = Saving(engine, folder, progress)
    images: dict[str, Carried] = {}
    for runtime, version in versions:
        names, brought = needed_images(engine, settings, runtime, version, progress)
        images.update({image.name: image for image in saving.save(names, brought=brought).images})
    parts = {part.file: part.bytes for c in folder.index().contents.values() for part in c.parts}
    return Saved(tuple(images.values()), len(parts), sum(parts.values()))
