"""The words of the decision table, and the state of a bottleneck.

Changes are told by :mod:`harness.analysis.material`. Fixed before results are looked at
(docs/decisions/0005-the-table-in-force.md). Nothing here reads a file or knows a runtime; a change of a
number or a line is a recorded decision.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # whose numbers take long to load, and the words are read by whoever lists a matrix
    from harness.analysis.statistics.intervals import Interval

PRESENT_SHARE = 0.05
"""e: a bottleneck is present from this share of the total layer time on."""

RESOLUTION = 0.001
"""Costs below this share of the layer time are not told apart from each other, nor from zero."""

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
