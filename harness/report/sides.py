"""Two versions side by side, source op by source op, with the kernel of each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from harness.analysis.side_by_side import ComparedOp, side_by_side
from harness.attribution.engine import AttributedEngine
from harness.observations.records import BuildObservation, CellObservation, RunObservation
from harness.report.columns import Release, anchor, release_of, subjects


@dataclass(frozen=True)
class SideView:
    """A version beside the one before it, builds of the middle layer time of each.

    :param ops: all ops, the largest difference first
    """

    subject: str
    anchor: str
    old: Release
    new: Release
    ops: tuple[ComparedOp, ...]
    rest: tuple[tuple[str, float, float], ...]
    totals: tuple[float, float]


def side_views(run: RunObservation) -> tuple[SideView, ...]:
    """Return one view for each pair of neighbouring versions of a runtime, within one subject."""
    return tuple(view for subject, cells in subjects(run).items() for view in _pairs(subject, cells))


def _pairs(subject: str, cells: Sequence[CellObservation]) -> Iterator[SideView]:
    by_runtime: dict[str, list[tuple[Release, AttributedEngine]]] = {}
    for found in cells:
        engine = typical_engine(found)
        if engine is not None and engine.graph is not None and not found.cell.repeat:
            by_runtime.setdefault(found.cell.runtime, []).append((release_of(found), engine))
    for releases in by_runtime.values():
        for (old, first), (new, second) in pairwise(releases):
            found_sides = side_by_side(first, second)
            yield SideView(
                subject=subject,
                anchor=anchor("sides", subject, old.label, new.label),
                old=old,
                new=new,
                ops=tuple(sorted(found_sides.ops, key=_size, reverse=True)),
                rest=found_sides.rest,
                totals=found_sides.totals,
            )


def _size(op: ComparedOp) -> float:
    first = op.first.time_ms if op.first is not None else None
    second = op.second.time_ms if op.second is not None else None
    return abs((second or 0.0) - (first or 0.0))


def typical_engine(found: CellObservation) -> AttributedEngine | None:
    """Return the engine of :func:`typical_build`, None where there is none."""
    build = typical_build(found)
    return None if build is None else build.engine


def typical_build(found: CellObservation) -> BuildObservation | None:
    """Return the good build whose layer time is in the middle, None where none has layer times."""
    timed = [(b.engine.total_ms, b) for b in found.good if b.engine and b.engine.total_ms > 0]
    return sorted(timed, key=lambda row: row[0])[(len(timed) - 1) // 2][1] if timed else None
