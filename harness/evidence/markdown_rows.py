"""Tables in Markdown whose header names a layer and a time in milliseconds (P7)."""

from __future__ import annotations

from collections.abc import Callable

from harness.evidence.columns import Columns
from harness.evidence.context import Context
from harness.evidence.plain import markdown_cells
from harness.evidence.profile_tables import MAX_ROWS, emit_profile
from harness.evidence.records import LayerTime


class MarkdownRows:
    """Reads ``| layer | ms |`` and the rows below it, up to a line that is no row.

    :param next_engine: called when a second table begins in one engine
    """

    def __init__(self, ctx: Context, next_engine: Callable[[], None]) -> None:
        self.ctx = ctx
        self._next_engine = next_engine
        self._tables = 0
        self._clear()

    def _clear(self) -> None:
        self._columns: Columns | None = None
        self._rows: list[LayerTime] = []
        self._total: float | None = None
        self._line = 0

    def start_engine(self) -> None:
        """The next table is the first of a new engine."""
        self._tables = 0

    def line(self, content: bytes, number: int) -> bool:
        """A line between pipes: a header, the rule below it, or a row."""
        cells = markdown_cells(content.decode("utf-8", "replace"))
        if cells is None:
            return False
        header = Columns.of(cells)
        if header is not None:
            self.finish()
            self._columns, self._line = header, number
            return True
        if self._columns is None or len(self._rows) >= MAX_ROWS:
            return False
        row = self._columns.row(len(self._rows), cells)
        if row is None:
            return not "".join(cells).strip(":- ")
        if row.name.lower() in ("total", "sum") and self._rows:
            self._total = row.total_ms if row.total_ms is not None else row.average_ms
        else:
            self._rows.append(row)
        return True

    def finish(self) -> None:
        """No more rows can come."""
        rows, total, line = self._rows, self._total, self._line
        self._clear()
        if not rows:
            return
        if self._tables:
            self._next_engine()
        self._tables += 1
        emit_profile(self.ctx, rows, None, total, line=line)
