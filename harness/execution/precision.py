"""What a block still needs: how wide its comparisons are, and what would narrow them most for its price.

Looks at widths, never at estimates or verdicts (docs/decisions/0004-stopping.md).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from harness.analysis.material import SHOWN
from harness.analysis.statistics.block import Block, block_of_slices, kinds_of
from harness.analysis.statistics.lockstep import SETTLED, slice_value
from harness.analysis.statistics.spending import Costs, Situation, Step, next_step
from harness.matrix.cell import Cell
from harness.versions import version_key


@dataclass(frozen=True)
class MeasuredBuild:
    """A build of a block that is alive.

    :param slices: rows of its ``samples.json`` so far (see :class:`harness.worker.samples.Samples`)
    """

    cell: Cell
    slices: Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Comparison:
    """Two cells of a block that will be compared: neighbouring releases of one runtime.

    :param half_width: half of the 95 % interval of their latencies' ratio, of 1; infinite where none is known
    """

    old: Cell
    new: Cell
    half_width: float
    situation: Situation


@dataclass(frozen=True)
class Need:
    """What to measure next.

    :param builds: more builds of each cell; :param cycles: more slices of each process of a cell
    :param processes: more processes of each build of a cell
    :param widest: half width of the widest comparison, of 1
    """

    builds: Mapping[Cell, int]
    cycles: Mapping[Cell, int]
    widest: float
    processes: Mapping[Cell, int] = field(default_factory=dict)

    @property
    def words(self) -> str:
        """The state and the step: ``the widest comparison is \u00b11.82 %: 4 more builds``."""
        builds, cycles = sum(self.builds.values()), max(self.cycles.values(), default=0)
        steps = [f"{builds} more builds" if builds > 1 else "one more build"] if builds else []
        if processes := max(self.processes.values(), default=0):
            steps.append(
                f"{processes} more processes an engine" if processes > 1 else "one more process an engine"
            )
        steps += [f"{cycles} more cycles"] if cycles else []
        return f"the widest comparison is \u00b1{100 * self.widest:.2f} %: {' and '.join(steps)}"


def pairs(cells: Sequence[Cell]) -> Iterator[tuple[Cell, Cell]]:
    """Yield the cells that stand beside each other: one subject and runtime, neighbouring releases."""
    series: dict[tuple[str, str], list[Cell]] = {}
    for cell in dict.fromkeys(cells):
        series.setdefault((cell.subject, cell.runtime), []).append(cell)
    for mine in series.values():
        yield from pairwise(sorted(mine, key=lambda c: (version_key(c.version), c.repeat, c.environment)))


def comparisons(builds: Sequence[MeasuredBuild], name: str) -> list[Comparison]:
    """Return the comparisons of a block by the slices of the pass *name*, the widest first."""
    numbered = [build for build in builds if any(row["pass"] == name for row in build.slices)]
    cells = list(dict.fromkeys(build.cell for build in numbered))
    if not numbered:
        return []
    block = _block(numbered, cells, name)
    found = []
    for old, new in pairs(cells):
        difference = block.cells(cells.index(old), cells.index(new))
        if difference is None:
            continue
        situation = block.situation(cells.index(old), cells.index(new), difference)
        half = float(difference.half_width(SHOWN))  # not a number where one build says nothing of the others
        found.append(Comparison(old, new, math.expm1(half) if math.isfinite(half) else math.inf, situation))
    return sorted(found, key=lambda one: -one.half_width)


def _block(builds: Sequence[MeasuredBuild], cells: Sequence[Cell], name: str) -> Block:
    taken = [
        [
            (row["process"], row["cycle"], row.get("slice", 0), slice_value(row["latency_ms"], SETTLED))
            for row in build.slices
            if row["pass"] == name
        ]
        for build in builds
    ]
    members = [[n for n, build in enumerate(builds) if build.cell == cell] for cell in cells]
    return block_of_slices(taken, members, kinds_of([cell.runtime for cell in cells]))


def next_need(found: Sequence[Comparison], precision: float, costs: Costs, seconds: float) -> Need | None:
    """Return what to measure next, None where every comparison is narrow enough or nothing helps in time.

    :param found: :func:`comparisons`
    :param precision: half of the 95 % interval asked for, of 1; :param seconds: that may be spent
    """
    builds: dict[Cell, int] = {}
    cycles: dict[Cell, int] = {}
    processes: dict[Cell, int] = {}
    left = seconds
    for one in found:
        step = next_step(one.situation, math.log1p(precision), costs, left)
        if step is None:
            continue
        left -= _added(one, step, (builds, processes, cycles), costs)
        for cell in (one.old, one.new):
            for more, asked in ((builds, step.builds), (processes, step.processes), (cycles, step.cycles)):
                if asked:
                    more[cell] = max(more.get(cell, 0), asked)
    if not builds and not processes and not cycles:
        return None
    return Need(builds, cycles, found[0].half_width, processes)


def _added(one: Comparison, step: Step, known: tuple[Mapping[Cell, int], ...], costs: Costs) -> float:
    """Return the seconds that *step* adds to what is to be done already for its two cells.

    :param known: builds, processes and cycles that are
    """
    price = 0.0
    for cell, side in ((one.old, one.situation.old), (one.new, one.situation.new)):
        builds, processes, cycles = (
            max(asked - more.get(cell, 0), 0)
            for asked, more in zip((step.builds, step.processes, step.cycles), known, strict=True)
        )
        price += builds * costs.build if builds else 0.0
        price += processes * side.builds * costs.process if processes else 0.0
        price += cycles * side.builds * side.processes * costs.cycle if cycles else 0.0
    return price
