"""``trtmatrix history``: nights kept in a folder, and series over them."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import EXIT_OK, EXIT_USAGE, BadOptionError, TrtmatrixError
from harness.written import number_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.history.records import Added, Filter, Problem, Series

DEFAULT = Path("trtmatrix-history")
"""Where nights are kept if nothing else is said."""

PATTERNS = ("network", "treatment", "runtime", "version", "environment", "host", "measure")


def add_parser(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser("history", help="keep runs as nights, and show what they say over time")
    own = parser.add_subparsers(dest="action", metavar="ACTION", required=True)

    adding = own.add_parser("add", help="add runs, each once")
    adding.add_argument("runs", nargs="+", type=Path, metavar="RUN", help="folder or archive of a bundle")
    adding.add_argument("--no-bundle", action="store_true", help="without the run's own files")
    adding.set_defaults(func=add)

    listing = own.add_parser("list", help="list the nights, and files that do not belong")
    listing.add_argument("--json", action="store_true", help="print a JSON array")
    listing.set_defaults(func=list_nights)

    showing = own.add_parser("show", help="show series: the last night of each, and where it changed")
    add_filter(showing)
    showing.add_argument("--json", action="store_true", help="print a JSON array, with every night")
    showing.set_defaults(func=show)

    pruning = own.add_parser("prune", help="remove the own files of runs that are old; tables stay")
    pruning.add_argument(
        "--days", type=float, default=30.0, metavar="N", help="keep the files of runs of the last N days (30)"
    )
    pruning.add_argument(
        "--nights", type=int, default=14, metavar="K", help="and of the last K nights of each version (14)"
    )
    pruning.add_argument("--dry-run", action="store_true", help="say what would go")
    pruning.set_defaults(func=prune)

    exporting = own.add_parser("export", help="write the points of series into one file")
    exporting.add_argument(
        "-o", "--out", type=Path, required=True, metavar="FILE", help="name that ends in .parquet or .csv"
    )
    add_filter(exporting)
    exporting.set_defaults(func=export)

    for one in (adding, listing, showing, pruning, exporting):
        add_history(one)


def add_history(parser: argparse.ArgumentParser) -> None:
    """Add the option that names the folder."""
    parser.add_argument(
        "--history",
        type=Path,
        default=DEFAULT,
        metavar="DIR",
        help=f"folder of nights (default: {DEFAULT})",
    )


def add_filter(parser: argparse.ArgumentParser) -> None:
    """Add the options that choose series."""
    for name in PATTERNS:
        parser.add_argument(f"--{name}", default="*", metavar="PATTERN", help=f"only series of this {name}")
    parser.add_argument("--since", metavar="DATE", help="only nights from this day on (2026-11-28, UTC)")
    parser.add_argument("--until", metavar="DATE", help="only nights up to this day")


def filter_of(arguments: argparse.Namespace) -> Filter:
    """Return which series *arguments* choose.

    :raises UsageError: a date that is none
    """
    from harness.history.records import Filter

    chosen = {name: getattr(arguments, name) for name in PATTERNS}
    return Filter(
        **chosen, since=_day(arguments.since, "--since"), until=_day(arguments.until, "--until", last=True)
    )


def _day(text: str | None, option: str, *, last: bool = False) -> Any:
    from datetime import UTC, datetime, time

    if text is None:
        return None
    try:
        day = datetime.strptime(text, "%Y-%m-%d").date()
    except ValueError:
        raise BadOptionError(f"{option} {text}: expected a day, such as 2026-11-28") from None
    return datetime.combine(day, time.max if last else time.min, UTC)


def add(arguments: argparse.Namespace) -> int:
    """Add runs; one that cannot be read is named, and the others are added."""
    from harness.cli.collector import no_search_for_cycles

    failed = False
    for run in arguments.runs:
        try:
            with no_search_for_cycles():
                added = _add_run(run, arguments.history, keep=not arguments.no_bundle)
        except TrtmatrixError as error:
            print(f"trtmatrix: {error.one_line}", file=sys.stderr)
            failed = True
            continue
        print(added.words)
    return EXIT_USAGE if failed else EXIT_OK


def _add_run(run: Path, history: Path, *, keep: bool) -> Added:
    """Add one run, a folder or an archive, to the history in the folder *history*."""
    from harness.analysis.grid import grid_of
    from harness.history.adding import add as add_to
    from harness.plugins import registry
    from harness.plugins.reading import observe
    from harness.store.archive import folder_of
    from harness.store.bundle import Bundle

    bundle, rules = Bundle.open(folder_of(run)), registry.bottlenecks()
    # Series hold what engines cost, not what their builders tried.
    searches = any(rule.searches for rule in rules.values())
    return add_to(history, bundle, lambda: grid_of(observe([run], searches=searches)), rules, keep=keep)


def list_nights(arguments: argparse.Namespace) -> int:
    """Print one row a night; what does not belong goes to standard error."""
    from harness.cli.listing import print_rows
    from harness.history.folder import open_history, strangers

    history = open_history(arguments.history)
    rows: list[dict[str, object]] = [
        {
            "night": night.run,
            "started": night.started.isoformat(timespec="seconds"),
            "state": night.state,
            "builds": night.builds,
            "series": night.series,
            "hosts": night.hosts if arguments.json else ", ".join(night.hosts),
            "alarms": night.alarms if arguments.json else len(night.alarms),
            "bundle": night.bundle if arguments.json else "kept" if night.bundle else "pruned",
        }
        for night in history.nights
    ]
    print_rows(rows, as_json=arguments.json)
    _name([*history.problems, *strangers(history)])
    return EXIT_OK


def show(arguments: argparse.Namespace) -> int:
    """Print one row a series."""
    from harness.cli.collector import no_search_for_cycles
    from harness.cli.listing import print_rows
    from harness.history.changes import with_changes
    from harness.history.folder import open_history
    from harness.history.reading import series

    history = open_history(arguments.history)
    with no_search_for_cycles():
        read = series(history, filter_of(arguments))
        found = with_changes(read.series)
    rows = [_as_json(one) if arguments.json else _row(one) for one in found]
    print_rows(rows, as_json=arguments.json)
    _name([*history.problems, *read.problems])
    return EXIT_OK


def prune(arguments: argparse.Namespace) -> int:
    """Remove old evidence; print each folder, and why it goes."""
    from harness.history.pruning import Keep
    from harness.history.pruning import prune as remove

    if arguments.days < 0 or arguments.nights < 0:
        raise BadOptionError("--days and --nights: expected numbers of 0 or more")
    keep = Keep(arguments.days, arguments.nights)
    gone = remove(arguments.history, keep, dry_run=arguments.dry_run)
    word = "would remove" if arguments.dry_run else "removed"
    for going in gone:
        print(f"{word} {going.path}: {going.why}")
    print(f"{word} {len(gone)}, {sum(going.size for going in gone) / 1e6:.1f} MB")
    return EXIT_OK


def export(arguments: argparse.Namespace) -> int:
    """Write the chosen points."""
    from harness.cli.outputs import check_file
    from harness.history.exporting import export as write
    from harness.history.folder import open_history

    check_file(arguments.out, "-o", [arguments.history])
    history = open_history(arguments.history)
    count, problems = write(history, arguments.out, filter_of(arguments))
    print(f"{arguments.out}: {number_of(count, 'point')}")
    _name([*history.problems, *problems])
    return EXIT_OK


def _row(series: Series) -> dict[str, object]:
    last = series.points[-1]
    return {
        "subject": series.subject.name,
        "host": series.subject.host,
        "measure": series.measure,
        "nights": len(series.points),
        "last": last.started.date().isoformat(),
        "value": f"{last.value:.6g} {series.unit}",
        "low": None if last.low is None else f"{last.low:.6g}",
        "high": None if last.high is None else f"{last.high:.6g}",
        "changes": ", ".join(change.started.date().isoformat() for change in series.changes),
    }


def _as_json(series: Series) -> dict[str, object]:
    from dataclasses import asdict

    from harness.analysis.verdict import jsonable

    said = jsonable({**asdict(series), "subject": series.subject._asdict()})
    assert isinstance(said, dict)
    return said


def _name(problems: Iterable[Problem]) -> None:
    for problem in problems:
        print(f"left out: {problem}", file=sys.stderr)
