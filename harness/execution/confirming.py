"""Alarms measured again in the run that gave them: as many builds once more, side by side, of suspect cells.

They are further builds of the same bundle, measured by the same schedule; the manifest says from which
number on a cell's builds are the second look.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from harness.execution.measuring import measure_into
from harness.execution.parts import Parts
from harness.execution.plan import Choices, Plan
from harness.matrix.cell import Cell
from harness.store.bundle import Bundle

FEWEST = 2
"""Builds of a second look: one says nothing of the scatter between builds."""


def confirm(
    bundle: Bundle,
    plan: Plan,
    choices: Choices,
    cells: Sequence[Cell],
    parts: Parts,
    say: Callable[[str], None] = lambda _line: None,
) -> None:
    """Measure *cells* again into *bundle*; what an earlier go of the run has of it is kept.

    :param cells: both sides of each suspect comparison
    """
    rounds = bundle.manifest.rounds
    known = bundle.manifest.confirming
    first = {cell.id: known.get(cell.id, _next_number(bundle, cell)) for cell in cells}
    bundle.update(confirming={**known, **first})
    builds = max(first.values()) + max(FEWEST, plan.rounds(choices))
    # The time of the run was for its first look; this one has its builds and no more.
    plain = replace(plan, matrix=replace(plan.matrix, minutes=None))
    # Its anchors are built anew: further builds of a cell are other engines than those kept over nights.
    again = replace(choices, builds=builds, minutes=None, history=None)
    try:
        measure_into(bundle, plain, again, cells, parts, say)
    finally:
        bundle.update(rounds=rounds)
        bundle.save()


def _next_number(bundle: Bundle, cell: Cell) -> int:
    return max((build.build for build in bundle.builds(cell.id)), default=-1) + 1
