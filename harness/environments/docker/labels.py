"""Labels on everything the harness makes, so that it finds it again: after a killed run, and to prune."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import docker.errors
import psutil

from harness.environments.docker.engine import Engine

PREFIX = "io.trtmatrix"
KIND = f"{PREFIX}.kind"
CONTENT = f"{PREFIX}.content"
OWNER = f"{PREFIX}.owner"
RUNTIME = f"{PREFIX}.runtime"
VERSION = f"{PREFIX}.version"
PYTHON = f"{PREFIX}.python"
RECIPE = f"{PREFIX}.recipe"

REPOSITORY = "trtmatrix"
"""First part of the name of every image made here."""

_BOOT = Path("/proc/sys/kernel/random/boot_id")

# Containers of this very process that are in use; all others that carry its owner label were left behind.
_active: set[str] = set()


@cache
def owner() -> str:
    """Return what tells this process from every other, also after a restart of the machine."""
    boot = _BOOT.read_text().strip() if _BOOT.is_file() else f"{psutil.boot_time():.0f}"
    return f"{boot}/{os.getpid()}/{psutil.Process().create_time():.2f}"


def owner_is_alive(label: str) -> bool:
    """Say whether the process that wrote *label* still runs; a label that cannot be read counts as dead."""
    boot, _, rest = label.partition("/")
    pid, _, created = rest.partition("/")
    if boot != owner().partition("/")[0] or not pid.isdigit():
        return False
    try:
        return f"{psutil.Process(int(pid)).create_time():.2f}" == created
    except psutil.Error:
        return False


def mark_active(container: str) -> None:
    """Keep *container* from being swept by this process."""
    _active.add(container)


def mark_done(container: str) -> None:
    """Forget *container*."""
    _active.discard(container)


def sweep(engine: Engine) -> list[str]:
    """Remove containers of runs that are over: their process died, or the engine went away under it.

    :return: names of what was removed
    """
    removed = []
    for container in engine.client.containers.list(all=True, filters={"label": OWNER}, ignore_removed=True):
        label = container.labels.get(OWNER, "")
        if container.id in _active or (label != owner() and owner_is_alive(label)):
            continue
        if remove_container(engine, str(container.id)):
            removed.append(str(container.name))
    return removed


def remove_container(engine: Engine, container: str) -> bool:
    """Remove a container by force, with its anonymous volumes; False where it was gone already."""
    try:
        engine.client.api.remove_container(container, v=True, force=True)
    except docker.errors.NotFound:
        return False
    except docker.errors.APIError as error:
        if error.status_code == 409:  # its removal is in progress
            return False
        raise
    return True


@dataclass(frozen=True)
class OwnImage:
    """An image made by the harness: :param kind: ``image`` or ``base``"""

    id: str
    name: str
    kind: str
    runtime: str
    version: str
    size_bytes: int
    created: str


def name_among(tags: Sequence[str]) -> str:
    """Return the name that the harness gave an image, else the first that it has, else nothing.

    :param tags: in whatever order the engine has them
    """
    own = [tag for tag in tags if tag.startswith(f"{REPOSITORY}/")]
    return next(iter([*own, *tags]), "")


def own_images(engine: Engine) -> list[OwnImage]:
    """Return all images that carry our label, children before the bases they were built on."""
    found = []
    for image in engine.client.images.list(filters={"label": KIND}):
        labels = image.labels
        found.append(
            OwnImage(
                id=str(image.id),
                name=name_among(image.tags) or str(image.short_id),
                kind=labels.get(KIND, ""),
                runtime=labels.get(RUNTIME, ""),
                version=labels.get(VERSION, ""),
                size_bytes=int(image.attrs.get("Size") or 0),
                created=str(image.attrs.get("Created") or ""),
            )
        )
    return sorted(found, key=lambda i: (i.kind == "base", i.name))


def prune(engine: Engine) -> tuple[list[OwnImage], list[tuple[OwnImage, str]]]:
    """Remove our containers whose run is over, then our images; nothing without our label is touched.

    :return: what was removed, and what was kept with the reason (in use by a container)
    """
    sweep(engine)
    removed, kept = [], []
    for image in own_images(engine):
        try:
            tags = engine.client.images.get(image.id).tags
            # A label is inherited: what a user built upon one of ours and named otherwise is the user's.
            foreign = [tag for tag in tags if not tag.startswith(f"{REPOSITORY}/")]
            for tag in tags:
                if tag not in foreign:
                    engine.client.images.remove(tag)
            if foreign:
                kept.append((image, f"it has a name of its own: {foreign[0]}"))
                continue
            # The last tag took the image along, unless it had none.
            engine.client.images.remove(image.id)
        except docker.errors.ImageNotFound:
            removed.append(image)
        except docker.errors.APIError as error:
            kept.append((image, str(error.explanation or error)))
        else:
            removed.append(image)
    return removed, kept
