"""CSV files: one layer a line with its milliseconds (P7), cuDLA's layer statistics."""

from __future__ import annotations

import re
from decimal import Decimal

from harness.evidence.context import Context
from harness.evidence.numbers import printed_number
from harness.evidence.profile_tables import MAX_ROWS
from harness.evidence.record import FileFacts
from harness.evidence.records import LayerTime, LineCount
from harness.evidence.sinks import ProfileHead, Sink
from harness.evidence.source import Source

_HEADER = re.compile(
    rb"\s*\"?(?:layer[_ ]?name|layer|name)\"?\s*,"
    rb"\s*\"?(?P<rest>[a-z_ ,().\"]{0,200}(?:ms|time)[a-z_ ,().\"]{0,200})\s*\Z",
    re.IGNORECASE,
)
_ROW = re.compile(rb"[^,\n][^\n]*,\s*\d{1,12}(?:\.\d{1,20})?(?:[eE][-+]?\d{1,3})?\s*\Z")


class CsvTimes:
    """Reads ``name,ms`` with or without a header, and ``layer_name,start_ms,end_ms`` of cuDLA.

    Names may have commas: numbers are taken from the right. Quotes around a name are taken off.
    """

    def __init__(self, sink: Sink) -> None:
        self.ctx = Context(sink)
        self._rows = 0
        self._columns = 1
        self._span = False

    @staticmethod
    def recognises(head: bytes) -> bool:
        """The first lines are a header of such a file, or three rows of a name and a number."""
        lines = [line for line in head.splitlines()[:50] if line.strip()]
        if not lines or lines[0].startswith(b"["):
            return False
        if _HEADER.match(lines[0]):
            return True
        return len(lines) >= 3 and all(len(line) < 65536 and _ROW.match(line) for line in lines[:3])

    def read(self, source: Source) -> FileFacts:
        """Read all rows; what is no row is ignored."""
        read = used = 0
        for block in source.blocks():
            for line in block:
                read += 1
                used += self._line(line, read, first=read == 1)
        if source.damage is not None:
            self.ctx.warn(read, f"{source.damage}: read up to there")
        elif not source.newline_at_end:
            self.ctx.warn(read, "the file ends without a line end: it may be cut")
        if self._rows:
            self.ctx.found("profile")
            self.ctx.sink.profile(ProfileHead(0, None, None, self._rows))
        kinds = ("profile",) if self._rows else ()
        return FileFacts(kinds, lines=LineCount(read, used))

    def _line(self, line: bytes, number: int, *, first: bool) -> bool:
        header = _HEADER.match(line) if first else None
        if header is not None:
            rest = header.group("rest").lower()
            self._columns = rest.count(b",") + 1
            self._span = b"start" in rest and b"end" in rest and self._columns == 2
            return True
        parts = line.decode("utf-8", "replace").rsplit(",", self._columns)
        numbers = [printed_number(part.strip().strip('"')) for part in parts[1:]]
        if len(numbers) < self._columns or None in numbers or not parts[0].strip():
            if line.strip():
                self.ctx.warn(number, "no row of a name and milliseconds")
            return False
        known = [number for number in numbers if number is not None]
        ms = float(Decimal(repr(known[1])) - Decimal(repr(known[0]))) if self._span else known[0]
        name = parts[0].strip()
        if len(name) > 1 and name[0] == name[-1] and name[0] in "'\"":
            name = name[1:-1]
        if self._rows < MAX_ROWS:
            self.ctx.sink.emit(LayerTime(self._rows, name, average_ms=ms))
            self._rows += 1
        return True
