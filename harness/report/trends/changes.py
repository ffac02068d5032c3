"""Changes of series as the page says them: by how much, since when, how sure, what changed with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from harness.history.records import ChangePoint, Series
from harness.report import words
from harness.report.anchors import anchor

WORSE, BETTER, MOVED = "worse", "better", "moved"

_TITLES = {
    "latency": "latency",
    "layers": "layer time",
    "build_seconds": "build time",
    "engine_bytes": "engine size",
    "device_memory_bytes": "device memory",
    "reformats": "reformats that run",
    "adoption:gemm": "1x1 on GEMM kernels",
    "adoption:gemm_as_conv1x1": "1x1 on gemm_as_conv1x1",
}
_GROUPS = {"latency": "latency", "class": "layer time of", "cost": "cost of"}


Labels = Mapping[str, str]
"""Night to what the page calls it: its day, with the hour where a host had several on one day."""


@dataclass(frozen=True)
class ChangeRow:
    """One change of one series.

    :param kind: ``worse``, ``better``, ``moved`` (no direction is the better)
    :param since, seen: its first night, and the one that confirmed it
    :param by, sure: its size, and the interval of that
    :param facts: what changed with it, empty for nothing known
    """

    subject: str
    host: str
    measure: str
    kind: str
    by: str
    sure: str
    since: str
    night: str
    seen: str
    facts: tuple[str, ...]
    anchor: str
    weight: float


def title_of(measure: str) -> str:
    """Return what people call *measure*: ``class:pointwise`` is the layer time of pointwise."""
    if measure in _TITLES:
        return _TITLES[measure]
    group, _, name = measure.partition(":")
    if group == "latency":
        return {"cuda_graph": "latency as a CUDA graph", "cold_l2": "latency, cold L2"}.get(name, measure)
    return f"{_GROUPS[group]} {name}" if group in _GROUPS and name else measure


def value_text(value: float, unit: str) -> str:
    """Return *value* with its unit: ``0.433 ms``, ``97.1 %``, ``14.2 MB``."""
    if unit == "ms":
        return (
            f"{words.milliseconds(abs(value)) if value >= 0 else words.MINUS + words.milliseconds(-value)} ms"
        )
    if unit == "share":
        return words.percent(value)
    if unit == "bytes":
        return f"{value / 1e6:.3g} MB"
    return f"{value:.3g} {unit}" if unit not in ("", "count") else f"{value:.3g}"


def series_anchor(series: Series) -> str:
    """Return the element id of a series."""
    return anchor("s", *(part for part in series.subject if part), series.measure)


def change_rows(series: Series, labels: Labels) -> tuple[ChangeRow, ...]:
    """Return the changes of *series*, oldest first."""
    return tuple(_row(series, change, labels) for change in series.changes)


def kind_of(series: Series, change: ChangePoint) -> str:
    """Return whether *change* is for the worse: more time, bytes or reformats; adoption is neither."""
    if series.measure.startswith("adoption:"):
        return MOVED
    more = change.size > (1.0 if series.relative else 0.0)
    return WORSE if more else BETTER


def seen_last(all_series: Iterable[Series], labels: Labels, last: str) -> list[ChangeRow]:
    """Return the changes that the night called *last* confirmed, the weightiest first."""
    found = [row for one in all_series for row in change_rows(one, labels) if row.seen == last]
    return sorted(found, key=_order)


def still_open(all_series: Iterable[Series], labels: Labels, last: str) -> list[ChangeRow]:
    """Return the last change of each series where it is for the worse and an earlier night confirmed it."""
    rows = (change_rows(one, labels)[-1] for one in all_series if one.changes)
    return sorted((row for row in rows if row.kind == WORSE and row.seen != last), key=_order)


def _order(row: ChangeRow) -> tuple[object, ...]:
    # The latency first: it is what a user waits for.
    return row.kind != WORSE, not row.measure.startswith("latency"), -row.weight, row.subject, row.measure


def _row(series: Series, change: ChangePoint, labels: Labels) -> ChangeRow:
    seen = series.points[min(change.seen, len(series.points) - 1)]
    relative = series.relative
    weight = abs(change.size - 1) if relative else abs(change.size)
    if relative:
        by, sure = words.change(change.size), words.interval((change.low, change.high))
    else:
        by = _signed(change.size, series.unit)
        sure = f"{_signed(change.low, series.unit)} to {_signed(change.high, series.unit)}"
    return ChangeRow(
        subject=series.subject.name,
        host=series.subject.host,
        measure=series.measure,
        kind=kind_of(series, change),
        by=by,
        sure=sure,
        since=labels.get(change.night, change.started.date().isoformat()),
        night=change.night,
        seen=labels.get(seen.night, seen.started.date().isoformat()),
        facts=change.facts,
        anchor=series_anchor(series),
        weight=weight,
    )


def _signed(value: float, unit: str) -> str:
    return ("+" if value >= 0 else words.MINUS) + value_text(abs(value), unit)
