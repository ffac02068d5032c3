"""Runtimes beside each other, as ``judge --runtimes`` prints them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.analysis.figures.runtimes import RuntimeFigures, RuntimeTable

_HEAD = ("", "ms", "images/s", "GFLOP/s", "speed-up", "in segments", "reformats", "outside")


def print_runtimes(tables: Iterable[RuntimeTable]) -> None:
    """Print a table for each network, treatment and host."""
    for table in tables:
        print(f"{table.network} {table.treatment} on {table.host}, against {table.against}")
        rows = [_HEAD, *map(_row, table.rows)]
        widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
        for row in rows:
            first, *rest = (
                text.ljust(width) if not at else text.rjust(width)
                for at, (text, width) in enumerate(zip(row, widths, strict=True))
            )
            print(("  " + "  ".join((first, *rest))).rstrip())


def _row(one: RuntimeFigures) -> tuple[str, ...]:
    middle = one.latency.middle
    gain = "" if one.speed_up is None else f"{one.speed_up:.3f}"
    if one.interval is not None:
        gain += f" ({one.interval[0]:.3f} to {one.interval[1]:.3f})"
    shares = one.shares
    parts = ("", "", "") if shares is None else (shares.segments, shares.reformats, shares.outside)
    return (
        one.name,
        "" if middle is None else f"{middle:.4g}",
        _number(one.images_per_s),
        _number(one.gflops_per_s),
        gain,
        *("" if part == "" else f"{part:.1%}" for part in parts),
    )


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}" if value < 1000 else f"{value:.0f}"
