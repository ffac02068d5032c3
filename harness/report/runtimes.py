"""Runtimes beside each other: the tables of the page, with what they have in common said once."""

from __future__ import annotations

from dataclasses import dataclass

from harness.analysis.figures.runtimes import RuntimeFigures, RuntimeTable
from harness.analysis.hosts import HostNames
from harness.analysis.run_analysis import RunAnalysis


@dataclass(frozen=True)
class RuntimesView:
    """One network and treatment on one host.

    :param title: network and treatment; :param host: as rows of the page call it
    :param names: of the runtimes, the one that others are held against first
    :param note: why there is no interval, and of what there is no host's clock
    """

    title: str
    host: str
    names: tuple[str, ...]
    rows: tuple[RuntimeFigures, ...]
    note: str

    @property
    def against(self) -> str:
        """The runtime that speed-ups are against."""
        return self.names[0]

    @property
    def segments(self) -> bool:
        """Whether any of its layer time is in TensorRT, which plain pairs of runtimes have none of."""
        return any(row.shares is not None and row.shares.segments > 0 for row in self.rows)

    @property
    def profiled(self) -> bool:
        """Whether it is known of any row where its time goes."""
        return any(row.shares is not None for row in self.rows)


def runtimes(analysis: RunAnalysis) -> tuple[RuntimesView, ...]:
    """Return a view of each table of *analysis*."""
    return tuple(_view(table, analysis.grid.hosts) for table in analysis.runtimes)


def _view(table: RuntimeTable, hosts: HostNames) -> RuntimesView:
    names = dict.fromkeys((table.against, *(row.release.partition(" ")[0] for row in table.rows)))
    return RuntimesView(
        title=f"{table.network} {table.treatment}",
        host=hosts.label(table.host),
        names=tuple(names),
        rows=table.rows,
        note=table.note,
    )
