"""The decision table of what is material: from a difference with its error to a change.

Chosen in simulation before real comparisons were looked at (docs/decisions/0003-material.md).
"""

from __future__ import annotations

import math

import msgspec
import numpy as np
from numpy.typing import NDArray

from harness.analysis.statistics.differences import Difference
from harness.analysis.statistics.intervals import Interval, t_quantile
from harness.analysis.statistics.levels import Values
from harness.analysis.table import Answer, Change, State
from harness.analysis.wording import times

MATERIAL = 0.01
"""m: a change is material from this share of the latency (for a bottleneck: of the layer time) on."""

LIMIT = math.log1p(MATERIAL)
"""The same on the logarithm."""

SHOWN = 0.95
"""Confidence of the interval that is shown, and of the claim that nothing changed."""

ALARM = 0.99
"""Confidence of the interval that decides an alarm: at most 1 % are false, whatever m, up to m itself."""

POWER = 0.90
"""Power for which the smallest change is printed, were the spread that was seen the true one. It seldom is:
of other builds like these about four of five show that change (in simulation)."""

UNEVEN = 2
"""Slow builds that one side has more than the other before the rest alone may not be called unchanged."""


class SlowBuilds(msgspec.Struct, frozen=True):
    """The builds of one side that were set aside by the rule for rare slow builds.

    :param count: how many; :param of: among how many
    :param by: how much slower than the mean of the rest, least and most, of 1; None without any
    """

    count: int
    of: int
    by: tuple[float, float] | None = None

    @property
    def words(self) -> str:
        """What to say beside the comparison, empty without any: ``1 of 10 builds is 20.1 % slower``."""
        if self.by is None:
            return ""
        low, high = (f"{100 * x:.1f}" for x in self.by)
        size = low if low == high else f"{low} to {high}"
        verb = "is" if self.count == 1 else "are"
        return f"{self.count} of {self.of} builds {verb} {size} % slower than the rest"


def slow_side(logs: Values, slow: NDArray[np.bool_]) -> SlowBuilds:
    """Return what was set aside of one side.

    :param logs: logarithms, one a build, NaN for none; :param slow: which of them were set aside
    """
    there = np.isfinite(logs)
    mine = there & slow
    if not mine.any():
        return SlowBuilds(0, int(there.sum()))
    by = np.expm1(logs[mine] - logs[there & ~slow].mean())
    return SlowBuilds(int(mine.sum()), int(there.sum()), (float(by.min()), float(by.max())))


def latency_answer(
    found: Difference,
    material: float = MATERIAL,
    slow: tuple[SlowBuilds, SlowBuilds] | None = None,
    alarm: float = ALARM,
) -> Answer:
    """Return the change of a latency.

    :param found: new minus old on the logarithm, slow builds set aside
    :param slow: what was set aside of the old and of the new side
    :param alarm: confidence of the interval that decides
    """
    shown, deciding = found.ratio(SHOWN), found.ratio(alarm)
    text = f"{times(shown.estimate, 4)} times ({times(shown.low, 4)} to {times(shown.high, 4)})"
    return _answer(shown, deciding, (1 - material, 1 + material), text, slow)


def bottleneck_answer(
    found: Difference,
    old: State | None,
    new: State | None,
    material: float = MATERIAL,
    slow: tuple[SlowBuilds, SlowBuilds] | None = None,
    alarm: float = ALARM,
) -> Answer:
    """Return the change of a bottleneck by d = (cost(new) - cost(old)) / total layer time(old).

    :param found: d with its error, of 1 (see :func:`harness.analysis.statistics.differences.cost_shares`)
    :param old, new: states of the two versions, None where they cannot be told
    """
    shown, deciding = found.interval(SHOWN), found.interval(alarm)
    span = f"{100 * shown.low:+.2f} to {100 * shown.high:+.2f}"
    text = f"{100 * shown.estimate:+.2f} % of the old layer time ({span})"
    said = _answer(shown, deciding, (-material, material), text, slow)
    if said.change in (None, Change.UNCHANGED):
        return said
    if old is State.ABSENT and new is State.ABSENT:
        return Answer(None, f"{said.reason}, but under 5 % of the layer time in both versions")
    if said.change is Change.REDUCED and old is State.PRESENT and new is State.ABSENT:
        return Answer(Change.REMOVED, f"{said.reason}, present before and absent now")
    return said


def smallest_seen(
    found: Difference, limit: float = LIMIT, power: float = POWER, alarm: float = ALARM
) -> float:
    """Return the smallest slowdown that repetitions like these show with probability *power*.

    Its deciding interval must lie above m, so it exceeds m by t standard errors, t the quantile of that
    interval, and by what the estimate and the error itself scatter: z sqrt(1 + t^2 / (2 degrees)), z the
    normal quantile of *power* (the usual approximation of the noncentral t).

    :param limit: m on the scale of the difference
    :return: on that scale: a logarithm (``expm1`` of it is a fraction) or a share
    """
    error, degrees = math.sqrt(float(found.variance)), float(found.degrees)
    t = t_quantile(0.5 + alarm / 2, degrees)
    z = t_quantile(power, math.inf)
    return limit + error * (t + z * math.sqrt(1 + t**2 / (2 * degrees)))


def settling_width(found: Difference, limit: float = LIMIT) -> tuple[float, float]:
    """Return the half width and its confidence that would tell the answer, were the estimate true.

    For the words beside "cannot tell" only; when to stop measuring never depends on the estimate.

    :param limit: m on the scale of the difference
    :return: half width on the scale of the difference (0 where the estimate lies at m itself), confidence
    """
    beyond = abs(float(found.estimate)) - limit
    return (beyond, ALARM) if beyond > 0 else (-beyond, SHOWN)


def _answer(
    shown: Interval,
    deciding: Interval,
    limits: tuple[float, float],
    text: str,
    slow: tuple[SlowBuilds, SlowBuilds] | None,
) -> Answer:
    low, high = limits
    notes = [text]
    if slow is not None:
        notes += [f"{side}: {x.words}" for side, x in zip(("old", "new"), slow, strict=True) if x.words]
    if deciding.above(high):
        return Answer(Change.REGRESSED, "; ".join(notes))
    if deciding.below(low):
        return Answer(Change.REDUCED, "; ".join(notes))
    if not shown.inside(low, high):
        return Answer(None, "; ".join(notes))
    if slow is not None and abs(slow[0].count - slow[1].count) >= UNEVEN:
        notes.append("the rest did not change, but whether one version is slow more often cannot be told")
        return Answer(None, "; ".join(notes))
    return Answer(Change.UNCHANGED, "; ".join(notes))
