"""Two groups of builds set against each other: the difference that the decision table judges, with its noise.

Latencies of one block come from its levels. Where two groups share no block they were measured one after the
other: spreads are pooled over the two where they do not differ, and no build is set aside, since a slow one
cannot be told from a slow moment.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

from harness.analysis.blocks import Blocks, SharedPass
from harness.analysis.groups import BuildGroup
from harness.analysis.material import SlowBuilds, slow_side
from harness.analysis.rules.base import Rule
from harness.analysis.statistics.components import Components, Repetitions, build_table
from harness.analysis.statistics.differences import Difference, cost_shares, difference, set_aside
from harness.analysis.statistics.levels import Values
from harness.analysis.statistics.slow_builds import slow_builds
from harness.analysis.statistics.spending import Costs, Situation
from harness.analysis.statistics.spreads import spread
from harness.analysis.table import MINIMUM_BUILDS


@dataclass(frozen=True)
class Pair:
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


def latency_pair(old: BuildGroup, new: BuildGroup, blocks: Blocks, shared: SharedPass | None) -> Pair | None:
    """Return how the latencies of two groups differ, None for fewer than two builds on either side.

    :param shared: the block that both were measured in, as *blocks* have it
    """
    before, after = old.series(None), new.series(None)
    if shared is not None:
        return _in_block(old, new, shared, blocks)
    if min(len(before.values), len(after.values)) < MINIMUM_BUILDS:
        return None
    logs = _table(np.log(before.values), np.log(after.values))
    return _pair(logs, seconds_a_build(old, new, blocks), slow=np.zeros(logs.shape, dtype=np.bool_))


def cost_pair(
    old: BuildGroup, new: BuildGroup, rule: Rule, blocks: Blocks, shared: SharedPass | None
) -> Pair | None:
    """Return how the cost of *rule* differs, as a share of the old layer time; None as above.

    The profiles of both groups cover the whole network. :param shared: as for :func:`latency_pair`
    """
    before, after = old.series(rule), new.series(rule)
    if min(len(before.values), len(after.values)) < MINIMUM_BUILDS:
        return None
    costs = np.asarray(before.signed), np.asarray(after.signed)
    values = _table(*cost_shares(*costs, np.asarray(before.totals)))
    slow = np.zeros(values.shape, dtype=np.bool_) if shared is None else slow_builds(values)
    return _pair(values, seconds_a_build(old, new, blocks), slow)


def seconds_a_build(old: BuildGroup, new: BuildGroup, blocks: Blocks) -> float | None:
    """Return what a build of either group took, on average, with everything; None where that is not known."""
    known = [s for build in (*old.builds, *new.builds) if (s := blocks.seconds_of(build)) is not None]
    return fmean(known) if known else None


def _in_block(old: BuildGroup, new: BuildGroup, shared: SharedPass, blocks: Blocks) -> Pair | None:
    levels = shared.levels
    found = None if min(shared.builds) < MINIMUM_BUILDS else levels.cells(shared.old, shared.new)
    if found is None:
        return None
    sides = [slow_side(levels.by_cell[side], levels.slow[side]) for side in (shared.old, shared.new)]
    costs = None
    if (seconds := seconds_a_build(old, new, blocks)) is not None:
        several = any(len(processes) > 1 for processes in levels.of_build)
        costs = Costs(seconds, seconds if several else math.inf, shared.slice_seconds)
    situation = levels.situation(shared.old, shared.new, found)
    return Pair(found, shared.builds, (sides[0], sides[1]), situation, costs)


def _pair(values: Values, seconds: float | None, slow: NDArray[np.bool_]) -> Pair:
    """Return the pair of two rows of values, one a build, without those that are *slow*."""
    core = set_aside(values, slow)
    found = difference(core, spread(core), 0, 1)
    counts = [int(np.isfinite(row).sum()) for row in values]
    kept = [int(np.isfinite(row).sum()) for row in core]
    # what the error is made of is known of builds alone, cycles and processes included
    variance = float(found.variance) / (1 / kept[0] + 1 / kept[1])
    situation = Situation(
        Components(variance, 0.0, 0.0), Repetitions(kept[0]), Repetitions(kept[1]), float(found.degrees)
    )
    sides = [slow_side(row, out) for row, out in zip(values, slow, strict=True)]
    costs = None if seconds is None else Costs(seconds, math.inf, math.inf)
    return Pair(found, (counts[0], counts[1]), (sides[0], sides[1]), situation, costs)


def _table(old: Values, new: Values) -> Values:
    rows = np.split(np.arange(old.size + new.size), [old.size])
    return build_table(np.concatenate([old, new]), [row.tolist() for row in rows])
