"""Archives of images as an engine saves them, taken apart and put together again byte by byte.

Only large files (layers) are taken out. What is between them, the skeleton, is kept as it came, so that the
archive that is given to another engine is the one that this engine wrote.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

LARGE = 1 << 16
"""Files of an archive from this size on (bytes) are taken out of it."""

_BLOCK = 512
_CHUNK = 1 << 20


class Reader(Protocol):
    """A stream of bytes that may give fewer than it is asked for."""

    def read(self, size: int, /) -> bytes:
        """Return up to *size* bytes, none at the end."""


class NoArchiveError(ValueError):
    """What an engine sent is no tar archive, or ends in the middle of one."""


def take_apart(
    source: Reader, skeleton: Callable[[bytes], None], large: Callable[[Iterator[bytes]], None]
) -> None:
    """Read an archive to its end and hand on its parts in their order.

    :param skeleton: told headers, small files and padding
    :param large: told the content of each large file; it has to read all of it
    :raises NoArchiveError: it is none, or it ends early
    """
    size_ahead: int | None = None
    while header := _read(source, _BLOCK, end=True):
        kind = header[156:157]
        size = 0 if header == bytes(_BLOCK) else _size(header)
        padding = -size % _BLOCK
        if kind in (b"0", b"\0") and size_ahead is not None:
            size, padding = size_ahead, -size_ahead % _BLOCK
        skeleton(header)
        if kind == b"x":  # says of the next file what does not fit into its header
            said = _read(source, size)
            skeleton(said)
            size_ahead = _pax_size(said)
        elif kind in (b"0", b"\0") and size >= LARGE:
            large(_chunks(source, size))
            size_ahead = None
        else:
            for chunk in _chunks(source, size):
                skeleton(chunk)
            size_ahead = None
        if padding:
            skeleton(_read(source, padding))


def _size(header: bytes) -> int:
    if header[257:262] != b"ustar":
        raise NoArchiveError("no tar archive")
    field = header[124:136]
    if field[0] & 0x80:  # too large for octal digits
        return int.from_bytes(field[1:], "big")
    try:
        return int(field.rstrip(b"\0 ") or b"0", 8)
    except ValueError:
        raise NoArchiveError("a header of the archive is damaged") from None


def _pax_size(said: bytes) -> int | None:
    while said:
        length, _, _ = said.partition(b" ")
        record, said = said[: int(length)], said[int(length) :]
        name, _, value = record.partition(b" ")[2].rstrip(b"\n").partition(b"=")
        if name == b"size":
            return int(value)
    return None


def _chunks(source: Reader, size: int) -> Iterator[bytes]:
    while size:
        chunk = _read(source, min(size, _CHUNK))
        size -= len(chunk)
        yield chunk


def _read(source: Reader, size: int, *, end: bool = False) -> bytes:
    """Return exactly *size* bytes; none where the source may *end* here and does."""
    found = bytearray()
    while len(found) < size:
        chunk = source.read(size - len(found))
        if not chunk:
            if end and not found:
                return b""
            raise NoArchiveError("the archive ends early")
        found += chunk
    return bytes(found)
