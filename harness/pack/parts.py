"""Parts: the archive of a pack cut into files that a transfer can carry; ``cat`` joins them again."""

from __future__ import annotations

import hashlib
import io
import re
import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import BadOptionError

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

ARCHIVE = "trtmatrix-pack"
"""Name of the folder that unpacking makes, and stem of the parts."""

CHECKSUMS = f"{ARCHIVE}.sha256"
_UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9}


def part_bytes(text: str) -> int:
    """Return the bytes of a size such as ``60M`` (decimal units, as transfer limits are stated).

    :raises UsageError: no number with an optional K, M or G, or less than 1 MB
    """
    found = re.fullmatch(r"(\d+)([KMG]?)B?", text.strip().upper())
    size = int(found.group(1)) * _UNITS[found.group(2)] if found else 0
    if size < 10**6:
        raise BadOptionError(f"part size '{text}': expected a size of 1M or more, such as 60M")
    return size


class Cutter(io.RawIOBase):
    """A binary stream that is written on as *size*-byte files ``trtmatrix-pack.part000`` ... in *folder*."""

    def __init__(self, folder: Path, size: int) -> None:
        super().__init__()
        self._folder, self._size, self._left = folder, size, 0
        self.parts: list[Path] = []
        self._digests: list[str] = []
        self._hash = hashlib.sha256()

    def writable(self) -> bool:
        """Say that it is written to."""
        return True

    def write(self, data: ReadableBuffer) -> int:
        """Write *data*, into as many parts as it takes."""
        view = memoryview(data)
        written = len(view)
        while view:
            if not self._left:
                self._next()
            piece = view[: self._left]
            with self.parts[-1].open("ab") as part:
                part.write(piece)
            self._hash.update(piece)
            self._left -= len(piece)
            view = view[len(piece) :]
        return written

    def finish(self) -> None:
        """Write the checksums in the form that ``sha256sum -c`` reads."""
        self._digest()
        lines = [f"{digest}  {part.name}\n" for digest, part in zip(self._digests, self.parts, strict=True)]
        (self._folder / CHECKSUMS).write_text("".join(lines), encoding="ascii")

    def _next(self) -> None:
        self._digest()
        self.parts.append(self._folder / f"{ARCHIVE}.part{len(self.parts):03d}")
        self._left, self._hash = self._size, hashlib.sha256()

    def _digest(self) -> None:
        if self.parts:
            self._digests.append(self._hash.hexdigest())


def write_parts(root: Path, members: Sequence[str], folder: Path, size: int) -> list[Path]:
    """Write *members* of *root*, in this order, as a tar cut into parts of *size* bytes in *folder*.

    The order matters: what comes first can be unpacked, and used, before the rest has arrived.
    """
    cutter = Cutter(folder, size)
    with tarfile.open(fileobj=cutter, mode="w|", format=tarfile.GNU_FORMAT, bufsize=1 << 20) as archive:
        for member in members:
            archive.add(root / member, arcname=f"{ARCHIVE}/{member}", filter=_plain)
    cutter.finish()
    return cutter.parts


def _plain(info: tarfile.TarInfo) -> tarfile.TarInfo:
    info.uid = info.gid = info.mtime = 0
    info.uname = info.gname = ""
    return info
