"""How numbers and answers are written, the same in every section."""

from __future__ import annotations

from collections.abc import Sequence

from harness.analysis.figures.kernels import LostLayer
from harness.analysis.figures.times import OpTime
from harness.analysis.verdict import Verdict
from harness.analysis.wording import MOST_TIMES

MINUS = "\N{MINUS SIGN}"

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


def milliseconds(value: float | None) -> str:
    """Return *value* with as many digits as are worth reading, nothing for None."""
    if value is None:
        return ""
    if value == 0:
        return "0"
    if value < 0.0995:
        return f"{value:.4f}"
    return f"{value:.3f}" if value < 10 else f"{value:.2f}" if value < 100 else f"{value:.1f}"


def difference(value: float) -> str:
    """Return a difference of milliseconds with its sign: ``-0.0110 ms``."""
    return f"{'+' if value > 0 else MINUS}{milliseconds(abs(value))} ms"


def percent(share: float | None, digits: int = 1) -> str:
    """Return a share of 1 in percent: ``12.3 %``."""
    return "" if share is None else f"{100 * share:.{digits}f} %"


def change(factor: float | None) -> str:
    """Return new / old as people say it: ``-12.3 %``, ``+5.0 %``, and from a factor of 2 on ``3.1 times``.

    Beyond a factor of 1000 either way only that is said.
    """
    if factor is None:
        return ""
    if factor > MOST_TIMES:
        return f"over {MOST_TIMES:.0f} times"
    if factor < 1 / MOST_TIMES:
        return f"under 1/{MOST_TIMES:.0f}"
    if factor >= 2:
        return f"{factor:.{1 if factor < 100 else 0}f} times"
    return f"{100 * (factor - 1):+.1f} %".replace("-", MINUS)


def moved(verdict: Verdict) -> str:
    """Return by how much something changed, nothing where there is no such number.

    A latency by new / old, the cost of a bottleneck as a share of the old layer time.
    """
    if verdict.difference is None:
        return change(verdict.effect)
    return f"{100 * verdict.difference:+.1f} %".replace("-", MINUS)


def interval(ends: tuple[float, float] | None) -> str:
    """Return an interval of a ratio: ``-15.0 % to -9.1 %``."""
    return "" if ends is None else f"{change(ends[0])} to {change(ends[1])}"


def span(counts: Sequence[int]) -> str:
    """Return ``74``, or ``54 to 88`` where builds differ."""
    low, high = min(counts), max(counts)
    return str(low) if low == high else f"{low} to {high}"


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


def sign(answer: str) -> str:
    """Return the sign of *answer*."""
    return SIGNS.get(answer, "·")
