"""Per-layer profiles printed as tables: P2, P4 and P5 (docs/reference/formats.md, per-layer profiles)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from harness.evidence.context import Context
from harness.evidence.numbers import printed_number
from harness.evidence.quoted_rows import QuotedRows
from harness.evidence.records import LayerTime
from harness.evidence.sinks import ProfileHead

MAX_ROWS = 100_000
_MAX_NAME = 65_536
_TITLE = re.compile(rb"=== Profile \((\d{1,15}) iterations ?\) ===")
_P2_TITLE = re.compile(rb"=+ (.{0,200}) profile =+\s*\Z")
_P2_TOTAL = re.compile(rb"=+ .{0,200} total runtime = ([-+.\deE]{1,40}) ms =+\s*\Z")
_TWO_DECIMALS = re.compile(r"\d+[.,]\d\d\Z")
_ONE_DECIMAL = re.compile(r"\d+[.,]\d\Z")
# The rest of a name broken at the terminal's width: words only where a fused or a reformat's name has them.
_REST_OF_NAME = re.compile(
    r"(?!\d{4}-\d\d-\d\d)[^\s]*(?: (?:\+|\|\||->|\[[^\s\]]*\]|\d+|(?:in|out)put|reformatter|CopyNode|for"
    r"|Input|Output|Tensor|to)(?= |\Z)| (?<=[+|>] )[^\s]+| (?<= to )[^\s]+)*\s*\Z"
)


class ProfileTables:
    """Reads tables; every method takes a line without prefix and says whether it could use it.

    :param next_engine: called when a second table begins in one engine
    """

    def __init__(self, ctx: Context, next_engine: Callable[[], None]) -> None:
        self.ctx = ctx
        self._next_engine = next_engine
        self._tables = 0
        self._pending_iterations: int | None = None
        self._quoted = QuotedRows(ctx)
        self._clear()

    def _clear(self) -> None:
        self._mode: str | None = None
        self._rows: list[LayerTime] = []
        self._columns = 0
        self._iterations: int | None = None
        self._carry = ""
        self._width = 0
        self._line = 0

    def start_engine(self) -> None:
        """The next table is the first of a new engine."""
        self._tables = 0

    @property
    def open(self) -> bool:
        """Lines that come now may be rows."""
        return self._mode is not None

    def title(self, content: bytes) -> bool:
        """``=== Profile (<iterations> iterations ) ===`` of P4 and P5, first and last line of P2."""
        match = _TITLE.match(content)
        if match is not None:
            self.finish()
            self._pending_iterations = int(match.group(1))
            return True
        total = _P2_TOTAL.match(content)
        if total is not None and self._mode == "P2":
            self._end(printed_number(total.group(1)))
            return True
        return _P2_TITLE.match(content) is not None

    def header(self, content: bytes, number: int) -> bool:
        """The header line of a table decides its layout, never the version."""
        words = b" ".join(content.split())
        if words.startswith(b"TensorRT layer name Runtime, %"):
            self._begin("P2", 3, number)
        elif words.startswith(b"Layer Time (ms) Avg. Time (ms)"):
            self._begin("P4", 4 if b"Median Time (ms)" in words else 3, number)
        elif words.startswith(b"Time(ms) Avg.(ms)") and words.endswith(b"Layer"):
            self._begin("P5", words.count(b"(ms)") + 1, number)
        else:
            return False
        self._width = len(content.rstrip())
        return True

    def quoted(self, content: bytes, number: int) -> bool:
        """A line that is no row of an open table: a row of one whose header was left out."""
        taken = self._quoted.row(content, number)
        if taken is None:
            total = self._quoted.total
            self._end_quoted()
            return total is not None or bool(self._quoted.row(content, number))
        return taken

    def interrupt(self) -> None:
        """Another line came between."""
        self._quoted.interrupt()

    def _end_quoted(self) -> None:
        rows, total, line = self._quoted.take()
        if rows:
            if self._tables:
                self._next_engine()
            self._tables += 1
            emit_profile(self.ctx, rows, None, total, line=line)

    def maybe_cut(self, content: bytes) -> bool:
        """The last row of a file without a line end: its last word may go on."""
        words = content.decode("utf-8", "replace").split()
        if self._mode == "P5":
            return words[-1:] != ["Total"]
        decimals = _ONE_DECIMAL if self._mode == "P4" else _TWO_DECIMALS
        return bool(words) and not words[-1].startswith("=") and decimals.match(words[-1]) is None

    def _begin(self, mode: str, columns: int, number: int) -> None:
        self.finish()
        if self._tables:
            self._next_engine()
        self._tables += 1
        self._mode, self._columns, self._line = mode, columns, number
        self._iterations, self._pending_iterations = self._pending_iterations, None
        self.ctx.found("profile")

    def row(self, content: bytes, *, continues: bool) -> bool:
        """A line while a table is open.

        :param continues: the line may be the rest of a wrapped line: it has no prefix of its own
        """
        text = content.decode("utf-8", "replace")
        if text.strip() in ("", "%"):
            return False
        if self._mode == "P5":
            return self._row_p5(text, continues=continues)
        split = self._split_p2 if self._mode == "P2" else self._split_p4
        # columns are aligned to the right: a row that ends where the header ends is whole
        whole = len(content.rstrip()) == self._width
        joined = text if whole or not continues else self._carry + text
        row, total = split(joined)
        if row is None and joined is not text:
            row, total = split(text)
        # a row broken at the terminal's width waits for the next line, within reason
        self._carry = joined if row is None and not total and len(joined) < _MAX_NAME else ""
        if row is None:
            return False
        if total:
            self._end(row.total_ms)
        else:
            self._add(row)
        return True

    def _split_p2(self, text: str) -> tuple[LayerTime | None, bool]:
        parts = text.rsplit(None, 3)
        if len(parts) < 4 or not parts[1].endswith("%") or parts[3].endswith("."):
            return None, False
        percent, runs, total = (printed_number(part.removesuffix("%")) for part in parts[1:])
        if percent is None or runs is None or total is None:
            return None, False
        self._iterations = int(runs) if self._iterations is None else self._iterations
        row = LayerTime(0, parts[0].strip(), total_ms=total, percent=percent, iterations=int(runs))
        return row, False

    def _split_p4(self, text: str) -> tuple[LayerTime | None, bool]:
        parts = text.rsplit(None, self._columns)
        numbers = [printed_number(part) for part in parts[1:]]
        if len(numbers) < self._columns or None in numbers or not _ONE_DECIMAL.match(parts[-1]):
            return None, False
        name = parts[0].strip()
        return self._timed(name, numbers), name == "Total"

    def _row_p5(self, text: str, *, continues: bool) -> bool:
        parts = text.split(None, self._columns)
        numbers = [printed_number(part) for part in parts[: self._columns]]
        if len(parts) <= self._columns or None in numbers:
            if not continues or not self._rows or not _REST_OF_NAME.match(text):
                return False
            last = self._rows[-1]
            self._rows[-1] = replace(last, name=(last.name + text.rstrip())[:_MAX_NAME])
            return True
        row = self._timed(parts[-1].rstrip(), numbers)
        if row.name == "Total":
            self._end(row.total_ms)
        else:
            self._add(row)
        return True

    def _timed(self, name: str, numbers: list[float | None]) -> LayerTime:
        median = numbers[2] if self._columns == 4 else None
        return LayerTime(
            0, name, numbers[0], numbers[1], median, percent=numbers[-1], iterations=self._iterations
        )

    def _add(self, row: LayerTime) -> None:
        if len(self._rows) < MAX_ROWS:
            self._rows.append(replace(row, position=len(self._rows)))
        else:
            self.ctx.warn_once(None, f"more than {MAX_ROWS} rows in one profile, the rest is left out")

    def _end(self, total: float | None) -> None:
        rows, iterations, line = self._rows, self._iterations, self._line
        self._clear()
        emit_profile(self.ctx, rows, iterations, total, line=line)

    def finish(self) -> None:
        """The table must be over: say so if its last row is missing."""
        self._end_quoted()
        if self._mode is not None:
            last = "closing line" if self._mode == "P2" else "Total row"
            self.ctx.warn(self._line, f"the profile table that begins here has no {last}: it is cut")
            self._end(None)


def emit_profile(
    ctx: Context,
    rows: list[LayerTime],
    iterations: int | None,
    total_ms: float | None,
    *,
    line: int | None = None,
    single_run: bool = False,
) -> None:
    """Hand over one profile.

    :param single_run: the print is of one run; a later one of the same layers is another run of the engine
    """
    if not rows and total_ms is None and iterations is None:
        return
    ctx.found("profile")
    for row in rows:
        ctx.sink.emit(replace(row, engine=ctx.engine) if ctx.engine else row)
    ctx.sink.profile(ProfileHead(ctx.engine, iterations, total_ms, len(rows), single_run, line))
