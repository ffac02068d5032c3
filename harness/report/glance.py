"""The matrix at a glance: every cell with its status and latency, nothing dropped."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from harness.analysis.grid import Grid
from harness.analysis.groups import BuildGroup, Release
from harness.report.anchors import anchor

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


def glance(grid: Grid) -> Glance:
    """Return the view of *grid*."""
    rows = []
    seen: set[str] = set()
    for row in grid.rows:
        by_release = {group.release: _cell(group, _anchor(group, row.name, seen)) for group in row.groups}
        cells = tuple(by_release.get(release) for release in grid.releases)
        rows.append(GlanceRow(row.name, anchor("latency", row.name), cells))
    counts = Counter(cell.status for cell in grid.run.cells)
    signs = tuple((status, SYMBOLS.get(status, "?"), number) for status, number in sorted(counts.items()))
    return Glance(grid.releases, tuple(rows), signs)


def _anchor(group: BuildGroup, subject: str, seen: set[str]) -> str:
    """Return the cell's anchor; where another row has it already, one with the subject in it."""
    name = anchor("cell", group.cell.id, *([group.name] if group.name else []))
    name = anchor("cell", group.cell.id, subject) if name in seen else name
    seen.add(name)
    return name


def _cell(group: BuildGroup, name: str) -> GlanceCell:
    latency = group.latency
    return GlanceCell(
        status=group.status,
        symbol=SYMBOLS.get(group.status, "?"),
        latency_ms=latency.middle,
        low=latency.low,
        high=latency.high,
        builds=len(latency.builds),
        reason=group.reason,
        anchor=name,
    )
