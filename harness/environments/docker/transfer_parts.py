"""The folder in which images are carried: an index, and contents by their digest, each in parts."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from harness.errors import DamagedImagesError, NoSuchFileError

INDEX = "images.json"
SUMS = "SHA256SUMS"
_LAYERS = "layers"
_NEW = "new"
_CHUNK = 1 << 20


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file: its path in the folder, size in bytes and SHA-256."""

    file: str
    bytes: int
    sha256: str


class Content(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A layer, or a skeleton: :param bytes: of all its parts together"""

    bytes: int
    parts: tuple[Part, ...]


class Carried(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An image: :param id: as the engine has it; :param digest: of the registry, where it has one"""

    name: str
    id: str
    digest: str = ""


class Archive(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an engine saved at once.

    :param skeleton: SHA-256 of the content between the layers
    :param segments: bytes of the skeleton, or the SHA-256 of a layer, one after the other
    :param brought: name under which an image made of wheels is found on the other side, else empty
    """

    images: tuple[Carried, ...]
    bytes: int
    sha256: str
    skeleton: str
    segments: tuple[int | str, ...]
    brought: str = ""


class Index(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a folder holds: archives, and contents by their SHA-256."""

    archives: tuple[Archive, ...] = ()
    contents: dict[str, Content] = {}
    schema: str = "trtmatrix.images/1"


class Folder:
    """A folder of carried images: :param part_bytes: size of the largest part that is written"""

    def __init__(self, path: Path, part_bytes: int = 0) -> None:
        self.path, self._part_bytes = path, part_bytes

    def index(self) -> Index:
        """Return the index.

        :raises InputError: there is none, or it is torn
        """
        try:
            data = (self.path / INDEX).read_bytes()
        except OSError:
            raise NoSuchFileError(
                self.path / INDEX, "not found: no folder that 'images save' wrote"
            ) from None
        try:
            return msgspec.json.decode(data, type=Index)
        except msgspec.DecodeError as error:
            raise DamagedImagesError(self.path / INDEX, f"damaged: {error}") from None

    def write_index(self, index: Index) -> None:
        """Replace the index in one step, and the list of sums that ``sha256sum -c`` reads."""
        parts = sorted(
            (part for content in index.contents.values() for part in content.parts), key=lambda p: p.file
        )
        text = msgspec.json.format(msgspec.json.encode(index), indent=1)
        new = self.path / f"{INDEX}.{_NEW}"
        new.write_bytes(text)
        new.replace(self.path / INDEX)
        own = f"{hashlib.sha256(text).hexdigest()}  {INDEX}\n"
        lines = own + "".join(f"{part.sha256}  {part.file}\n" for part in parts)
        (self.path / SUMS).write_text(lines, encoding="ascii")

    def begin(self) -> Index:
        """Return the index that is there, or an empty one; what an interrupted save left is removed.

        :raises InputError: the index is torn
        """
        (self.path / _LAYERS).mkdir(parents=True, exist_ok=True)
        for left in (self.path / _LAYERS).glob(f"{_NEW}.*"):
            left.unlink()
        return self.index() if (self.path / INDEX).exists() else Index()

    def add(self, chunks: Iterable[bytes], known: dict[str, Content]) -> str:
        """Keep a content, once however often it comes; return its SHA-256.

        :param known: what is there already; the new content is added
        """
        whole, parts = hashlib.sha256(), []
        for number, part in enumerate(_cut(chunks, self._part_bytes)):
            digest, size = hashlib.sha256(), 0
            with (self.path / _LAYERS / f"{_NEW}.part{number:03d}").open("wb") as stream:
                for piece in part:
                    stream.write(piece)
                    digest.update(piece)
                    whole.update(piece)
                    size += len(piece)
            parts.append((size, digest.hexdigest()))
        name = whole.hexdigest()
        made = []
        for number, (size, sha256) in enumerate(parts):
            new = self.path / _LAYERS / f"{_NEW}.part{number:03d}"
            file = f"{_LAYERS}/{name[:32]}.part{number:03d}"
            if name in known:
                new.unlink()
            else:
                new.replace(self.path / file)
            made.append(Part(file, size, sha256))
        known.setdefault(name, Content(sum(size for size, _ in parts), tuple(made)))
        return name

    def problems(self, contents: Iterable[Content]) -> list[str]:
        """Return one line for each part of *contents* that is missing, torn or changed."""
        parts = {part.file: part for content in contents for part in content.parts}
        return [said for part in parts.values() if (said := self._problem(part))]

    def read(self, content: Content) -> Iterator[bytes]:
        """Yield a content, part by part."""
        for part in content.parts:
            with (self.path / part.file).open("rb") as stream:
                while chunk := stream.read(_CHUNK):
                    yield chunk

    def archive(self, archive: Archive, index: Index) -> Iterator[bytes]:
        """Yield an archive as the engine wrote it."""
        skeleton, at = b"".join(self.read(index.contents[archive.skeleton])), 0
        for segment in archive.segments:
            if isinstance(segment, int):
                yield skeleton[at : at + segment]
                at += segment
            else:
                yield from self.read(index.contents[segment])

    def _problem(self, part: Part) -> str:
        path = self.path / part.file
        try:
            size = path.stat().st_size
            if size != part.bytes:
                return f"{part.file} has {size} of {part.bytes} bytes"
            with path.open("rb") as stream:
                digest = hashlib.file_digest(stream, "sha256").hexdigest()
        except FileNotFoundError:
            return f"{part.file} is missing"
        except OSError as error:
            return f"{part.file} cannot be read: {error.strerror}"
        return "" if digest == part.sha256 else f"{part.file} has another digest than it was written with"


def _cut(chunks: Iterable[bytes], size: int) -> Iterator[Iterator[bytes]]:
    """Yield *chunks* as parts of *size* bytes, each of which has to be read before the next."""
    source = iter(chunks)
    rest = next(source, b"")

    def part() -> Iterator[bytes]:
        nonlocal rest
        left = size
        while left and rest:
            yield rest[:left]
            rest, left = rest[left:], left - len(rest[:left])
            rest = rest or next(source, b"")

    while rest:
        yield part()
