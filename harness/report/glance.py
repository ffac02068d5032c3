"""The matrix at a glance: every cell with its status and latency, nothing dropped."""

from __future__ import annotations

from dataclasses import dataclass

from harness.observations.records import CellObservation, RunObservation
from harness.report.columns import Release, anchor, latency_of, release_of, releases, subjects

SYMBOLS = {
    "measured": "●",
    "recorded": "◐",
    "failed": "✕",
    "invalid": "!",
    "unsupported": "–",
    "unavailable": "○",
    "interrupted": "…",
}
"""Status to a sign: colour is never the only carrier."""


@dataclass(frozen=True)
class GlanceCell:
    """One cell of the table. :param low, high: 95 % interval of the mean, ms; None with one build."""

    status: str
    symbol: str
    latency_ms: float | None
    low: float | None
    high: float | None
    builds: int
    reason: str
    anchor: str


@dataclass(frozen=True)
class GlanceRow:
    """One subject: ``None`` where a release has no such cell. :param anchor: of its latencies, if any"""

    subject: str
    anchor: str
    cells: tuple[GlanceCell | None, ...]


@dataclass(frozen=True)
class Glance:
    """The table."""

    columns: tuple[Release, ...]
    rows: tuple[GlanceRow, ...]
    counts: tuple[tuple[str, str, int], ...]


def glance(run: RunObservation) -> Glance:
    """Return the view of *run*."""
    columns = releases(run)
    rows = []
    seen: set[str] = set()
    for subject, cells in subjects(run).items():
        by_release = {release_of(found): _cell(found, _anchor(found, subject, seen)) for found in cells}
        rows.append(GlanceRow(subject, anchor("latency", subject), tuple(by_release.get(c) for c in columns)))
    counts: dict[str, int] = {}
    for found in run.cells:
        counts[found.status] = counts.get(found.status, 0) + 1
    signs = tuple((status, SYMBOLS.get(status, "?"), number) for status, number in sorted(counts.items()))
    return Glance(tuple(columns), tuple(rows), signs)


def _anchor(found: CellObservation, subject: str, seen: set[str]) -> str:
    """Return the cell's anchor; where another row has it already, one with the subject in it."""
    name = anchor("cell", found.cell.id)
    name = anchor("cell", found.cell.id, subject) if name in seen else name
    seen.add(name)
    return name


def _cell(found: CellObservation, name: str) -> GlanceCell:
    latency = latency_of(found)
    return GlanceCell(
        status=found.status,
        symbol=SYMBOLS.get(found.status, "?"),
        latency_ms=latency.middle,
        low=latency.low,
        high=latency.high,
        builds=len(latency.builds),
        reason=found.reason,
        anchor=name,
    )
