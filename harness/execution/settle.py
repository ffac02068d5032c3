"""What the builds of a run add up to: the status of each cell, and the tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.matrix.cell import Cell
from harness.runtimes.base import Runtime
from harness.store.bundle import Bundle
from harness.store.status import UNREACHED, cell_status, worst_of


def settle(bundle: Bundle, cells: Sequence[Cell], runtimes: Mapping[str, Runtime]) -> None:
    """Give each of *cells* the status that its builds in *bundle* add up to, and write the tables."""
    from harness.observations.tables import (
        write_tables,  # tables take long to load, and collecting needs none
    )

    for cell in cells:
        builds = list(bundle.builds(cell.id))
        if not builds:
            continue
        worst = worst_of(builds)
        status, reason = cell_status(worst)
        bundle.set_cell(cell, status, reason, worst.document.digest)
    for record in bundle.cells():
        if record.status == "pending":
            bundle.set_cell(record.cell, "interrupted", UNREACHED, record.digest)
    write_tables(bundle, runtimes)
