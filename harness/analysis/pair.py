"""Two groups of builds set against each other: what an answer by the decision table needs of them."""

from __future__ import annotations

import math

import msgspec

from harness.analysis.material import SlowBuilds
from harness.analysis.statistics.differences import Difference
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
        from scipy import special

        size, error = abs(float(self.difference.estimate)), math.sqrt(float(self.difference.variance))
        if error == 0:
            return 0.0 if size else 1.0
        return float(2 * special.stdtr(float(self.difference.degrees), -size / error))
