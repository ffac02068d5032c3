"""How much a run could tell: comparisons with an answer and without, and the smallest changes that show."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from harness.analysis.table import INDETERMINATE, INVALID, UNSUPPORTED
from harness.analysis.verdict import LATENCY, Verdict
from harness.written import MOST_TIMES, number_of


def telling(verdicts: Sequence[Verdict]) -> str:
    """Return in a sentence how many comparisons are told and how many not; nothing where none was made.

    A/A pairs are no comparisons that anybody asked for, and what has no builds on a side was not compared.

    ``Of 40 comparisons 31 are told and 9 cannot be told (4 of them are about as large as what is material);
    half of the latencies would show a change of 1.8 %, half of the bottlenecks one of 0.9 % of the layer
    time.``
    """
    compared = [
        one
        for one in verdicts
        if one.kind != "aa" and one.against is not None and all(one.builds)
        if one.verdict not in (INVALID, UNSUPPORTED)
    ]
    if not compared:
        return ""
    open_ones = sum(one.verdict == INDETERMINATE for one in compared)
    told = len(compared) - open_ones
    said = f"of {number_of(len(compared), 'comparison')} "
    said += f"{told} {_are(told)} told and {open_ones} cannot be told"
    if about := sum(one.about_material for one in compared):
        said += f" ({about} of them {_are(about)} about as large as what is material)"
    return "; ".join((said.capitalize(), ", ".join(_shown(compared)))).rstrip("; ") + "."


def _are(count: int) -> str:
    return "is" if count == 1 else "are"


def _shown(compared: Sequence[Verdict]) -> list[str]:
    """Return what the median of the smallest changes is, of latencies and of bottlenecks."""
    latencies = _smallest([one for one in compared if one.bottleneck == LATENCY])
    costs = _smallest([one for one in compared if one.bottleneck != LATENCY and one.difference is not None])
    shown = []
    if latencies is not None:
        shown.append(f"half of the latencies would show a change of {_share(latencies)}")
    if costs is not None:
        one = "one" if shown else "would show a change"
        shown.append(f"half of the bottlenecks {one} of {_share(costs)} of the layer time")
    return shown


def _smallest(verdicts: Sequence[Verdict]) -> float | None:
    """Return the median of what could have been shown; what cannot show any change counts as the largest."""
    sizes = [one.smallest_detectable for one in verdicts if one.scatters]
    known = [float("inf") if size is None else size for size in sizes]
    return median(known) if known else None


def _share(smallest: float) -> str:
    return f"{100 * smallest:.1f} %" if smallest < MOST_TIMES else f"over {MOST_TIMES:.0f} times"
