"""Performance summaries of trtexec: S1 to S7 (docs/reference/formats.md, performance summaries)."""

from __future__ import annotations

import re
from collections.abc import Callable

from harness.evidence.context import Context
from harness.evidence.numbers import printed_number
from harness.evidence.records import Summary

_NUMBER = rb"([-+.\deE]{1,40})"
_S1 = re.compile(
    rb"Average over \d+ runs is " + _NUMBER + rb" ms(?: \((?:host walltime is " + _NUMBER + rb" ms, "
    rb"([\d.]{1,20})% )?percentile time is " + _NUMBER + rb"\))?"
)
_S3_AVERAGE = re.compile(
    rb"Average on \d+ runs - GPU latency: " + _NUMBER + rb" ms(?: - Host latency: " + _NUMBER + rb" ms"
    rb"(?: \((?:end to end " + _NUMBER + rb" ms)?(?:, )?(?:enqueue " + _NUMBER + rb" ms)?\))?)?"
)
_METRIC = re.compile(rb"(min|max|mean|median|percentile\(([\d.]{1,20})%\)) = " + _NUMBER + rb" ms")
_SECTION_VALUE = re.compile(
    rb"(min|max|mean|median|percentile): " + _NUMBER + rb" ms(?: at ([\d.]{1,20})%)?"
    rb"(?: \(end to end " + _NUMBER + rb" ms(?: at [\d.]{1,20}%)?\))?"
)
_QPS = re.compile(rb"[Tt]hroughput: " + _NUMBER + rb" qps")
_BUILT = re.compile(
    rb"(?:Engine built in|(?:Data initialization and e|E)ngine generation completed in) " + _NUMBER + rb" sec"
)
_METRICS = {
    b"Latency": "latency_ms",
    b"End-to-End Host Latency": "host_ms",
    b"Enqueue Time": "enqueue_ms",
    b"H2D Latency": "h2d_ms",
    b"GPU Compute Time": "gpu_ms",
    b"GPU Compute": "gpu_ms",
    b"D2H Latency": "d2h_ms",
}
_SECTIONS = {
    b"Host latency": "latency_ms",
    b"Host Latency": "latency_ms",
    b"Enqueue Time": "enqueue_ms",
    b"GPU Compute": "gpu_ms",
}
_ENDS = (b"total compute time:", b"Total GPU Compute Time:")
_MAX_AVERAGES = 10_000


class Summaries:
    """Reads summaries; every method takes a line without prefix and says whether it could use it.

    One row comes of each summary, or of each ``Average over`` line of TensorRT 4 to 6. The ``Average on``
    lines of 7 and later are used only where the log ends before the summary does.
    """

    def __init__(self, ctx: Context, next_engine: Callable[[], None]) -> None:
        self.ctx = ctx
        self._next_engine = next_engine
        self.start_engine()

    def start_engine(self) -> None:
        """Forget the engine before."""
        self._metrics: dict[str, dict[str, float]] = {}
        self._qps: float | None = None
        self._section: str | None = None
        self._averages: list[Summary] = []
        self._sections: set[str] = set()
        self._ended = False
        self._build_s: float | None = None
        self._built_by_tool = False

    @property
    def section(self) -> bool:
        """Lines that come now may be values of a section of S3 or S4."""
        return self._section is not None

    def average(self, content: bytes, number: int) -> bool:
        """``Average over <n> runs is ...`` and ``Average on <n> runs - ...``."""
        match = _S1.match(content)
        if match is not None:
            gpu, host, percent, percentile = match.groups()
            metrics = {"gpu_ms": _spread(mean=gpu), "host_ms": _spread(mean=host)}
            value = printed_number(percentile) if percentile is not None else None
            if value is not None:
                metrics["gpu_ms"][f"p{percent.decode()}" if percent else "percentile"] = value
            self.ctx.found("summary")
            self.ctx.sink.emit(self._row(metrics, None))
            return True
        match = _S3_AVERAGE.match(content)
        if match is None:
            if content.startswith((b"Average over", b"Average on")):
                self.ctx.partial = (number, content)
            return False
        gpu, latency, end_to_end, enqueue = match.groups()
        if self._ended:  # the runs of one engine are printed above its summary
            self._next_engine()
        self.ctx.found("summary")
        if len(self._averages) < _MAX_AVERAGES:
            metrics = {
                "gpu_ms": _spread(mean=gpu),
                "latency_ms": _spread(mean=latency),
                "host_ms": _spread(mean=end_to_end),
                "enqueue_ms": _spread(mean=enqueue),
            }
            self._averages.append(self._row(metrics, None))
        return True

    def title(self, content: bytes) -> bool:
        """``=== Performance summary ===``: what was read of a summary before belongs to the engine before."""
        if not content.startswith(b"=== Performance summary ==="):
            return False
        if self._begun:
            self._next_engine()
        return True

    @property
    def _begun(self) -> bool:
        return bool(self._metrics) or self._qps is not None

    def line(self, content: bytes, number: int) -> bool:
        """A line of S5 to S7, a section title of S3 and S4, the throughput, the build time.

        What a summary has once begins another summary where it comes again.
        """
        del number
        text = content.strip()
        match = _QPS.match(text)
        if match is not None:
            value = printed_number(match.group(1))
            if value is None:
                return False
            if self._qps is not None:
                self._next_engine()
            self._qps = value
            self._section = None
            self.ctx.found("summary")
            return True
        name, found, tail = text.partition(b": ")
        if found and name in _METRICS and tail.startswith(b"min = "):
            if _METRICS[name] in self._metrics:
                self._next_engine()
            self._metrics[_METRICS[name]] = _statistics(tail)
            self.ctx.found("summary")
            return True
        if text in _SECTIONS:
            if _SECTIONS[text] in self._sections:
                self._next_engine()
            self._section = _SECTIONS[text]
            self._sections.add(self._section)
            return True
        if text.startswith(b"walltime:"):
            self._section = None
            return bool(self._metrics)
        if text.startswith(_ENDS):
            self._ended, self._section = bool(self._metrics), None
            return self._ended
        return self._built(text)

    def value(self, content: bytes) -> bool:
        """A value of the section whose title was last seen."""
        match = _SECTION_VALUE.match(content.strip())
        if match is None or self._section is None:
            return False
        name, value, percent, end_to_end = match.groups()
        key = f"p{(percent or b'').decode()}" if name == b"percentile" else name.decode()
        if key in self._metrics.get(self._section, {}):
            return False  # of a section whose title is missing
        self._put(self._section, key, value)
        if end_to_end is not None:
            self._put("host_ms", key, end_to_end)
        self.ctx.found("summary")
        return True

    def _built(self, text: bytes) -> bool:
        match = _BUILT.match(text)
        if match is None:
            return False
        by_tool = text.startswith(b"Engine built")
        seconds = printed_number(match.group(1))
        if seconds is not None and (by_tool or not self._built_by_tool):
            self._build_s, self._built_by_tool = seconds, by_tool
            self.ctx.build_seconds[self.ctx.engine] = seconds
        return True

    def _put(self, metric: str, key: str, value: bytes) -> None:
        number = printed_number(value)
        if number is not None:
            self._metrics.setdefault(metric, {})[key] = number

    def flush(self) -> None:
        """Hand over the summary of the engine that ends."""
        if self._metrics or self._qps is not None:
            if not self._ended:
                self.ctx.warn(None, "the performance summary has no end: it may be cut")
            self.ctx.sink.emit(self._row(self._metrics, self._qps))
        else:
            for row in self._averages:
                self.ctx.sink.emit(row)

    def _row(self, metrics: dict[str, dict[str, float]], qps: float | None) -> Summary:
        return Summary(self.ctx.engine, throughput_qps=qps, build_s=self._build_s, **metrics)


def _spread(*, mean: bytes | None) -> dict[str, float]:
    value = printed_number(mean) if mean is not None else None
    return {} if value is None else {"mean": value}


def _statistics(text: bytes) -> dict[str, float]:
    spread = {}
    for name, percent, value in _METRIC.findall(text):
        number = printed_number(value)
        if number is not None:
            spread[f"p{percent.decode()}" if percent else name.decode()] = number
    return spread
