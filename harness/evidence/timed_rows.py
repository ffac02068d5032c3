"""Rows of a name and milliseconds (P1), held until something says that they are a profile.

What says so: the line with their total, names in 40 columns as NVIDIA's samples print them, or names that
only layers have. Timers and options of an application look the same and are none.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from harness.evidence.context import Context
from harness.evidence.layer_names import are_layers, is_layer
from harness.evidence.numbers import printed_number
from harness.evidence.profile_tables import MAX_ROWS
from harness.evidence.records import LayerTime

_EXACT = re.compile(rb"(?P<name>.{40}) +(?P<ms>\d{1,12}[.,]\d{3})ms\s*\Z", re.DOTALL)
_SPACED = re.compile(
    rb"(?:\s*:\s*|\s+|\s*=\s*)(?P<ms>\d{1,12}(?:[.,]\d{1,12})?(?:[eE][-+]?\d{1,3})?)\s?ms\s*\Z"
)
_GLUED = re.compile(rb"(?P<ms>\d\.\d{3})ms\s*\Z")
_NO_LAYER = re.compile(
    rb"(?:.*[:,] )?(?:min|max|mean|median|percentile|latency|time|total|walltime)\b"
    rb"|(?:sleep|idle|warm ?up|spin|duration)\b.{0,20}\Z",
    re.IGNORECASE,
)
_LEAD = re.compile(r"layer:?\s+", re.IGNORECASE)
_VERB = re.compile(
    r"\s+(?:consuming|consumes?|takes?|took|costs?|spent|time|runs?(?: in)?|elapsed)$", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Found:
    """One profile: its rows, the printed total or None, the line that it begins in."""

    rows: list[LayerTime]
    total: float | None
    line: int


@dataclass(frozen=True, slots=True)
class _Row:
    name: bytes
    ms: float
    line: int
    exact: bool


class TimedRows:
    """Collects rows until a total, the end, or rows of another layout."""

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx
        self._rows: list[_Row] = []
        self._total: float | None = None
        self._total_line = 0
        self._found: Found | None = None

    @property
    def full(self) -> bool:
        """As many rows as are kept; they must be taken now. Or rows that came to their end."""
        return len(self._rows) >= MAX_ROWS or self._found is not None

    def row(self, content: bytes, number: int) -> bool:
        """A line that may be a row."""
        match = _EXACT.match(content)
        exact = match is not None and bool(match.group("name").strip())
        if not exact:
            match = _SPACED.search(content) or _GLUED.search(content)
            if match is None or (self._rows and self._rows[-1].exact):
                return False
        assert match is not None
        name = content[:40] if exact else content[: match.start()]
        name, ms = name.strip(), printed_number(match.group("ms"))
        if ms is None or not name or _NO_LAYER.match(name) or (b" CPU " in name and name.endswith(b"CUDA")):
            return False
        if self._rows and exact and not self._rows[-1].exact:
            if self._total is not None:  # announced, and these are the rows that it is of
                self.ctx.dropped += len(self._rows)
                self._rows = []
            else:
                self._end(None)
        self._rows.append(_Row(name, ms, number, exact))
        return True

    def total(self, value: float, number: int) -> bool:
        """The line with the total: it closes the rows above, or announces those below; True: it closes."""
        if self._rows and self._total is None:
            self._end(value)
            return True
        self._end(None)
        self._total, self._total_line = value, number
        return self._found is not None

    def take(self) -> Found | None:
        """The profile that is complete, or what the rows so far are."""
        if self._found is None and self._rows:
            self._end(None)
        found, self._found = self._found, None
        return found

    def _end(self, total: float | None) -> None:
        rows, self._rows = self._rows, []
        before, self._total = self._total, None
        if total is None:
            total = before
        kept = self._summing(rows, total) if total is not None else rows
        if total is None and not self._believed(rows):
            if rows:
                self.ctx.refuse(
                    f"{len(rows)} rows of a name and milliseconds, but no header, no 'Time over all layers' "
                    "and no names that only layers have"
                )
            kept = []
        self.ctx.dropped += len(rows) - len(kept)
        if kept or total is not None:
            line = self._total_line if before is not None else kept[0].line if kept else self._total_line
            self._found = Found(_as_layers(kept), total, line)

    def _believed(self, rows: list[_Row]) -> bool:
        """Whether rows without a total are a profile."""
        if rows and rows[0].exact and len(rows) > 1:
            return True
        return are_layers([row.name.decode("utf-8", "replace") for row in rows])

    def _summing(self, rows: list[_Row], total: float) -> list[_Row]:
        """The rows that make up the total: all, those from some row on, or those that are layers by name.

        Timers of an application may stand above the rows and between them.
        """
        rest = sum(row.ms for row in rows)
        for start, row in enumerate(rows):
            if _adds_up(rest, len(rows) - start, total):
                return rows[start:]
            rest -= row.ms
        layers = [row for row in rows if is_layer(row.name.decode("utf-8", "replace"))]
        if _adds_up(sum(row.ms for row in layers), len(layers), total):
            return layers
        if rows:
            self.ctx.warn(
                rows[0].line, "the rows that begin here do not add up to the total printed with them"
            )
        return rows


def _adds_up(found: float, count: int, total: float) -> bool:
    """Whether *count* times of three decimals are the total."""
    return count > 0 and abs(found - total) <= 6e-4 * count + 2e-3 * total


def _as_layers(rows: list[_Row]) -> list[LayerTime]:
    """Rows under their own names: words that a program writes around every name are none of it."""
    names = [row.name.decode("utf-8", "replace") for row in rows]
    if rows and not rows[0].exact:
        if all(_LEAD.match(name) for name in names):
            names = [name[match.end() :] if (match := _LEAD.match(name)) else name for name in names]
        if all(_VERB.search(name) for name in names):
            names = [_VERB.sub("", name) for name in names]
    return [
        LayerTime(position, name, average_ms=row.ms)
        for position, (name, row) in enumerate(zip(names, rows, strict=True))
    ]
