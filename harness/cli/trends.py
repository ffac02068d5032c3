"""``trtmatrix trends HISTORY -o FILE``: the page of nights, with the reports of nights that it speaks of."""

from __future__ import annotations

import argparse
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from harness.cli.collector import no_search_for_cycles
from harness.cli.gate_options import add_accepted
from harness.cli.history import add_filter, filter_of
from harness.cli.outputs import check_file
from harness.errors import TrtmatrixError

if TYPE_CHECKING:
    from harness.history.folder import History
    from harness.history.records import Series


def add_parser(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "trends", help="write the page of nights: what changed, since when, how sure"
    )
    parser.add_argument("history", type=Path, metavar="HISTORY", help="folder of nights")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FILE", help="the HTML file")
    parser.add_argument("--title", default="Nights", metavar="TEXT", help="title of the page")
    parser.add_argument(
        "--no-reports", action="store_true", help="write no reports of single nights beside the page"
    )
    add_accepted(parser)
    add_filter(parser)
    parser.set_defaults(func=run)


def run(arguments: argparse.Namespace) -> int:
    """Write the page."""
    check_file(arguments.output, "-o", [arguments.history])
    with no_search_for_cycles():
        _write(arguments)
    print(f"page of nights: {arguments.output}")
    return 0


def _write(arguments: argparse.Namespace) -> None:
    from harness.analysis.accepted import accepted_changes
    from harness.distribution import __version__
    from harness.history.changes import with_changes
    from harness.history.folder import open_history
    from harness.history.open_changes import left_open
    from harness.history.reading import series
    from harness.report.trends.render import render_trends
    from harness.report.trends.view import trends_page
    from harness.store.files import write_text

    history = open_history(arguments.history)
    read = series(history, filter_of(arguments))
    found = with_changes(read.series)
    folder = arguments.output.with_name(f"{arguments.output.stem}-nights")
    if not arguments.no_reports:
        _write_reports(history, _spoken_of(history, found), folder)
    page = trends_page(
        history.nights,
        found,
        made=datetime.now(UTC).isoformat(timespec="seconds"),
        harness_version=__version__,
        title=arguments.title,
        reports=_reports(history, folder),
        left=left_open(history, [one.subject for one in found], accepted_changes(arguments.accepted)),
        problems=[str(problem) for problem in (*history.problems, *read.problems)],
    )
    write_text(arguments.output, render_trends(page))


def _spoken_of(history: History, found: Sequence[Series]) -> set[str]:
    """Return the nights that the page sends its reader to: the last ones, and those of changes."""
    from harness.history.folder import date_of

    last = date_of(history.nights[-1]) if history.nights else ""
    changed = {change.night for one in found for change in one.changes}
    return changed | {night.run for night in history.nights if date_of(night) == last or night.alarms}


def _write_reports(history: History, wanted: Collection[str], folder: Path) -> None:
    """Write the report of each *wanted* night whose files are kept and that has none yet."""
    from harness.cli.report import write_report

    for night in history.nights:
        target = folder / f"{night.run}.html"
        if night.run not in wanted or night.bundle is None or target.exists():
            continue
        try:
            write_report([history.root / night.bundle], target)
        except TrtmatrixError as error:
            print(f"no report of night {night.run}: {error.one_line}")


def _reports(history: History, folder: Path) -> Mapping[str, str]:
    """Return each night to the report that lies beside the page."""
    return {
        night.run: quote(f"{folder.name}/{night.run}.html")
        for night in history.nights
        if (folder / f"{night.run}.html").is_file()
    }
