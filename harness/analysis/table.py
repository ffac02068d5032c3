"""The decision table: from intervals to a state, a change and the one word to show.

Fixed before results are looked at (docs/decisions/0001-decision-table.md). Nothing here reads a file or
knows a runtime; a change of a number or a line is a recorded decision.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from harness.analysis.statistics.intervals import Interval
from harness.analysis.wording import times

PRESENT_SHARE = 0.05
"""e: a bottleneck is present from this share of the total layer time on."""

RESOLUTION = 0.001
"""Costs below this share of the layer time are not told apart from each other, nor from zero."""

WIDEST_UNCHANGED = 0.05
"""However noisy a cell, nothing is called unchanged that may have changed by more than this."""

MINIMUM_BUILDS = 2


class State(StrEnum):
    """Whether a bottleneck is there in one version."""

    PRESENT = "present"
    ABSENT = "absent"


class Change(StrEnum):
    """What happened to a bottleneck, or to the latency, between two versions."""

    REMOVED = "removed"
    REDUCED = "reduced"
    UNCHANGED = "unchanged"
    REGRESSED = "regressed"


INDETERMINATE = "indeterminate"
INVALID = "invalid"
UNSUPPORTED = "unsupported"
ALARMS = frozenset({*Change, INVALID, UNSUPPORTED} - {Change.UNCHANGED})


@dataclass(frozen=True)
class Answer:
    """A line of the table: the change, or None with the reason why none can be told."""

    change: Change | None
    reason: str


def state_of(share: Interval | None) -> State | None:
    """Return the state for the interval of e (a fraction), None where it cannot be told.

    :param share: e with its interval over builds, None for fewer than two builds or a partial profile
    """
    if share is None:
        return None
    if share.above(PRESENT_SHARE):
        return State.PRESENT
    return State.ABSENT if share.below(PRESENT_SHARE) else None


def change_of(r: Interval, m: float, old: State | None, new: State | None) -> Answer:
    """Return the change of a bottleneck's cost.

    :param r: cost(new) / cost(old) with its interval; :param m: the margin, a fraction
    :param old, new: states of the two versions, None where they cannot be told
    """
    if not r.below(1 - m):
        return latency_change(r, m)
    if old is State.PRESENT and new is State.ABSENT:
        return Answer(Change.REMOVED, f"{_text(r)}, present before and absent now")
    if new is State.PRESENT:
        return Answer(Change.REDUCED, f"{_text(r)}, below 1 - {m:.3f}, still present")
    if old is State.ABSENT and new is State.ABSENT:
        return Answer(
            Change.REDUCED, f"{_text(r)}, below 1 - {m:.3f}; under 5 % of the layer time in both versions"
        )
    unknown = "was" if old is None and new is not None else "still is"
    return Answer(
        None, f"{_text(r)}: the cost fell, but whether the bottleneck {unknown} present cannot be told"
    )


def latency_change(r: Interval, m: float) -> Answer:
    """Return the change by the same table with e left out: never ``removed``."""
    if r.below(1 - m):
        return Answer(Change.REDUCED, f"{_text(r)}, below 1 - {m:.3f}")
    if r.above(1 + m):
        return Answer(Change.REGRESSED, f"{_text(r)}, above 1 + {m:.3f}")
    claim = min(m, WIDEST_UNCHANGED)
    if r.inside(1 - claim, 1 + claim):
        return Answer(Change.UNCHANGED, f"{_text(r)}, inside 1 ± {claim:.3f}")
    if r.inside(1 - m, 1 + m):
        return Answer(None, f"{_text(r)} is inside the noise of 1 ± {m:.3f}, too wide to be called unchanged")
    return Answer(None, f"{_text(r)} is neither inside nor wholly outside 1 ± {m:.3f}")


def _text(r: Interval) -> str:
    return f"{times(r.estimate)} times ({times(r.low)} to {times(r.high)})"
