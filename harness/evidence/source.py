"""Bytes of a file in pieces of bounded size: decompressed, as lines, with what went wrong on the way.

gzip and zstd are recognised by their first bytes, UTF-16 (a redirected PowerShell) by its byte order mark.
NUL bytes and colour codes are taken out; ``\\r\\n`` and a lone ``\\r`` end a line like ``\\n``.
"""

from __future__ import annotations

import codecs
import re
import zlib
from collections.abc import Callable, Iterator
from typing import BinaryIO

import zstandard

CHUNK = 1 << 20
_LATER = 1 << 18  # what is read after the head of a file: it fits into a cache
MAX_LINE = 4 << 20
"""A line longer than this is read in pieces of this size (names of DLA subgraphs have thousands of bytes)."""

_ZSTD_PIECE = 2048  # a piece this small can unpack to 64 MiB at the very worst
_ANSI = re.compile(rb"\x1b(?:\[[0-9;?]*[A-Za-z]?|\][^\x07\x1b]{0,200}\x07|[()][AB0])")


class Source:
    """The content of one file, read once.

    :param stream: the file, opened for bytes
    :ivar damage: why the content ends early, None where it does not
    :ivar newline_at_end: the last line is ended
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.damage: str | None = None
        self.newline_at_end = True
        self.long_lines = 0
        self._chunks = self._decode(self._unpack())

    def chunks(self) -> Iterator[bytes]:
        """The content as UTF-8 in pieces of about :data:`CHUNK` bytes; can be consumed once."""
        return self._chunks

    def push_back(self, head: bytes) -> None:
        """Put back what was read to recognise the format."""
        self._chunks = _before(head, self._chunks)

    def strip_lines(self, strip: Callable[[bytes], bytes]) -> None:
        """Put every line through *strip* on its way."""
        self._chunks = self._stripped(self._chunks, strip)

    @staticmethod
    def _stripped(chunks: Iterator[bytes], strip: Callable[[bytes], bytes]) -> Iterator[bytes]:
        tail = b""
        for chunk in chunks:
            data = tail + chunk
            cut = data.rfind(b"\n") + 1
            if not cut and len(data) > MAX_LINE:
                cut = len(data)
            tail = data[cut:]
            if cut:
                yield b"\n".join([strip(line.removesuffix(b"\r")) for line in data[:cut].split(b"\n")])
        if tail:
            yield strip(tail)

    def texts(self) -> Iterator[bytes]:
        """The content in pieces of whole lines, each line but the last of a piece with its end.

        The end of a line is ``\\n`` whatever it was in the file; the last line of the last piece may be cut.
        """
        tail = b""
        for chunk in self._chunks:
            data = tail + (chunk.replace(b"\0", b"") if b"\0" in chunk else chunk)
            cut = data.rfind(b"\n")
            if cut < 0 and len(data) > MAX_LINE:
                self.long_lines += 1
                cut = MAX_LINE
                yield _normal(data[:cut])
                tail = data[cut:]
            elif cut < 0:
                tail = data
            else:
                tail = data[cut + 1 :]
                yield _normal(data[:cut])
        if tail:
            self.newline_at_end = False
            yield _normal(tail)

    def blocks(self) -> Iterator[list[bytes]]:
        """:meth:`texts` as lists of lines."""
        for text in self.texts():
            yield text.split(b"\n")

    def _unpack(self) -> Iterator[bytes]:
        first = self._stream.read(CHUNK)
        if first.startswith(b"\x1f\x8b"):
            yield from self._gzip(first)
        elif first.startswith(b"\x28\xb5\x2f\xfd"):
            yield from self._zstd(first)
        else:
            while first:
                yield first
                first = self._stream.read(_LATER)

    def _gzip(self, data: bytes) -> Iterator[bytes]:
        member = zlib.decompressobj(31)
        try:
            while data:
                yield member.decompress(data, CHUNK)
                data = member.unconsumed_tail
                if member.eof:
                    data = member.unused_data.lstrip(b"\0") or self._stream.read(CHUNK).lstrip(b"\0")
                    if data:
                        member = zlib.decompressobj(31)
                        continue
                    return
                data = data or self._stream.read(CHUNK)
            self.damage = "the gzip data ends early"
        except zlib.error as error:
            self.damage = f"the gzip data is damaged ({error})"

    def _zstd(self, data: bytes) -> Iterator[bytes]:
        frame = zstandard.ZstdDecompressor().decompressobj()
        try:
            while data:
                for start in range(0, len(data), _ZSTD_PIECE):
                    piece = data[start : start + _ZSTD_PIECE]
                    while piece:
                        if frame.eof:
                            frame = zstandard.ZstdDecompressor().decompressobj()
                        yield frame.decompress(piece)
                        piece = frame.unused_data if frame.eof else b""
                data = self._stream.read(CHUNK)
            if not frame.eof:
                self.damage = "the zstd data ends early"
        except zstandard.ZstdError as error:
            self.damage = f"the zstd data is damaged ({error})"

    def _decode(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        for chunk in chunks:
            if not chunk:
                continue
            if chunk.startswith((b"\xff\xfe", b"\xfe\xff")):
                decoder = codecs.getincrementaldecoder("utf-16")("replace")
                yield decoder.decode(chunk).encode("utf-8", "replace")
                for later in chunks:
                    yield decoder.decode(later).encode("utf-8", "replace")
            else:
                yield chunk.removeprefix(b"\xef\xbb\xbf")
                yield from chunks


def without_colours(line: bytes) -> bytes:
    """The line without the control sequences of a terminal."""
    return _ANSI.sub(b"", line) if b"\x1b" in line else line


def _before(head: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield head
    yield from rest


def _normal(data: bytes) -> bytes:
    """Lines ended by ``\\n``, without the colours of a terminal."""
    if b"\r" in data:
        data = data.removesuffix(b"\r").replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return _ANSI.sub(b"", data) if b"\x1b" in data else data
