"""Verdicts in the terminal: a table a network and treatment, what changed in words below it."""

from __future__ import annotations

import shlex
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from harness.analysis.table import UNSUPPORTED
from harness.analysis.verdict import LATENCY, ONE_A_SIDE, ONE_AFTER_THE_OTHER, Verdict, verdict_message
from harness.matrix.file import PREVIOUS
from harness.report import words
from harness.report.board import Board, BoardRow, board
from harness.written import number_of

if TYPE_CHECKING:
    from rich.console import Console

    from harness.analysis.answers.short import ShortAnswer
    from harness.analysis.grid import Grid

_KINDS = ("version", "run", "treatment", "runtime", "aa", "night")
_WIDTH = 14
"""Of a column of answers: ``▲ 15.8 times ■``."""

_MARKS = {ONE_AFTER_THE_OTHER: " *", ONE_A_SIDE: " +"}
"""Behind a version that no block tells from what it is compared with, by how both were measured."""

_WIDE = 125
"""A terminal that has room for all columns at their width."""


def print_board(
    verdicts: Sequence[Verdict],
    grid: Grid,
    rules: Iterable[str],
    failing: Sequence[Verdict],
    judged: str | None,
) -> None:
    """Print the verdicts on a run as tables, and in words those that are a change or against the policy.

    :param rules: names, in the order of the columns
    :param failing: those against the policy; :param judged: the pass that was judged in place of the latency
    """
    from rich.console import Console

    # A pipe has no width: there a row stays one line, however long.
    console = Console(width=None if sys.stdout.isatty() else 10_000, highlight=False)
    answered = [v for v in verdicts if v.verdict != UNSUPPORTED]
    shown = board(answered, grid, {name: name for name in rules}, _KINDS)
    for _, rows in groupby(shown.rows, key=lambda row: (row.subject, row.host)):
        _print_group(console, shown, list(rows), judged)
    if shown.rows:
        print(_legend(shown))
        _print_meaning(shown)
    _print_settling(shown)
    print_notes(grid)
    _print_counted("unsupported", (v for v in verdicts if v.verdict == UNSUPPORTED))
    # Tried, and without a build that could be looked at: the tables have nothing but question marks for it.
    _print_counted("without an answer", (v for v in answered if v.evidence.get("status") == "failed"))
    against = {id(verdict) for verdict in failing}  # There may be thousands, long to compare.
    for verdict in answered:
        if verdict.alarm or id(verdict) in against:
            print(f"{judged} {verdict_message(verdict)}" if judged else named_message(verdict))


def named_message(verdict: Verdict) -> str:
    """Return the line on *verdict*, with its name where ``reproduce`` takes it."""
    message = verdict_message(verdict)
    return f"{message} [{verdict.name}]" if verdict.can_be_reproduced else message


def print_reproducing(verdicts: Iterable[Verdict], runs: Sequence[Path], baseline: str) -> None:
    """Print the command that cuts a change out of its network, for the first of *verdicts* that is one.

    :param runs: as they were named; :param baseline: what they were compared with
    """
    first = next((verdict for verdict in verdicts if verdict.can_be_reproduced), None)
    if first is not None and len(runs) == 1:
        against = "" if baseline == PREVIOUS else f" --baseline {shlex.quote(baseline)}"
        command = f"trtmatrix reproduce {shlex.quote(str(runs[0]))} {first.name} -o DIR{against}"
        print(f"a change cut out of its network, for a bug report, by its name in brackets: {command}")


def print_short(short: Sequence[ShortAnswer]) -> None:
    """Print the short answers on each runtime."""
    for one in short:
        print(f"{one.runtime}{f' on {one.device}' if one.device else ''}")
        for question, text in one.lines:
            print(_plain(f"  {question} {text}"))


def print_notes(grid: Grid) -> None:
    """Print which builds are pooled and which are not, and what cannot be read here."""
    for note in (*grid.pooling, *grid.run.unread):
        print(note)


def _print_meaning(shown: Board) -> None:
    """Print what the numbers are of, and which rows were measured otherwise."""
    answers = [verdict for row in shown.rows for verdict in row.cells if verdict is not None]
    if any(verdict.difference is not None for verdict in answers):
        print("latency: new / old; bottlenecks: change of the cost as a share of the old layer time")
    for measured, mark in _MARKS.items():
        if any(verdict.measured == measured for verdict in answers):
            print(f"{mark.strip()} measured {measured}")


def _print_settling(shown: Board) -> None:
    """Print what would settle each answer that cannot be told, a line a row."""
    for row in shown.rows:
        said = [f"{v.bottleneck} by {v.settles}" for v in row.cells if v is not None and v.settles]
        if said:
            where = f"{row.subject} on {row.release}" + (f" ({row.host})" if row.host else "")
            print(f"{where} against {row.against} would be settled: {'; '.join(said)}")


def _print_counted(what: str, verdicts: Iterable[Verdict]) -> None:
    """Print of how many cells the *verdicts* are, a line a reason."""
    reasons = {verdict.cell: verdict.reason for verdict in verdicts}
    for reason, cells in Counter(reasons.values()).items():
        print(f"{number_of(cells, 'cell')} {what}: {reason}")


def _print_group(console: Console, shown: Board, rows: Sequence[BoardRow], judged: str | None) -> None:
    from rich.table import Table
    from rich.text import Text

    first = rows[0]
    console.print(Text(first.subject + (f" on {first.host}" if first.host else ""), style="bold"))
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="dim")
    table.add_column("", min_width=30, no_wrap=True)
    # On a narrow terminal an answer takes two lines, and no version is cut.
    least = _WIDTH if console.width >= _WIDE else None
    # The names that --bottleneck and --json know, which are short.
    for name, _ in shown.columns:
        table.add_column(judged if judged and name == LATENCY else name, min_width=least, overflow="fold")
    for row in rows:
        against = f" against {row.against}" if row.against else ""
        # Text, not str: names in square brackets are not markup.
        mark = next((_MARKS[x.measured] for x in row.cells if x and x.measured in _MARKS), "")
        table.add_row(*map(Text, (f"{row.release}{against}{mark}", *map(_answer, row.cells))))
    console.print(table)
    console.print()


def _answer(verdict: Verdict | None) -> str:
    """Return ``▼ -16.5 % ■``: the answer's sign, what changed by how much, whether it is a bottleneck now."""
    if verdict is None:
        return ""
    answer = words.sign(verdict.verdict)
    # What costs nothing on either side has a ratio of 1, which was not measured.
    number = words.moved(verdict) if verdict.scatters or verdict.effect != 1 else ""
    state = words.sign(str(verdict.state)) if verdict.state is not None else ""
    return _plain(" ".join(dict.fromkeys(part for part in (answer, number, state) if part)))


def _plain(text: str) -> str:
    """Return *text*, with words in place of signs where the terminal has none."""
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        for word, sign in words.SIGNS.items():
            text = text.replace(sign, word if not sign.isascii() else sign)
        text = text.replace(words.MINUS, "-")
    return text


def _legend(shown: Board) -> str:
    """Return each sign that stands in the tables with its word."""
    answers = [verdict for row in shown.rows for verdict in row.cells if verdict is not None]
    said = {verdict.verdict for verdict in answers} | {str(verdict.state) for verdict in answers}
    signs = {word: _plain(sign) for word, sign in words.SIGNS.items() if word in said}
    return "  ".join(word if sign == word else f"{sign} {word}" for word, sign in signs.items())
