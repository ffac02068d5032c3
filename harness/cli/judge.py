"""``trtmatrix judge RUN...``: what changed between versions, and by which policy that fails."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.analysis.table import INDETERMINATE, INVALID, UNSUPPORTED, Change, State
from harness.cli.collector import no_search_for_cycles
from harness.errors import EXIT_OK, EXIT_TESTS_FAILED, BadOptionError, NothingToCompareError, UnknownNameError

if TYPE_CHECKING:
    from harness.analysis.grid import Grid
    from harness.analysis.rules.base import Rule
    from harness.analysis.verdict import Verdict
    from harness.observations.records import RunObservation

WORDS = (*map(str, Change), *map(str, State), INDETERMINATE, INVALID, UNSUPPORTED)


def add_parser(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser("judge", help="judge stored runs: what was removed, reduced, regressed")
    parser.add_argument("runs", nargs="+", type=Path, metavar="RUN", help="folder of a bundle")
    against = parser.add_mutually_exclusive_group()
    against.add_argument(
        "--baseline",
        default="previous",
        metavar="VERSION|RUN",
        help="compare with this version, with the same cells of this stored run, or with the version before "
        "each (previous, the default)",
    )
    against.add_argument(
        "--treatments",
        metavar="FIELD=OLD:NEW",
        help="instead of versions, compare two treatments of each that differ in one field only: "
        "relu6=clip:relu_sub, cuda_graph=off:on",
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
        default="",
        metavar="WORDS",
        help=f"exit with 1 when a verdict is one of these, separated by commas: {', '.join(WORDS)}",
    )
    parser.add_argument("--accepted", type=Path, metavar="FILE", help="TOML file of accepted changes")
    parser.set_defaults(func=run)


def run(arguments: argparse.Namespace) -> int:
    """Judge, print, and apply the policy."""
    with no_search_for_cycles():
        return _run(arguments)


def _run(arguments: argparse.Namespace) -> int:
    from harness.analysis.accepted import read_accepted
    from harness.analysis.baseline import baseline_name
    from harness.analysis.grid import grid_of
    from harness.analysis.judge import compare_treatments, judge
    from harness.observations.records import LATENCY_PASS
    from harness.plugins import registry
    from harness.plugins.reading import observe

    policy = fail_words(arguments.fail_on)
    material = None if arguments.material is None else share(arguments.material)
    accepted = read_accepted(arguments.accepted) if arguments.accepted is not None else []
    run = observe(arguments.runs)
    rules: Mapping[str, Rule] = registry.bottlenecks()
    if arguments.judged is not None:
        # The bottlenecks' costs come from the profile: another pass says nothing of them.
        run, rules = _of_pass(run, arguments.judged), {}
    grid = grid_of(run)
    if arguments.treatments is not None:
        field, old, new = treatments(arguments.treatments)
        verdicts = compare_treatments(
            grid, field, old, new, rules=rules, accepted=accepted, material=material
        )
        against = f"{field} {old}"
        if not verdicts:
            raise NothingToCompareError(
                f"--treatments {arguments.treatments}: no version of these runs has both"
            )
    else:
        baseline = _baseline(arguments.baseline, arguments.judged)
        verdicts = judge(grid, baseline, rules=rules, accepted=accepted, material=material)
        against = baseline_name(baseline)
    failing = [v for v in verdicts if v.verdict in policy and v.accepted is None and not v.unmeasured]
    if arguments.json:
        from harness.analysis.documents import verdicts_document
        from harness.analysis.run_analysis import analyse
        from harness.store.documents.base import json_text

        analysis = analyse(grid, verdicts, against, rules=rules)
        sys.stdout.write(json_text(verdicts_document(analysis, arguments.judged or LATENCY_PASS)))
    else:
        from harness.cli.verdict_table import print_board, print_notes

        shown = [verdict for verdict in verdicts if not verdict.unmeasured]
        if arguments.verbose:
            _print_all(shown, arguments.judged)
            print_notes(grid)
        else:
            print_board(shown, grid, rules, failing, arguments.judged)
        _print_totals(verdicts, failing)
    return EXIT_TESTS_FAILED if failing else EXIT_OK


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


def treatments(text: str) -> tuple[str, str, str]:
    """Return field, old and new value of ``FIELD=OLD:NEW``.

    :raises UsageError: it is not of that form
    """
    field, _, values = text.partition("=")
    old, _, new = values.partition(":")
    if not (field and old and new):
        raise BadOptionError(f"--treatments {text}: expected FIELD=OLD:NEW, such as relu6=clip:relu_sub")
    return field, old, new


def _baseline(text: str, judged: str | None) -> str | Grid:
    from harness.analysis.grid import grid_of
    from harness.plugins.reading import observe

    if not Path(text).is_dir():
        return text
    run = observe([Path(text)])
    return grid_of(run if judged is None else _of_pass(run, judged))


def _of_pass(run: RunObservation, name: str) -> RunObservation:
    from harness.observations.records import judged_by, passes_of

    if name not in (known := passes_of(run)):
        raise NothingToCompareError(
            f"--pass {name}: no build of these runs has it; they have {', '.join(known) or 'none'}"
        )
    return judged_by(run, name)


def _print_all(verdicts: Sequence[Verdict], judged: str | None) -> None:
    """Print a line a verdict; one a cell where the answer is the same for all its bottlenecks."""
    from harness.analysis.verdict import cell_message, verdict_message

    said: set[str] = set()
    for verdict in verdicts:
        if verdict.verdict == UNSUPPORTED:
            message = cell_message(verdict)
            if message in said:
                continue
            said.add(message)
        else:
            message = f"{judged} {verdict_message(verdict)}" if judged else verdict_message(verdict)
        print(message)


def _print_totals(verdicts: Sequence[Verdict], failing: Sequence[Verdict]) -> None:
    waiting = {verdict.cell for verdict in verdicts if verdict.unmeasured}
    if waiting:
        print(f"{len(waiting)} cells have no verdict: the run ended before their turn")
    from harness.report.telling import telling

    if said := telling(verdicts):
        print(said)
    counts = Counter(v.verdict for v in verdicts if not v.unmeasured)
    totals = ", ".join(f"{number} {word}" for word, number in sorted(counts.items())) or "no verdicts"
    print(totals + (f"; {len(failing)} against the policy" if failing else ""))
