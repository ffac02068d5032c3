"""``trtmatrix judge RUN...``: what changed between versions, and by which policy that fails."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.analysis.table import INDETERMINATE, INVALID, UNSUPPORTED, Change, State
from harness.cli.collector import no_search_for_cycles
from harness.cli.gate_options import add_accepted, add_messages
from harness.errors import EXIT_OK, EXIT_TESTS_FAILED, BadOptionError, UnknownNameError
from harness.written import number_of

if TYPE_CHECKING:
    from harness.analysis.verdict import Verdict
    from harness.cli.judging import Judged

WORDS = (*map(str, Change), *map(str, State), INDETERMINATE, INVALID, UNSUPPORTED)


def add_parser(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser("judge", help="judge stored runs: what was removed, reduced, regressed")
    parser.add_argument("runs", nargs="+", type=Path, metavar="RUN", help="folder of a bundle")
    against = parser.add_mutually_exclusive_group()
    against.add_argument(
        "--baseline",
        default="previous",
        metavar="VERSION|RUN|history|NIGHT",
        help="compare with this version, with the same cells of this stored run, or with the version before "
        "each (previous, the default); with --history with the last nights (history), or with one of them, "
        "named by its day or its run",
    )
    against.add_argument(
        "--treatments",
        metavar="FIELD=OLD:NEW",
        help="instead of versions, compare two treatments of each that differ in one field only: "
        "relu6=clip:relu_sub, cuda_graph=off:on",
    )
    against.add_argument(
        "--runtimes",
        metavar="OLD:NEW",
        help="instead of versions, compare two runtimes on the same networks, treatments and hosts, by the "
        "host's clock: tensorflow:tftrt",
    )
    parser.add_argument(
        "--history", type=Path, metavar="DIR", help="folder of nights that --baseline is looked up in"
    )
    parser.add_argument(
        "--pass",
        dest="judged",
        metavar="NAME",
        help="judge this pass in place of the latency, and nothing else: cuda_graph, cold_l2",
    )
    parser.add_argument(
        "--material",
        metavar="SHARE",
        help="a change is material from this share of the latency, or of the layer time, on: 0.01 for 1 %% "
        "(default: as the matrix of the run says, 1 %%)",
    )
    parser.add_argument(
        "-v",
        "--verbose",
        action="store_true",
        help="print every verdict in words, a line each, in place of tables and what changed",
    )
    parser.add_argument("--json", action="store_true", help="print the verdicts as JSON")
    parser.add_argument(
        "--fail-on",
        metavar="WORDS",
        help="exit with 1 when a verdict is one of these, separated by commas, in place of what the run's "
        f"matrix says ('' for none): {', '.join(WORDS)}",
    )
    add_accepted(parser)
    add_messages(parser)
    parser.set_defaults(func=run)


def run(arguments: argparse.Namespace) -> int:
    """Judge, print, and apply the policy."""
    with no_search_for_cycles():
        return _run(arguments)


def _run(arguments: argparse.Namespace) -> int:
    from harness.analysis.accepted import accepted_changes
    from harness.cli.judging import judged_runs
    from harness.observations.records import LATENCY_PASS
    from harness.report.step_summary import append_summary

    found = judged_runs(
        arguments.runs,
        arguments.baseline,
        accepted_changes(arguments.accepted),
        fail_on=None if arguments.fail_on is None else fail_words(arguments.fail_on),
        material=None if arguments.material is None else share(arguments.material),
        latency_pass=arguments.judged,
        treatments=arguments.treatments,
        runtimes=arguments.runtimes,
        history=arguments.history,
    )
    if arguments.json:
        from harness.analysis.documents import verdicts_document
        from harness.store.documents.base import json_text

        sys.stdout.write(json_text(verdicts_document(found.analysis, arguments.judged or LATENCY_PASS)))
    else:
        _print(found, arguments)
    if arguments.runtimes and not arguments.json:
        from harness.analysis.figures.runtimes import runtime_tables
        from harness.cli.runtime_table import print_runtimes

        print_runtimes(runtime_tables(found.grid, arguments.runtimes.partition(":")[0]))
    append_summary(lambda: found.analysis)
    _tell(found, arguments)
    return EXIT_TESTS_FAILED if found.failing else EXIT_OK


def _tell(found: Judged, arguments: argparse.Namespace) -> None:
    """Send the message of what fails; it is said on standard error what became of it."""
    from harness.messages.message import has_news, message_of
    from harness.messages.sending import send, targets

    message = message_of(found.grid.run, found.verdicts, found.policy)
    if has_news(message):
        for line in send(message, targets(arguments.notify, arguments.notify_command)):
            print(f"trtmatrix: {line}", file=sys.stderr)


def _print(found: Judged, arguments: argparse.Namespace) -> None:
    from harness.cli.verdict_table import print_board, print_notes, print_reproducing, print_short

    shown = [verdict for verdict in found.verdicts if not verdict.unmeasured]
    if arguments.verbose:
        _print_all(shown, arguments.judged)
        print_notes(found.grid)
    else:
        print_board(shown, found.grid, found.rules, found.failing, arguments.judged)
        if found.rules and any(verdict.kind == "version" for verdict in shown):
            print_short(found.short)
    if arguments.judged is None:
        print_reproducing(shown, arguments.runs, arguments.baseline)
    _print_totals(found.verdicts, found.failing)


def share(text: str) -> float:
    """Return the share that *text* names: ``0.01``, ``1%``.

    :raises UsageError: it names none above 0 and below 1
    """
    try:
        value = float(text.rstrip("% ")) / (100 if text.endswith("%") else 1)
    except ValueError:
        value = 0.0
    if not 0 < value < 1:
        raise BadOptionError(f"--material {text}: no share above 0 and below 1, such as 0.01 for 1 %")
    return value


def fail_words(text: str) -> frozenset[str]:
    """Return the verdicts named in *text*, separated by commas.

    :raises UsageError: a word that is no verdict
    """
    words = frozenset(word.strip() for word in text.split(",") if word.strip())
    if unknown := sorted(words - set(WORDS)):
        raise UnknownNameError(f"--fail-on: '{unknown[0]}' is no verdict; known are {', '.join(WORDS)}")
    return words


def _print_all(verdicts: Sequence[Verdict], judged: str | None) -> None:
    """Print a line a verdict; one a cell where the answer is the same for all its bottlenecks."""
    from harness.analysis.verdict import cell_message, verdict_message
    from harness.cli.verdict_table import named_message

    said: set[str] = set()
    for verdict in verdicts:
        if verdict.verdict == UNSUPPORTED:
            message = cell_message(verdict)
            if message in said:
                continue
            said.add(message)
        else:
            message = f"{judged} {verdict_message(verdict)}" if judged else named_message(verdict)
        print(message)


def _print_totals(verdicts: Sequence[Verdict], failing: Sequence[Verdict]) -> None:
    waiting = {verdict.cell for verdict in verdicts if verdict.unmeasured}
    if waiting:
        print(
            f"{number_of(len(waiting), 'cell has', 'cells have')} no verdict: the run ended before their turn"
        )
    from harness.report.telling import telling

    if said := telling(verdicts):
        print(said)
    counts = Counter(v.verdict for v in verdicts if not v.unmeasured)
    totals = ", ".join(f"{number} {word}" for word, number in sorted(counts.items())) or "no verdicts"
    print(totals + (f"; {len(failing)} against the policy" if failing else ""))
