"""All tables of a run, each made when it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property

from harness.analysis.grid import Grid
from harness.analysis.judge import judge
from harness.analysis.verdict import Verdict
from harness.plugins import registry
from harness.tables import rows
from harness.tables.columns import TABLES


class RunTables:
    """The tables of a grid, as rows. :param grid: of one or more stored runs"""

    def __init__(self, grid: Grid) -> None:
        self._grid = grid

    @cached_property
    def _verdicts(self) -> list[Verdict]:
        baseline = self._grid.run.manifest.matrix.baseline
        verdicts = judge(self._grid, baseline, rules=registry.bottlenecks())
        cells = {group.cell.id for group in self._grid.groups}
        return [verdict for verdict in verdicts if verdict.cell in cells]

    def rows(self, table: str) -> list[rows.Row]:
        """Return the rows of *table*, one of :data:`harness.tables.columns.TABLES`.

        :raises KeyError: there is no such table
        """
        made: Mapping[str, Callable[[], Iterable[rows.Row]]] = {
            "builds": lambda: rows.build_rows(self._grid),
            "samples": lambda: rows.sample_rows(self._grid),
            "layers": lambda: rows.layer_rows(self._grid),
            "tactics": lambda: rows.tactic_rows(self._grid),
            "verdicts": lambda: rows.verdict_rows(self._verdicts),
        }
        assert set(made) == set(TABLES)
        return list(made[table]())
