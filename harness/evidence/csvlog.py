"""CSV files: one layer a line with its milliseconds (P7), cuDLA's layer statistics."""

from __future__ import annotations

import re

from harness.evidence.columns import Columns
from harness.evidence.context import Context
from harness.evidence.layer_names import are_layers
from harness.evidence.profile_tables import MAX_ROWS
from harness.evidence.record import FileFacts
from harness.evidence.records import LineCount
from harness.evidence.sinks import ProfileHead, Sink
from harness.evidence.source import Source

_DELIMITERS = (",", ";", "\t")
_ROW = re.compile(rb"[^,;\t\n][^\n]*[,;\t]\s*\d{1,12}(?:[.,]\d{1,20})?(?:[eE][-+]?\d{1,3})?\s*\Z")
_LONGEST = 65_536


class CsvTimes:
    """Reads tables of layers with a header, or of ``name,ms`` without one where the names are layers'.

    Names may have commas: numbers are taken from the right. A header that comes again begins another engine.
    """

    def __init__(self, sink: Sink) -> None:
        self.ctx = Context(sink)
        self._rows = 0
        self._begins = 1
        self._delimiter = ","
        self._columns = Columns(("average",))

    @staticmethod
    def recognises(head: bytes) -> bool:
        """The first lines are a header of such a file, or three rows of a layer and a number."""
        lines = [line for line in head.splitlines()[:50] if line.strip() and len(line) < _LONGEST]
        if not lines or lines[0].startswith(b"["):
            return False
        if _header(lines[0]) is not None:
            return True
        if len(lines) < 3 or not all(_ROW.match(line) for line in lines[:3]):
            return False
        delimiter = _delimiter_of(lines[0]).encode()
        names = [
            line.rsplit(delimiter, 1)[0].decode("utf-8", "replace") for line in lines if _ROW.match(line)
        ]
        return are_layers(names)

    def read(self, source: Source) -> FileFacts:
        """Read all rows; what is no row is ignored."""
        read = used = 0
        for block in source.blocks():
            for line in block:
                read += 1
                used += self._line(line, read)
        if source.damage is not None:
            self.ctx.warn(read, f"{source.damage}: read up to there")
        elif not source.newline_at_end:
            self.ctx.warn(read, "the file ends without a line end: it may be cut")
        self._end()
        kinds = ("profile",) if "profile" in self.ctx.kinds else ()
        return FileFacts(kinds, engines=self.ctx.engine + 1, lines=LineCount(read, used))

    def _line(self, line: bytes, number: int) -> bool:
        header = _header(line) if len(line) < _LONGEST else None
        if header is not None:
            if self._rows:
                self._end()
                self.ctx.engine += 1
            self._delimiter, self._columns = header
            self._begins = number
            return True
        if number == 1:
            self._delimiter = _delimiter_of(line)
        cells = line.decode("utf-8", "replace").rsplit(self._delimiter, len(self._columns.kinds))
        row = self._columns.row(self._rows, cells, self.ctx.engine)
        if row is None:
            if line.strip():
                self.ctx.warn(number, "no row of a name and milliseconds")
            return False
        if self._rows < MAX_ROWS:
            self.ctx.sink.emit(row)
            self._rows += 1
        return True

    def _end(self) -> None:
        if self._rows:
            self.ctx.found("profile")
            self.ctx.sink.profile(ProfileHead(self.ctx.engine, None, None, self._rows, line=self._begins))
        self._rows = 0


def _header(line: bytes) -> tuple[str, Columns] | None:
    """The delimiter and the columns of a header, None where the line is none."""
    text = line.decode("utf-8", "replace").strip()
    for delimiter in _DELIMITERS:
        columns = Columns.of(text.split(delimiter)) if delimiter in text else None
        if columns is not None:
            return delimiter, columns
    return None


def _delimiter_of(line: bytes) -> str:
    """The delimiter of a row without a header: what stands before its last number."""
    for delimiter in (";", "\t"):
        if delimiter.encode() in line:
            return delimiter
    return ","
