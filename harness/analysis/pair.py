"""Two groups of builds set against each other: what an answer by the decision table needs of them."""

from __future__ import annotations

import math

import msgspec

from harness.analysis.material import SlowBuilds
from harness.analysis.statistics.differences import Difference
from harness.analysis.statistics.intervals import one_probability
from harness.analysis.statistics.spending import Costs, Situation


class Pair(msgspec.Struct, frozen=True):
    """Two groups of builds with what an answer needs.

    :param difference: new minus old: of a latency's logarithm, or of a cost as a share of the old layer time
    :param builds: that are compared, those set aside included; :param slow: what was set aside of either side
    :param situation: what is repeated how often
    :param costs: what one more of each would take, None where the run does not say
    """

    difference: Difference
    builds: tuple[int, int]
    slow: tuple[SlowBuilds, SlowBuilds]
    situation: Situation
    costs: Costs | None

    @property
    def p(self) -> float:
        """Two-sided probability of so large a difference where there is none."""
        found = self.difference
        return one_probability(float(found.estimate), math.sqrt(float(found.variance)), float(found.degrees))
