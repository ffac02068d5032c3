"""``trtmatrix collect RESULT... --out RUN``: bring a pack's results into a bundle; visits are merged."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from harness.errors import EXIT_OK
from harness.written import number_of


def add_parser(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser("collect", help="bring the results of a pack into a bundle")
    parser.add_argument(
        "results", type=Path, nargs="+", metavar="RESULT", help="archive or folder of results"
    )
    parser.add_argument(
        "--out", type=Path, required=True, metavar="RUN", help="the run, new or begun by an earlier collect"
    )
    parser.add_argument("--matrix", type=Path, help="matrix file, where it brings networks of its own")
    parser.set_defaults(func=run)


def run(arguments: argparse.Namespace) -> int:
    """Print what was added; builds that the run holds already are left as they are."""
    from harness.execution.plan import Choices, make_plan
    from harness.pack.collect import collect
    from harness.plugins import registry

    families = (
        make_plan(Choices(matrix=arguments.matrix), registry.parts()).families if arguments.matrix else None
    )
    summary = collect(arguments.results, arguments.out, families)
    added = number_of(summary.added, "build")
    print(f"{added} added, {summary.known} known already, {summary.total} in {arguments.out}")
    for host, count in sorted(summary.hosts.items()):
        print(f"  {host}: {number_of(count, 'build')}")
    for line in summary.incomplete:
        print(f"  incomplete block: {line}")
    return EXIT_OK
