"""What would settle a comparison that cannot be told: how many more builds, and how long they would take."""

from __future__ import annotations

from harness.analysis.material import settling_width
from harness.analysis.pair import Pair
from harness.analysis.statistics.spending import BUILDS, FIRST, Costs, Step, what_would_settle

_UNKNOWN = Costs(1.0, float("inf"), float("inf"))
"""Prices where a run does not say what its builds took: builds are counted, and nothing is said of time."""


def what_settles(pair: Pair, limit: float) -> str | None:
    """Return in words what would settle *pair*, were its estimate true; None where more builds are no help.

    For people only: when to stop measuring never depends on the estimate.

    :param limit: m on the scale of the difference
    """
    width, confidence = settling_width(pair.difference, limit)
    costs = pair.costs or _UNKNOWN
    step = what_would_settle(pair.situation, width, costs, confidence) if width > 0 else None
    if step is None:
        return f"more than {BUILDS[-1]} more builds a side"
    if not (step.builds or step.processes or step.cycles):
        return None
    return _words(step, known=pair.costs is not None)


def first_builds(builds: tuple[int, int], seconds: float | None) -> str:
    """Return in words how many more builds make a first interval.

    :param builds: of either side; :param seconds: what a build takes, None where that is not known
    """
    more = max(FIRST - min(builds), 1)
    return _words(Step(builds=more, seconds=2 * more * (seconds or 0.0)), known=seconds is not None)


def _words(step: Step, *, known: bool) -> str:
    return step.words if known else step._replace(seconds=0.0).words.rpartition(", ")[0]
