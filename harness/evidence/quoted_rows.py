"""Rows of a ``--dumpProfile`` table whose title, header and total were left out when they were quoted.

A row alone is any line with numbers. Two are a profile where they have the decimals of such a table and one
number of iterations explains the time and the average of each.
"""

from __future__ import annotations

import re

from harness.evidence.context import Context
from harness.evidence.numbers import printed_number
from harness.evidence.records import LayerTime

_MAX_ROWS = 100_000
_SHAPE = re.compile(rb"\d{1,12}[.,]\d\d \d{1,9}[.,](\d\d|\d{4})( \d{1,9}[.,]\d{4})? \d{1,3}[.,]\d\Z")


class QuotedRows:
    """Collects such rows; :meth:`take` gives them back where they are a profile."""

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx
        self._clear()

    def _clear(self) -> None:
        self._rows: list[LayerTime] = []
        self._layout: tuple[bool, int] | None = None
        self._ends = (0.0, float("inf"))
        self.total: float | None = None
        self.line = 0
        self._interrupted = False

    def interrupt(self) -> None:
        """Another line came between."""
        self._interrupted = True

    def row(self, content: bytes, number: int) -> bool | None:
        """Take a line if it is a row of the table being collected.

        :returns: None where it is a row, but of another table: take this one first
        """
        found = _split(content)
        if found is None:
            return False
        name_last, name, columns = found
        time, average = columns[0], columns[1]
        ends = (time - 0.0051) / (average + _half(columns, content)), float("inf")
        if average > _half(columns, content):
            ends = ends[0], (time + 0.0051) / (average - _half(columns, content))
        ends = max(self._ends[0], ends[0]), min(self._ends[1], ends[1])
        again = self._interrupted and bool(self._rows) and self._rows[0].name == name
        if self._rows and (again or (name_last, len(columns)) != self._layout or ends[0] > ends[1]):
            return None
        if ends[0] > ends[1] or len(self._rows) >= _MAX_ROWS:
            return False
        if not self._rows:
            self.line, self._layout = number, (name_last, len(columns))
        self._ends, self._interrupted = ends, False
        if name == "Total":
            self.total = time
            return None if self._rows else False
        median = columns[2] if len(columns) == 4 else None
        self._rows.append(LayerTime(len(self._rows), name, time, average, median, percent=columns[-1]))
        return True

    def take(self) -> tuple[list[LayerTime], float | None, int]:
        """The rows, the total and the first line of what was collected; no rows where they are no profile."""
        rows, total, line, layout = self._rows, self.total, self.line, self._layout
        self._clear()
        if len(rows) < 2 or layout is None:
            if rows:
                self.ctx.refuse("one row of a profile table, but no header and no other row to tell it by")
            self.ctx.dropped += len(rows)
            return [], None, line
        columns = "time, average, share" if layout[1] == 3 else "time, average, median, share"
        text = f"{columns}, layer" if layout[0] else f"layer, {columns}"
        self.ctx.warn(line, f"rows of a profile table without its header, read as {text}; it may be a part")
        return rows, total, line


def _split(content: bytes) -> tuple[bool, str, list[float]] | None:
    """Whether the name stands last, the name, and the numbers: time, average, median if any, share."""
    if content.rstrip()[-1:].isdigit():
        for count in (4, 3):
            parts = content.rsplit(None, count)
            shape = _SHAPE.match(b" ".join(parts[1:]))
            if len(parts) == count + 1 and shape is not None and (count == 4) == bool(shape.group(2)):
                return False, parts[0].decode("utf-8", "replace").strip(), _numbers(parts[1:])
    parts = content.split(None, 4)
    if len(parts) == 5 and (shape := _SHAPE.match(b" ".join(parts[:4]))) is not None and shape.group(2):
        return True, parts[4].decode("utf-8", "replace").rstrip(), _numbers(parts[:4])
    return None


def _numbers(parts: list[bytes]) -> list[float]:
    return [printed_number(part) or 0.0 for part in parts]


def _half(columns: list[float], content: bytes) -> float:
    """Half a unit of the last place of the average: 7.0 prints it with two decimals."""
    return 0.0051 if len(columns) == 3 and re.search(rb"[.,]\d\d\s+\d{1,3}[.,]\d\s*\Z", content) else 0.000051
