"""How numbers and answers are written, the same in every section."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup, escape

from harness.analysis.figures.kernels import LostLayer
from harness.analysis.figures.times import OpTime
from harness.analysis.verdict import Verdict
from harness.written import (
    MINUS,
    a_second,
    change,
    difference,
    interval,
    milliseconds,
    number_of,
    percent,
    span,
    speed,
)

__all__ = [
    "MINUS",
    "SIGNS",
    "a_second",
    "change",
    "difference",
    "interval",
    "kernel_of",
    "lost_layer",
    "marked",
    "milliseconds",
    "moved",
    "number_of",
    "of_each",
    "percent",
    "sign",
    "some_of",
    "span",
    "speed",
]

SIGNS = {
    "removed": "▼▼",
    "reduced": "▼",
    "unchanged": "=",
    "regressed": "▲",
    "present": "■",
    "absent": "□",
    "indeterminate": "?",
    "invalid": "!",
    "unsupported": "–",
}
"""Answer to a sign that stands before the word: colour is never the only carrier."""


def moved(verdict: Verdict) -> str:
    """Return by how much something changed, nothing where there is no such number.

    A latency by new / old, the cost of a bottleneck as a share of the old layer time.
    """
    if verdict.difference is None:
        return change(verdict.effect)
    return f"{100 * verdict.difference:+.1f} %".replace("-", MINUS)


def of_each(counts: Sequence[int]) -> str:
    """Return the count of each build, nothing where all are 0."""
    return ", ".join(map(str, counts)) if any(counts) else ""


def some_of(counts: tuple[int, int]) -> str:
    """Return ``2 of 3``, nothing of nothing."""
    return f"{counts[0]} of {counts[1]}" if counts[1] else ""


def kernel_of(op: OpTime) -> str:
    """Return the kernel of most builds, and of how many where they differ."""
    same, builds = op.kernel_builds
    return op.kernel if same == builds else f"{op.kernel} ({same} of {builds} builds)"


def lost_layer(lost: LostLayer) -> str:
    """Return by how much a kernel lost for one layer."""
    times = f"{lost.best_ms:.4g} ms against {lost.chosen_ms:.4g} ms"
    said = f"{lost.layer}: {times} of {lost.chosen or 'the chosen kernel'}"
    return said if lost.same_formats else f"{said}, in other formats"


def marked(text: str) -> Markup:
    """Return *text* as HTML, ``gemm_as_conv1x1`` as code; other names may hold anything."""
    return Markup("<code>gemm_as_conv1x1</code>").join(map(escape, text.split("`gemm_as_conv1x1`")))


def sign(answer: str) -> str:
    """Return the sign of *answer*."""
    return SIGNS.get(answer, "·")
