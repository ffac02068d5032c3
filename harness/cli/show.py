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
    from harness.report.columns import build_values
    from harness.statistics.intervals import one_side

    found = observe([arguments.run])
    rows: list[dict[str, object]] = []
    for cell in found.cells:
        values = build_values(cell)
        interval = one_side(values)
        middle = interval.estimate if interval else (values[0] if values else None)
        rows.append(
            {
                "cell": cell.cell.id,
                "status": cell.status,
                "builds": len(values),
                "latency_ms": None if middle is None else round(middle, 4),
                "low_ms": None if interval is None else round(interval.low, 4),
                "high_ms": None if interval is None else round(interval.high, 4),
                "reason": cell.reason,
            }
        )
    print_rows(rows, as_json=arguments.json)
    return 0
