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
    """Print one row a cell."""
    from harness.cli.listing import print_rows
    from harness.observe import observe
    from harness.report.columns import latency_of

    found = observe([arguments.run])
    rows: list[dict[str, object]] = []
    for cell in found.cells:
        latency = latency_of(cell)
        rows.append(
            {
                "cell": cell.cell.id,
                "status": cell.status,
                "builds": len(latency.builds),
                "latency_ms": _rounded(latency.middle),
                "low_ms": _rounded(latency.low),
                "high_ms": _rounded(latency.high),
                "reason": cell.reason,
            }
        )
    print_rows(rows, as_json=arguments.json)
    return 0


def _rounded(milliseconds: float | None) -> float | None:
    return None if milliseconds is None else round(milliseconds, 4)
