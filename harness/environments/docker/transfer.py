"""Images carried to an engine that no registry reaches: saved in parts here, checked and loaded there."""

from __future__ import annotations

import contextlib
import hashlib
import re
from collections.abc import Iterator, Sequence
from typing import Any

import docker
import docker.errors

from harness.environments.base import Progress
from harness.environments.docker.archive import NoArchiveError, take_apart
from harness.environments.docker.engine import Engine
from harness.environments.docker.errors import ENGINE_ERRORS, text_of
from harness.environments.docker.labels import REPOSITORY
from harness.environments.docker.transfer_parts import Archive, Carried, Content, Folder, Index
from harness.errors import DamagedImagesError, DockerFailedError

# An engine packs and unpacks gigabytes before it answers.
_SECONDS = 3600


def brought_name(recipe: str, runtime: str, version: str) -> str:
    """Return the name under which an image made of wheels elsewhere is found on an engine."""
    tag = re.sub(r"[^A-Za-z0-9_.-]", "_", f"{recipe}-{runtime}-{version}")
    return f"{REPOSITORY}/brought:{tag[:128]}"


class Saving:
    """Saves images into a folder; what is there already and whole is not written again.

    :raises InputError: the folder's index is torn
    """

    def __init__(self, engine: Engine, folder: Folder, progress: Progress) -> None:
        self._engine, self._folder, self._progress = engine, folder, progress
        index = folder.begin()
        self._known = {
            name: content for name, content in index.contents.items() if not folder.problems([content])
        }
        self._archives = [
            archive for archive in index.archives if all(name in self._known for name in _contents(archive))
        ]

    def save(self, names: Sequence[str], *, brought: str = "") -> Archive:
        """Save the images *names* as one archive.

        :param brought: see :class:`Archive`
        :raises UnavailableError: the engine fails
        """
        images = tuple(_carried(self._engine, name) for name in dict.fromkeys(names))
        for archive in self._archives:
            if archive.images == images:
                self._progress(f"{names[0]} is saved already")
                return archive
        self._progress(f"saving {', '.join(image.name for image in images)}")
        try:
            made = _save(self._engine, images, self._folder, self._known, brought)
        except NoArchiveError as error:
            raise DockerFailedError(f"the docker engine sent {names[0]} badly: {error}") from error
        except ENGINE_ERRORS as error:
            raise DockerFailedError(f"{names[0]} was not saved: {text_of(error)}") from error
        own = {image.name for image in images}
        self._archives = [a for a in self._archives if {i.name for i in a.images} != own] + [made]
        self._folder.write_index(Index(tuple(self._archives), self._known))
        return made


def load(engine: Engine, folder: Folder, progress: Progress) -> list[Carried]:
    """Load all images of *folder* that *engine* does not have; return those that were loaded.

    :raises InputError: parts are missing or torn, which are named before anything is loaded
    :raises UnavailableError: the engine refuses them, or has them under other ids
    """
    index = folder.index()
    wanted = [archive for archive in index.archives if not _is_here(engine, archive, progress)]
    needed = dict.fromkeys(name for archive in wanted for name in _contents(archive))
    if lost := [name for name in needed if name not in index.contents]:
        raise DamagedImagesError(folder.path, f"the index lacks the content {lost[0]}")
    if problems := folder.problems([index.contents[name] for name in needed]):
        shown = "; ".join(problems[:5]) + (f"; and {len(problems) - 5} more" if len(problems) > 5 else "")
        raise DamagedImagesError(
            folder.path, f"bring {len(problems)} of its parts once more, nothing was loaded: {shown}"
        )
    for archive in wanted:
        progress(f"loading {', '.join(image.name for image in archive.images)}")
        _load(engine, folder, archive, index)
    for archive in index.archives:
        if archive.brought:
            repository, _, tag = archive.brought.rpartition(":")
            engine.client.images.get(archive.images[-1].id).tag(repository, tag)
    return [image for archive in wanted for image in archive.images]


def _carried(engine: Engine, name: str) -> Carried:
    image = engine.client.images.get(name)
    digests = image.attrs.get("RepoDigests") or [""]
    return Carried(name, str(image.id), str(digests[0]))


def _save(
    engine: Engine, images: Sequence[Carried], folder: Folder, known: dict[str, Content], brought: str
) -> Archive:
    pieces: list[bytes] = []
    segments: list[int | str] = []
    digest, total = hashlib.sha256(), 0

    def count(data: bytes) -> bytes:
        nonlocal total
        digest.update(data)
        total += len(data)
        return data

    def skeleton(data: bytes) -> None:
        pieces.append(count(data))
        if segments and isinstance(segments[-1], int):
            segments[-1] += len(data)
        else:
            segments.append(len(data))

    def large(chunks: Iterator[bytes]) -> None:
        segments.append(folder.add(map(count, chunks), known))

    api: Any = engine.client.api
    answer = api.get(
        f"{api.base_url}/v{api.api_version}/images/get",
        params={"names": [image.name for image in images]},
        stream=True,
        timeout=_SECONDS,
    )
    with contextlib.closing(answer):
        if not answer.ok:
            raise DockerFailedError(f"{images[0].name} was not saved: {answer.text.strip()}")
        take_apart(answer.raw, skeleton, large)
    kept = folder.add(iter([b"".join(pieces)]), known)
    return Archive(tuple(images), total, digest.hexdigest(), kept, tuple(segments), brought)


def _contents(archive: Archive) -> list[str]:
    layers = [segment for segment in archive.segments if isinstance(segment, str)]
    return [archive.skeleton, *dict.fromkeys(layers)]


def _is_here(engine: Engine, archive: Archive, progress: Progress) -> bool:
    for image in archive.images:
        try:
            if engine.client.images.get(image.name).id != image.id:
                return False
        except docker.errors.ImageNotFound:
            return False
    progress(f"{archive.images[0].name} is here already")
    return True


def _load(engine: Engine, folder: Folder, archive: Archive, index: Index) -> None:
    digest = hashlib.sha256()

    def stream() -> Iterator[bytes]:
        for chunk in folder.archive(archive, index):
            digest.update(chunk)
            yield chunk

    name = archive.images[0].name
    patient = docker.APIClient(
        base_url=engine.endpoint.url, tls=engine.endpoint.tls or False, version="auto", timeout=_SECONDS
    )
    try:
        answer: Any = patient.load_image(stream(), quiet=False)  # type: ignore[no-untyped-call]
        for line in answer or ():
            if line.get("error"):
                raise DockerFailedError(f"the docker engine refuses {name}: {line['error']}")
    except ENGINE_ERRORS as error:
        raise DockerFailedError(f"{name} was not loaded: {text_of(error)}") from error
    finally:
        patient.close()
    if digest.hexdigest() != archive.sha256:
        raise DamagedImagesError(folder.path, f"{name} changed while it was loaded: another digest")
    for image in archive.images:
        found = engine.client.images.get(image.name)
        if found.id != image.id:
            raise DockerFailedError(f"{image.name} was saved as {image.id} and is here as {found.id}")
