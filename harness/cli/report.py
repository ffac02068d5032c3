"""``trtmatrix report RUN... -o FILE``: one self-contained HTML file."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.cli.collector import no_search_for_cycles
from harness.cli.outputs import check_file
from harness.errors import OutputPathError

if TYPE_CHECKING:
    from harness.analysis.accepted import Accepted
    from harness.cli.judging import Judged


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
    """Write the report, and the summary where one is asked for."""
    from harness.analysis.accepted import accepted_changes

    check_file(arguments.output, "-o", arguments.runs)
    if arguments.markdown is not None:
        check_file(arguments.markdown, "--markdown", arguments.runs)
        if arguments.markdown.absolute() == arguments.output.absolute():
            raise OutputPathError(f"--markdown {arguments.markdown}: is the HTML file of -o")
    with no_search_for_cycles():
        write_report(arguments.runs, arguments.output, arguments.markdown, accepted_changes(None))
    print(f"report: {arguments.output}")
    if arguments.markdown is not None:
        print(f"summary: {arguments.markdown}")
    return 0


def write_report(
    runs: Sequence[Path], output: Path, markdown: Path | None = None, accepted: Sequence[Accepted] = ()
) -> None:
    """Write the report of *runs* to *output* and the Markdown summary to *markdown*, judged once."""
    from harness.cli.judging import judged_runs

    write_pages(judged_runs(runs, accepted=accepted), output, markdown)


def write_pages(judged: Judged, output: Path, markdown: Path | None = None) -> None:
    """Write the report of what was *judged* to *output*, and the Markdown summary to *markdown*."""
    from harness.report.markdown import summary
    from harness.report.render import render
    from harness.store.files import write_text

    write_text(output, render(judged.analysis))
    if markdown is not None:
        write_text(markdown, summary(judged.analysis))
