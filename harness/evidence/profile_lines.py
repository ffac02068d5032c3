"""Per-layer profiles printed line by line: P1, P3 and P8 (docs/reference/formats.md, per-layer profiles)."""

from __future__ import annotations

import re
from collections.abc import Callable

from harness.evidence.context import Context
from harness.evidence.numbers import printed_number
from harness.evidence.profile_tables import MAX_ROWS, emit_profile
from harness.evidence.records import InferenceTime, LayerTime

_P8 = re.compile(rb" ?: ?([-+.\deE]{1,40}) ?ms ?\(([-+.\deE]{1,40}) ?%\) *>> *([-+.\deE]{1,40}) ?%<<\s*\Z")
_P1_EXACT = re.compile(rb"(?P<name>.{40}) +(?P<ms>\d{1,12}\.\d{3})ms\s*\Z", re.DOTALL)
_P1_SPACED = re.compile(rb"(?: ?: ?| )(?P<ms>\d{1,12}(?:\.\d{1,12})?(?:[eE][-+]?\d{1,3})?) ?ms\s*\Z")
_P1_GLUED = re.compile(rb"(?P<ms>\d\.\d{3})ms\s*\Z")
_P3 = re.compile(rb"layer (?P<name>.+) - (?P<ms>\d{1,12}\.\d{1,12}) ms\s*\Z", re.DOTALL)
_P3_NETWORK = re.compile(rb"Network +CPU +([\d.]{1,40}) ?ms +CUDA +([\d.]{1,40}) ?ms\s*\Z")
_STATISTICS = re.compile(
    rb"(?:.*[:,] )?(?:min|max|mean|median|percentile|latency|time|total|walltime)\b", re.IGNORECASE
)


class ProfileLines:
    """Reads single lines that are rows by their own layout.

    :param next_engine: called when a profile of other layers begins in one engine
    """

    def __init__(self, ctx: Context, next_engine: Callable[[], None]) -> None:
        self.ctx = ctx
        self._next_engine = next_engine
        self._names: tuple[str, ...] | None = None
        self._clear()

    def _clear(self) -> None:
        self._mode: str | None = None
        self._rows: list[LayerTime] = []
        self._total: float | None = None
        self._loose = False
        self._line = 0

    def start_engine(self) -> None:
        """The next profile is the first of a new engine."""
        self._names = None

    @property
    def loose(self) -> bool:
        """Rows of the variants without padding are only believed while they follow each other."""
        return self._mode == "P1" and self._loose

    def inline(self, content: bytes, number: int) -> bool:
        """P8: ``<name> : <ms>ms(<p>%) >><q>%<<``."""
        match = _P8.search(content)
        if match is None:
            return False
        ms, percent, cumulative = (printed_number(part) for part in match.groups())
        if ms is None or percent is None or cumulative is None:
            return False
        self._add("P8", content[: match.start()].strip(), ms, number, percent, cumulative)
        return True

    def jetson(self, content: bytes, number: int) -> bool:
        """P3: ``layer <name> - <ms> ms``; ``layer network time`` is their sum and ends one run."""
        match = _P3.match(content)
        if match is None:
            return False
        if match.group("name") == b"network time":
            if self._mode == "P3":
                self._total = printed_number(match.group("ms"))
                self._end()
            return True
        self._add("P3", match.group("name").strip(), printed_number(match.group("ms")), number)
        return True

    def jetson_network(self, content: bytes, number: int) -> bool:
        """P3 report: ``Network  CPU <ms>ms  CUDA <ms>ms`` is one timed inference."""
        del number
        match = _P3_NETWORK.match(content)
        if match is None:
            return False
        self.ctx.found("times")
        host, gpu = printed_number(match.group(1)), printed_number(match.group(2))
        self.ctx.sink.emit(InferenceTime(gpu_ms=gpu, host_ms=host))
        return True

    def total(self, content: bytes, number: int) -> bool:
        """P1: ``Time over all layers: <ms>`` (last) or ``Time over total layers: <ms>`` (first)."""
        head, found, tail = content.partition(b":")
        value = printed_number(tail.strip().removesuffix(b"ms").rstrip())
        if not found or value is None or head not in (b"Time over all layers", b"Time over total layers"):
            return False
        if self._mode == "P1" and self._rows and self._total is None:
            self._total = value
            self._end()
            return True
        self.finish()
        self._mode, self._total, self._line = "P1", value, number
        return True

    def sample(self, content: bytes, number: int) -> bool:
        """P1: a name cut or padded to 40 columns and milliseconds, or its variants without padding.

        The variants are ambiguous: they are taken for a profile where a total or a second row is beside them.
        """
        match = _P1_EXACT.match(content)
        if match is not None and match.group("name").strip():
            self._add("P1", match.group("name").rstrip(), printed_number(match.group("ms")), number)
            return True
        match = _P1_SPACED.search(content) or _P1_GLUED.search(content)
        if match is None:
            return False
        name = content[: match.start()].strip()
        if not name or _STATISTICS.match(name) or (b" CPU " in name and name.endswith(b"CUDA")):
            return False
        if self._mode == "P1" and self._rows and not self._loose:
            return False
        self._loose = True if self._mode == "P1" else self._begin("P1", number)
        self._add("P1", name, printed_number(match.group("ms")), number)
        return True

    def interrupt(self) -> None:
        """Another line came between: the variants of P1 end here."""
        if self.loose:
            self.finish()

    def _begin(self, mode: str, number: int) -> bool:
        self.finish()
        self._mode, self._line = mode, number
        return True

    def _add(
        self,
        mode: str,
        name: bytes,
        ms: float | None,
        number: int,
        percent: float | None = None,
        cumulative: float | None = None,
    ) -> None:
        if self._mode != mode:
            self._begin(mode, number)
        if len(self._rows) >= MAX_ROWS:
            self._end()
            self._begin(mode, number)
        text = name.decode("utf-8", "replace")
        self._rows.append(
            LayerTime(len(self._rows), text, average_ms=ms, percent=percent, cumulative_percent=cumulative)
        )

    def _end(self) -> None:
        rows, total, single = self._rows, self._total, self._mode in ("P1", "P3")
        self._clear()
        names = tuple(row.name for row in rows)
        if self._names is not None and self._names != names:
            self._next_engine()
        self._names = names
        emit_profile(self.ctx, rows, None, total, single_run=single)

    def finish(self) -> None:
        """No more rows can come: say so if the total is missing where the print has one."""
        mode, rows = self._mode, len(self._rows)
        if mode is None:
            return
        if self._loose and rows < 2 and self._total is None:
            self._clear()
            return
        if self._total is None and mode in ("P1", "P3"):
            self.ctx.warn(self._line, "the profile that begins here has no total line: it may be cut")
        self._end()
