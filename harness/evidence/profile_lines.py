"""Per-layer profiles with one row a line and no header: P1, P3 and P8 (docs/reference/formats.md)."""

from __future__ import annotations

import re
from collections.abc import Callable

from harness.evidence.context import Context
from harness.evidence.numbers import printed_number
from harness.evidence.profile_tables import MAX_ROWS, emit_profile
from harness.evidence.records import InferenceTime, LayerTime
from harness.evidence.timed_rows import TimedRows

_N = rb"([-+.,\deE]{1,40})"
_P8 = re.compile(
    rb"\s*: ?\s*"
    + _N
    + rb"\s*ms\s*\(\s*"
    + _N
    + rb"\s*%\s*\)\s*(?:>>\s*(?:"
    + _N
    + rb"\s*%?\s*)?(<{1,2})?)?\s*\Z"
)
_P3 = re.compile(rb"layer (?P<name>.+) - (?P<ms>\d{1,12}\.\d{1,12}) ms\s*\Z", re.DOTALL)
_P3_NETWORK = re.compile(rb"Network +CPU +([\d.]{1,40}) ?ms +CUDA +([\d.]{1,40}) ?ms\s*\Z")
_P3_DECIMALS = 6


class ProfileLines:
    """Reads single lines that are rows by their own layout.

    :param next_engine: called when a profile of other layers begins in one engine
    """

    def __init__(self, ctx: Context, next_engine: Callable[[], None]) -> None:
        self.ctx = ctx
        self._next_engine = next_engine
        self._names: tuple[str, ...] | None = None
        self._samples = TimedRows(ctx)
        self._clear()

    def _clear(self) -> None:
        self._mode: str | None = None
        self._rows: list[LayerTime] = []
        self._total: float | None = None
        self._line = 0
        self._interrupted = False
        self._sure = False

    def start_engine(self) -> None:
        """The next profile is the first of a new engine."""
        self._names = None

    def inline(self, content: bytes, number: int) -> bool:
        """P8: ``<name> : <ms>ms(<p>%) >><q>%<<``, with any blanks in between and the last column cut."""
        match = _P8.search(content)
        if match is None:
            return False
        ms, percent = (printed_number(part) for part in match.groups()[:2])
        name = content[: match.start()].strip()
        if ms is None or percent is None or not name:
            return False
        whole = match.group(4) == b"<<"
        cumulative = printed_number(match.group(3)) if whole and match.group(3) else None
        if self._mode == "P8" and self._interrupted and self._rows[0].name == name.decode("utf-8", "replace"):
            self._end()
        self._add("P8", name, ms, number, percent, cumulative)
        return True

    def jetson(self, content: bytes, number: int) -> bool:
        """P3: ``layer <name> - <ms> ms``; ``layer network time`` is their sum and ends one run."""
        match = _P3.match(content)
        if match is None:
            return False
        printed = match.group("ms")
        if match.group("name") == b"network time":
            if self._mode == "P3":
                self._total = printed_number(printed)
                self._end()
            return True
        self._add("P3", match.group("name").strip(), printed_number(printed), number)
        self._sure = self._sure or len(printed.partition(b".")[2]) == _P3_DECIMALS
        return True

    def jetson_network(self, content: bytes, number: int) -> bool:
        """P3 report: ``Network  CPU <ms>ms  CUDA <ms>ms`` is one timed inference."""
        del number
        match = _P3_NETWORK.match(content)
        if match is None:
            return False
        self.ctx.found("times")
        host, gpu = printed_number(match.group(1)), printed_number(match.group(2))
        self.ctx.sink.emit(InferenceTime(gpu_ms=gpu, host_ms=host, engine=self.ctx.engine))
        return True

    def total(self, content: bytes, number: int) -> bool:
        """P1: ``Time over all layers: <ms>`` (last) or ``Time over total layers: <ms>`` (first)."""
        head, found, tail = content.partition(b":")
        value = printed_number(tail.strip().removesuffix(b"ms").rstrip())
        if not found or value is None or head not in (b"Time over all layers", b"Time over total layers"):
            return False
        if self._mode is not None:
            self.finish()
        if self._samples.total(value, number):
            self._end_samples()
        return True

    def sample(self, content: bytes, number: int) -> bool:
        """P1: a name cut or padded to 40 columns and milliseconds, or its variants without padding."""
        if not self._samples.row(content, number):
            return False
        if self._samples.full:
            self._end_samples()
        return True

    def interrupt(self) -> None:
        """Another line came between: a row that repeats the first begins another listing."""
        self._interrupted = True

    def _add(
        self,
        mode: str,
        name: bytes,
        ms: float | None,
        number: int,
        percent: float | None = None,
        cumulative: float | None = None,
    ) -> None:
        if self._mode != mode or len(self._rows) >= MAX_ROWS:
            self.finish()
            self._mode, self._line = mode, number
        self._interrupted = False
        text = name.decode("utf-8", "replace")
        self._rows.append(
            LayerTime(len(self._rows), text, average_ms=ms, percent=percent, cumulative_percent=cumulative)
        )

    def _end(self) -> None:
        rows, total, single, line = self._rows, self._total, self._mode == "P3", self._line
        self._clear()
        self._emit(rows, total, line, single=single)

    def _end_samples(self) -> None:
        found = self._samples.take()
        if found is None:
            return
        if found.total is None:
            self.ctx.warn(found.line, "the profile that begins here has no total line: it may be cut")
        self._emit(found.rows, found.total, found.line, single=True)

    def _emit(self, rows: list[LayerTime], total: float | None, line: int, *, single: bool) -> None:
        names = tuple(row.name for row in rows)
        if (self._names is not None and self._names != names) or (self._names is not None and not single):
            self._next_engine()
        self._names = names
        emit_profile(self.ctx, rows, None, total, line=line, single_run=single)

    def finish(self) -> None:
        """No more rows can come: say so if the total is missing where the print has one."""
        self._end_samples()
        if self._mode is None:
            return
        if self._mode == "P3" and self._total is None:
            if not self._sure:
                self.ctx.refuse(
                    "rows 'layer <name> - <ms> ms' without six decimals or a 'layer network time'"
                )
                self._clear()
                return
            self.ctx.warn(self._line, "the profile that begins here has no total line: it may be cut")
        self._end()
