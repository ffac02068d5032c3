"""``trtmatrix compare A B [NETWORK]``: is one version faster than another, and where?"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.cli.measure_options import add_measuring, check_builds, folder_to_measure_into
from harness.cli.question import NETWORK, add_treatment, asked, check_runtime, treatment_of
from harness.errors import EXIT_OK, EXIT_TESTS_FAILED, NothingCanRunError
from harness.matrix.compose import Question

if TYPE_CHECKING:
    from harness.analysis.verdict import Verdict
    from harness.execution.plan import Plan

CPU_BUILDS = 5
"""Builds a version at first where they are cheap: two versions then have as many degrees of freedom as an
interval needs before its width counts, and no second round of builds is asked for that alone."""


def add_parser(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser("compare", help="measure versions side by side: which is faster, and where")
    parser.add_argument(
        "words",
        nargs="+",
        metavar="RUNTIME==VERSION|NETWORK",
        help="two versions or more, the first is the baseline, and a network: a name, or an ONNX file, "
        f"GraphDef or SavedModel ({NETWORK})",
    )
    add_treatment(parser)
    parser.add_argument(
        "--environment", metavar="NAME", help="where the versions live: docker, venv, current"
    )
    parser.add_argument(
        "--within",
        metavar="PERCENT",
        help="enough when each change of the latency is known within as much either way (1)",
    )
    add_measuring(
        parser,
        builds="of each version at first, 2 or more (5 on a CPU, 3 on a GPU)",
        minutes="at most, first builds apart (5)",
        resume="go on with the comparison in --out",
        of_a_file="the file",
    )
    parser.add_argument(
        "--fail-on", default="", metavar="WORDS", help="exit with 1 when a verdict is one of these, as judge"
    )
    parser.set_defaults(func=run)


def run(arguments: argparse.Namespace) -> int:
    """Measure and print."""
    from harness.cli.judge import fail_words
    from harness.execution.measuring import measure
    from harness.execution.plan import Choices, plan_of
    from harness.matrix.compose import compose
    from harness.plugins import registry
    from harness.store.documents.origin import CPU

    policy = fail_words(arguments.fail_on)
    question, files = _question(arguments)
    parts = registry.parts()
    check_runtime(question, parts)
    if arguments.builds is None:
        runtime = parts.runtimes[question.runtime]
        on_cpu = all(runtime.device_of(version) == CPU for version in question.versions)
        question = replace(question, builds=CPU_BUILDS if on_cpu else question.builds)
    choices = Choices(networks=files, shapes=tuple(arguments.shape), resume=arguments.resume)
    plan = plan_of(compose(question, parts.treatments), choices, parts)
    out = folder_to_measure_into(arguments, plan)
    _check(plan)
    try:
        measure(plan, replace(choices, out=out), plan.cells, parts, _say)
    except KeyboardInterrupt:
        _say(f"what was measured is in {out}; the same command with --out {out} --resume goes on")
        raise
    failing = _answer(out, question.versions[0], policy)
    if arguments.report is not None:
        from harness.cli.report import write_report

        write_report([out], arguments.report)
        print(f"report: {arguments.report}")
    print(f"bundle in {out}")
    return EXIT_TESTS_FAILED if failing else EXIT_OK


def _question(arguments: argparse.Namespace) -> tuple[Question, tuple[Path, ...]]:
    """Return what is asked, and the file of a network where one is named."""
    from harness.execution.plan import above_zero

    question, file = asked(arguments.words, treatment_of(arguments))
    builds = Question.builds if arguments.builds is None else arguments.builds
    check_builds(builds, least=2)
    question = replace(
        question,
        environment=arguments.environment,
        builds=builds,
        minutes=above_zero(arguments.minutes, "--minutes") or Question.minutes,
        precision=_share(arguments.within) or Question.precision,
    )
    return question, () if file is None else (file,)


def _share(percent: str | None) -> float | None:
    from harness.execution.plan import above_zero

    value = above_zero(percent, "--within")
    return None if value is None else value / 100


def _check(plan: Plan) -> None:
    """Say before anything is measured that a version cannot run here.

    :raises NothingCanRunError: which, and why
    """
    from harness.execution.preflight import preflight
    from harness.plugins import registry

    for item in preflight(plan.cells, registry.parts()):
        if item.state != "ok":
            reason = "; ".join(part for part in (item.reason, item.remedy) if part)
            raise NothingCanRunError(f"{item.cell.release} cannot run here: {reason}")


def _answer(out: Path, baseline: str, policy: frozenset[str]) -> list[Verdict]:
    """Print the answer; return the verdicts that the policy fails on."""
    from harness.analysis.grid import grid_of
    from harness.analysis.judge import judge
    from harness.analysis.policy import Policy
    from harness.plugins import registry
    from harness.plugins.reading import observe
    from harness.report.comparison import layer_rows, sentences

    verdicts = judge(grid_of(observe([out])), baseline, rules=registry.bottlenecks())
    for line in sentences(verdicts):
        print(line)
    _print_layers(layer_rows(verdicts))
    return Policy(policy).failing(verdicts)


def _print_layers(rows: Sequence[tuple[str, str, str, str, str]]) -> None:
    from rich.console import Console
    from rich.table import Table

    if not rows:
        return
    console = Console(width=None if sys.stdout.isatty() else 10_000, highlight=False)
    table = Table(box=None, pad_edge=False, header_style="dim")
    for title, right in (
        ("version", False),
        ("layer", False),
        ("old, ms", True),
        ("new, ms", True),
        ("difference", True),
    ):
        table.add_column(title, justify="right" if right else "left")
    for row in rows:
        table.add_row(*row)
    console.print(table)


def _say(line: str) -> None:
    # On standard error: the answer alone is on standard output. How far a round of cycles is stands in one
    # place of a terminal, and nowhere else.
    passing = ": cycle " in line
    if not sys.stderr.isatty():
        if not passing:
            print(line, file=sys.stderr, flush=True)
        return
    print(f"\r\033[K{line}", end="" if passing else "\n", file=sys.stderr, flush=True)
