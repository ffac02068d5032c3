"""``trtmatrix report RUN... -o FILE``: one self-contained HTML file."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any


def add_parser(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser("report", help="write the HTML report of one or more stored runs")
    parser.add_argument("runs", nargs="+", type=Path, metavar="RUN", help="folder of a bundle")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FILE", help="the HTML file")
    parser.add_argument(
        "--markdown", type=Path, metavar="FILE", help="also write a summary for CI, under 1 MiB"
    )
    parser.set_defaults(func=run)


def run(arguments: argparse.Namespace) -> int:
    """Write the report."""
    write_report(arguments.runs, arguments.output)
    print(f"report: {arguments.output}")
    if arguments.markdown is not None:
        write_summary(arguments.runs, arguments.markdown)
        print(f"summary: {arguments.markdown}")
    return 0


def write_report(runs: Sequence[Path], output: Path) -> None:
    """Write the report of *runs* to *output*."""
    from harness.observe import observe
    from harness.report.render import write_page

    write_page(observe(runs), output)


def write_summary(runs: Sequence[Path], output: Path) -> None:
    """Write the Markdown summary of *runs* to *output*."""
    from harness.bottlenecks.judge import judge
    from harness.observe import observe
    from harness.report.markdown import summary
    from harness.report.render import baseline_of
    from harness.store.files import write_text

    found = observe(runs)
    write_text(output, summary(found, judge(found, baseline_of(found))))
