"""A Markdown summary for continuous integration, never longer than the service takes.

Sections stand in the order of their worth. When they are too long together, whole sections are dropped, in
the order of :data:`DROPPED_FIRST`, and the summary says which; the answers are cut only when they alone are
too long.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from harness.analysis.answers.best import Best
from harness.analysis.run_analysis import RunAnalysis
from harness.analysis.verdict import Verdict
from harness.report import words
from harness.report.board import BoardRow, board, noise
from harness.report.glance import glance
from harness.report.parity import not_run
from harness.report.telling import telling
from harness.written import number_of

LIMIT = 1024 * 1024
"""Bytes that a job summary may have."""

DROPPED_FIRST = ("Where the time goes", "Noise", "Matrix", "Verdicts", "Not run")
"""Titles of sections in the order in which they are left out."""

_SPECIAL = re.compile(r"([\\`*_\[\]#|<>&~$:@]|(?<=www)\.)", re.IGNORECASE)


def literal(text: object) -> str:
    """Return *text* as Markdown that shows it as it is: one line, no markup, no links, no mentions.

    >>> literal("a|b <i>")
    'a&#124;b &#60;i&#62;'
    """
    one_line = " ".join(str(text).split())
    return _SPECIAL.sub(lambda special: f"&#{ord(special[1])};", one_line)


def summary(analysis: RunAnalysis, limit: int = LIMIT) -> str:
    """Return the summary of *analysis*, at most *limit* bytes of UTF-8."""
    texts = {
        "Answers": _answers(analysis),
        "Not run": _not_run(analysis),
        "Verdicts": _verdicts(analysis),
        "Matrix": _matrix(analysis),
        "Noise": _noise(analysis),
        "Where the time goes": _times(analysis),
    }
    sections = {title: text for title, text in texts.items() if text}
    dropped: list[str] = []
    for title in DROPPED_FIRST:
        if len(_page(sections, dropped).encode()) <= limit:
            break
        if sections.pop(title, None) is not None:
            dropped.append(title)
    return _page(sections, dropped).encode()[:limit].decode("utf-8", errors="ignore")


def _page(sections: dict[str, str], dropped: Sequence[str]) -> str:
    parts = ["# trtmatrix"]
    if dropped:
        parts.append("Left out, too long for a summary: " + ", ".join(dropped) + ".")
    parts += [f"## {title}\n\n{text}" for title, text in sections.items()]
    return "\n\n".join(parts) + "\n"


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [" | ".join(literal(cell) for cell in row) for row in rows]
    if not lines:
        return ""
    return "\n".join(f"| {line} |" for line in (" | ".join(head), " | ".join("---" for _ in head), *lines))


def _answers(analysis: RunAnalysis) -> str:
    said = telling(analysis.verdicts)
    lines = [literal(said), ""] if said else []
    for short in analysis.short:
        device = f" on {short.device}" if short.device else ""
        lines.append(f"**{literal(short.runtime + device)}**")
        lines.append("")
        lines += [f"- {literal(question)} {literal(text)}" for question, text in short.lines]
        lines.append("")
    for answer in analysis.answers:
        lines.append(f"- **{literal(answer.subject)}**: {literal(_best(answer.best))}")
        if answer.graph is not None:
            bound = (
                f"launching bounds {answer.launch_bound[0]} of {number_of(answer.launch_bound[1], 'build')}"
            )
            lines.append(f"  - {literal(f'{bound}; as CUDA graphs, {_best(answer.graph)}')}")
        lines += [f"  - {literal(f'of the intervals: {note}')}" for note in answer.notes]
        for change in answer.changes:
            moved = [f"{layer.name} {words.difference(layer.difference_ms)}" for layer in change.carriers[:3]]
            layers = ", ".join(moved) or "no single layer for certain"
            effect = f"{words.change(change.effect)} ({words.interval(change.interval)})"
            where = f"{change.runtime} {change.against} to {change.version}"
            lines.append(f"  - {literal(f'{change.verdict} from {where}: {effect}, carried by {layers}')}")
        for one in answer.runtimes:
            of = f"{one.runtime}, " if len(answer.runtimes) > 1 else ""
            lines += [f"  - {literal(f'{of}{f.title}: {f.text}')}" for f in one.findings if not f.quiet]
        for verdict in answer.unsettled:
            where = f"{verdict.runtime} {verdict.against} to {verdict.version}"
            lines.append(f"  - {literal(f'cannot tell from {where}; would be settled by {verdict.settles}')}")
    return "\n".join(lines)


def _best(best: Best) -> str:
    name, figure = best.release.label, f"{words.milliseconds(best.milliseconds)} ms"
    if a_second := words.a_second(best.speed.images_per_s, best.speed.gflops_per_s):
        figure = f"{figure} ({a_second})"
    if best.open:
        return f"no version stands out; lowest, {name}: {figure}"
    if not best.others:
        return f"{name}, the only one measured: {figure}"
    ties = f", not to be told from {', '.join(t.label for t in best.ties)}" if best.ties else ""
    return f"{name} is {'lowest' if best.ties else 'fastest'}: {figure}{ties}"


def _not_run(analysis: RunAnalysis) -> str:
    return _table(
        ("cells", "status", "reason"), ((_some(n.cells), n.status, n.reason) for n in not_run(analysis.grid))
    )


def _some(names: Sequence[str], shown: int = 3) -> str:
    more = f" and {len(names) - shown} more" if len(names) > shown else ""
    return ", ".join(names[:shown]) + more


def _verdicts(analysis: RunAnalysis) -> str:
    verdicts = board(analysis.verdicts, analysis.grid, analysis.titles)
    head = ("network and treatment", "version", "against", *(title for _, title in verdicts.columns))
    return _table(head, map(_verdict_row, verdicts.rows))


def _verdict_row(row: BoardRow) -> tuple[str, ...]:
    subject = f"{row.subject} on {row.host}" if row.host else row.subject
    return (subject, row.release, row.against, *(_word(verdict) for verdict in row.cells))


def _word(verdict: Verdict | None) -> str:
    if verdict is None:
        return ""
    effect = words.moved(verdict) if verdict.change else ""
    return f"{words.sign(verdict.verdict)} {verdict.verdict} {effect}".strip()


def _matrix(analysis: RunAnalysis) -> str:
    cells = glance(analysis.grid)
    head = ("network and treatment", *(literal(release.label) for release in cells.columns))
    rows = (
        (row.subject, *("" if c is None else words.milliseconds(c.latency_ms) or c.status for c in row.cells))
        for row in cells.rows
    )
    table = _table(head, rows)
    return f"Latency in ms, mean over builds.\n\n{table}" if table else ""


def _noise(analysis: RunAnalysis) -> str:
    head = ("network and treatment", "A/A pair", "arms differ by", "interval", "answer")
    rows = (
        (
            row.subject,
            f"{row.runtime} {row.version}",
            words.change(row.aa.effect),
            words.interval(row.aa.interval),
            row.aa.verdict,
        )
        for row in noise(analysis.verdicts)
    )
    return _table(head, rows)


def _times(analysis: RunAnalysis) -> str:
    rows = (
        (row.name, bar.release.label, name, words.milliseconds(ms), words.percent(share))
        for row in analysis.rows
        if row.times is not None
        for bar in row.times.classes
        for name, ms, share in bar.parts
    )
    return _table(("network and treatment", "release", "class", "ms", "share"), rows)
