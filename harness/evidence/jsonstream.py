"""JSON read piece by piece: one element of a list or one value of an object at a time, up to a cut."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from json.decoder import JSONDecodeError

from harness.evidence.source import Source

_BLANKS = re.compile(r"[ \t\n\r]*")
_MAX_VALUE = 16 << 20
# trtexec does not escape names: a quote or a backslash in one breaks its own export
_PROFILE_ROW = re.compile(
    r'\{\s*"name"\s*:\s*"(?P<name>[^\n]{0,65536}?)"\s*,\s*(?P<rest>"timeMs"\s*:[^{}"]*(?:"\w+"\s*:[^{}"]*)*\})'
)


class JsonCutError(Exception):
    """The file ends inside the JSON. :ivar line: the line it ends in, from 1"""

    def __init__(self, line: int) -> None:
        super().__init__(line)
        self.line = line


class JsonBrokenError(Exception):
    """The text is no JSON from here on. :ivar line: the line, from 1"""

    def __init__(self, line: int) -> None:
        super().__init__(line)
        self.line = line


class JsonStream:
    """Steps through one JSON document.

    :ivar lines: line ends passed so far
    """

    def __init__(self, source: Source) -> None:
        self._chunks = source.chunks()
        self._text = codecs.getincrementaldecoder("utf-8")("replace")
        # TensorRT 8.6.0 joins the metadata of a fused layer with a bare U+001E, which strict JSON refuses.
        self._decoder = json.JSONDecoder(parse_int=_whole, parse_constant=_nothing, strict=False)
        self._buffer, self._at = "", 0
        self.lines = 0
        self.ended = False
        self.newline_at_end = True

    def _more(self) -> bool:
        """Read on; False at the end of the file."""
        chunk = next(self._chunks, None)
        if chunk is None:
            self.ended = True
            return False
        chunk = chunk.replace(b"\0", b"")
        self.lines += self._buffer.count("\n", 0, self._at)
        self._buffer = self._buffer[self._at :] + self._text.decode(chunk)
        self._at = 0
        self.newline_at_end = chunk.endswith(b"\n")
        return True

    @property
    def line(self) -> int:
        """The line that comes next, from 1."""
        return self.lines + self._buffer.count("\n", 0, self._at) + 1

    def count_lines(self) -> int:
        """Lines of the whole file: what is left is read and forgotten."""
        while not self.ended:
            self._at = len(self._buffer)
            self._more()
        total = self.lines + self._buffer.count("\n")
        return total if self.newline_at_end else total + 1

    def peek(self) -> str:
        """The next character that is no blank, empty at the end of the file."""
        while True:
            blanks = _BLANKS.match(self._buffer, self._at)
            self._at = blanks.end() if blanks else self._at
            if self._at < len(self._buffer):
                return self._buffer[self._at]
            if self.ended or not self._more():
                return ""

    def take(self, expected: str) -> None:
        """Step over one character.

        :raises JsonCutError: the file ends; :raises JsonBrokenError: another character stands here
        """
        found = self.peek()
        if not found:
            raise JsonCutError(self.line)
        if found not in expected:
            raise JsonBrokenError(self.line)
        self._at += 1

    def value(self) -> object:
        """The next value, whole.

        :raises JsonCutError: the file ends inside it; :raises JsonBrokenError: it is no JSON
        """
        if not self.peek():
            raise JsonCutError(self.line)
        while True:
            try:
                found, end = self._decoder.raw_decode(self._buffer, self._at)
            except JSONDecodeError:
                if not self.ended and len(self._buffer) - self._at < _MAX_VALUE and self._more():
                    continue
                return self._repaired()
            except RecursionError:
                raise JsonBrokenError(self.line) from None
            if end == len(self._buffer) and not self.ended and self._more():
                continue
            self._at = end
            return found

    def _repaired(self) -> object:
        """A row of a profile whose name has quotes or backslashes in it."""
        match = _PROFILE_ROW.match(self._buffer, self._at)
        if match is not None:
            try:
                row = self._decoder.decode("{" + match.group("rest"))
            except (ValueError, RecursionError):
                row = None
            if isinstance(row, dict):
                self._at = match.end()
                return {"name": match.group("name"), **row}
        # an opening that never closes is a cut, a character that cannot stand here is damage
        try:
            self._decoder.decode(self._buffer[self._at :])
        except JSONDecodeError as error:
            rest = len(self._buffer) - self._at
            if self.ended and (error.pos >= rest - 8 or "Unterminated" in error.msg):
                raise JsonCutError(self.line) from None
        except (RecursionError, ValueError):
            pass
        raise JsonBrokenError(self.line)

    def elements(self) -> Iterator[object]:
        """The elements of the list that begins here."""
        self.take("[")
        if self.peek() == "]":
            self.take("]")
            return
        while True:
            yield self.value()
            if self.peek() == "]":
                self.take("]")
                return
            self.take(",")

    def members(self) -> Iterator[str]:
        """The keys of the object that begins here; the caller reads each value before it goes on."""
        self.take("{")
        if self.peek() == "}":
            self.take("}")
            return
        while True:
            key = self.value()
            if not isinstance(key, str):
                raise JsonBrokenError(self.line)
            self.take(":")
            yield key
            if self.peek() == "}":
                self.take("}")
                return
            self.take(",")


def _whole(text: str) -> float:
    """An integer; one with hundreds of digits is no count of anything."""
    return int(text) if len(text) < 40 else float(text[:400])


def _nothing(text: str) -> None:
    """``NaN`` and ``Infinity`` are no measurements."""
    del text
