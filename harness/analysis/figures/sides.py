"""Neighbouring versions side by side, source op by source op, with the kernel of each."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from harness.analysis.grid import GridRow
from harness.analysis.groups import Release
from harness.analysis.side_by_side import ComparedOp, side_by_side
from harness.attribution.engine import AttributedEngine


@dataclass(frozen=True)
class NeighbourSides:
    """A version beside the one before it, builds of the middle layer time of each.

    :param builds: their numbers; :param ops: all ops, the largest difference first
    :param rest: time that belongs to no op, by what it is, ms of each side
    :param totals: sums of the layer times of both, ms
    """

    old: Release
    new: Release
    builds: tuple[int, int]
    ops: tuple[ComparedOp, ...]
    rest: tuple[tuple[str, float, float], ...]
    totals: tuple[float, float]


def neighbour_sides(row: GridRow) -> tuple[NeighbourSides, ...]:
    """Return one record for each pair of neighbouring versions of a runtime in *row*."""
    by_runtime: dict[str, list[tuple[Release, int, AttributedEngine]]] = {}
    for group in row.groups:
        build = group.typical_build
        if build is None or build.engine is None or build.engine.graph is None or group.cell.repeat:
            continue
        by_runtime.setdefault(group.cell.runtime, []).append((group.release, build.build, build.engine))
    return tuple(_sides(*pair) for sides in by_runtime.values() for pair in pairwise(sides))


def _sides(
    old: tuple[Release, int, AttributedEngine], new: tuple[Release, int, AttributedEngine]
) -> NeighbourSides:
    sides = side_by_side(old[2], new[2])
    return NeighbourSides(
        old=old[0],
        new=new[0],
        builds=(old[1], new[1]),
        ops=tuple(sorted(sides.ops, key=_size, reverse=True)),
        rest=sides.rest,
        totals=sides.totals,
    )


def _size(op: ComparedOp) -> float:
    first = op.first.time_ms if op.first is not None else None
    second = op.second.time_ms if op.second is not None else None
    return abs((second or 0.0) - (first or 0.0))
