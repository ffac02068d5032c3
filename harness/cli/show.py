"""``trtmatrix show RUN``: the cells of a stored run, in the terminal."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any


def add_parser(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser("show", help="show the cells of a stored run")
    parser.add_argument("run", type=Path, metavar="RUN", help="folder of a bundle")
    parser.add_argument("--json", action="store_true", help="print a JSON array")
    parser.set_defaults(func=run)


def run(arguments: argparse.Namespace) -> int:
    """Print one row a cell, and one a host where builds were made on several: these are never averaged."""
    from harness.analysis.hosts import HostNames
    from harness.cli.listing import print_rows
    from harness.plugins.reading import observe
    from harness.report.columns import hosts_of, latency_of, on_host

    found = observe([arguments.run])
    names = HostNames.of(found)
    rows: list[dict[str, object]] = []
    for cell in found.cells:
        # A cell without builds has a row too.
        for host in hosts_of(cell) or [""]:
            here = on_host(cell, host)
            latency = latency_of(here)
            rows.append(
                {
                    "cell": cell.cell.id,
                    "host": (host or None) if arguments.json else names.label(host),
                    "status": cell.status,
                    "builds": len(here.good),
                    "latency_ms": _rounded(latency.middle),
                    "low_ms": _rounded(latency.low),
                    "high_ms": _rounded(latency.high),
                    "reason": cell.reason,
                }
            )
    if not arguments.json and len(names.names) < 2:
        rows = [{key: value for key, value in row.items() if key != "host"} for row in rows]
    print_rows(rows, as_json=arguments.json)
    return 0


def _rounded(milliseconds: float | None) -> float | None:
    return None if milliseconds is None else round(milliseconds, 4)
