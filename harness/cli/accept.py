"""``trtmatrix accept RUN``: take changes that the policy fails on, with a reason and a last day."""

from __future__ import annotations

import argparse
from datetime import date, datetime, timedelta
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import BadOptionError, NothingToAcceptError
from harness.written import number_of

if TYPE_CHECKING:
    from harness.analysis.verdict import Verdict

DAYS = 90
"""How long a change stays accepted where nobody says."""

CHOICES = ("bottleneck", "network", "treatment", "runtime", "version", "host")


def add_parser(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser("accept", help="accept changes that fail a run, for a time")
    parser.add_argument("runs", nargs="+", type=Path, metavar="RUN", help="folder of a bundle")
    parser.add_argument("--reason", required=True, metavar="TEXT", help="why it is taken")
    parser.add_argument(
        "--until",
        metavar="DATE",
        help=f"the last day it counts, as 2027-03-31 (default: in {DAYS} days)",
    )
    for name in CHOICES:
        parser.add_argument(f"--{name}", default="*", metavar="PATTERN", help=f"only of this {name}")
    parser.add_argument(
        "--baseline", default="previous", metavar="VERSION|RUN", help="compare as judge does with it"
    )
    parser.add_argument(
        "--history", type=Path, metavar="DIR", help="also what changed since the nights in this folder"
    )
    parser.add_argument(
        "--fail-on", metavar="WORDS", help="accept these verdicts in place of those of the run's policy"
    )
    parser.add_argument(
        "--accepted", type=Path, metavar="FILE", help="the file (default: trtmatrix-accepted.toml here)"
    )
    parser.set_defaults(func=run)


def run(arguments: argparse.Namespace) -> int:
    """Judge, and write what is accepted into the file."""
    from harness.analysis.accepted import ACCEPTED_FILE, accepted_changes
    from harness.analysis.accepting import accepting, add_accepted, differing
    from harness.analysis.verdict import verdict_message

    expires = last_day(arguments.until)
    if not arguments.reason.strip():
        raise BadOptionError("--reason: say why the change is taken")
    known = accepted_changes(arguments.accepted if _there(arguments.accepted) else None)
    chosen = [v for v in _failing(arguments, known) if _asked(v, arguments)]
    if not chosen:
        raise NothingToAcceptError(
            "nothing asked for fails the policy of these runs; 'trtmatrix judge RUN -v' lists verdicts, "
            + (
                "with --history too"
                if arguments.history
                else "and --history DIR adds those on earlier nights"
            )
        )
    path = arguments.accepted or ACCEPTED_FILE
    new = differing((accepting(v, arguments.reason, expires) for v in chosen), known)
    add_accepted(path, new)
    for verdict in chosen:
        print(f"accepted until {expires}: {verdict_message(verdict)}")
    print(f"{number_of(len(new), 'entry', 'entries')} added to {path}")
    return 0


def last_day(text: str | None, today: date | None = None) -> date:
    """Return the day that *text* names, without one :data:`DAYS` from *today*.

    :raises BadOptionError: it is none, or past
    """
    today = today or datetime.now().astimezone().date()
    if text is None:
        return today + timedelta(days=DAYS)
    try:
        found = date.fromisoformat(text)
    except ValueError:
        raise BadOptionError(f"--until {text}: expected a day like 2027-03-31") from None
    if found < today:
        raise BadOptionError(f"--until {text}: is past; name the last day on which the change is accepted")
    return found


def _there(path: Path | None) -> bool:
    return path is not None and path.exists()


def _failing(arguments: argparse.Namespace, known: Any) -> list[Verdict]:
    from harness.cli.judge import fail_words
    from harness.cli.judging import judged_runs

    words = None if arguments.fail_on is None else fail_words(arguments.fail_on)
    found = judged_runs(arguments.runs, arguments.baseline, known, fail_on=words).failing
    if arguments.history is not None:
        nights = judged_runs(arguments.runs, None, known, fail_on=words, history=arguments.history)
        found = [*found, *nights.failing]
    return found


def _asked(verdict: Verdict, arguments: argparse.Namespace) -> bool:
    return all(fnmatchcase(str(getattr(verdict, name)), getattr(arguments, name)) for name in CHOICES)
