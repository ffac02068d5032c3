"""Two groups of builds set against each other: the difference that the decision table judges, with its noise.

Latencies of one block come from its levels. Where two groups share no block they were measured one after the
other: spreads are pooled over the two where they do not differ, and no build is set aside, since a slow one
cannot be told from a slow moment.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import islice
from statistics import fmean

import msgspec
import numpy as np
from msgspec.structs import replace

from harness.analysis.blocks import Blocks, SharedPass
from harness.analysis.groups import BuildGroup
from harness.analysis.material import SlowBuilds, slow_side
from harness.analysis.pair import Pair
from harness.analysis.rules.base import Rule
from harness.analysis.series import Series
from harness.analysis.several_blocks import combined
from harness.analysis.statistics.components import Components, Repetitions
from harness.analysis.statistics.differences import Difference, cost_shares, difference, set_aside
from harness.analysis.statistics.levels import Values
from harness.analysis.statistics.slow_builds import slow_builds
from harness.analysis.statistics.spending import Costs, Situation
from harness.analysis.statistics.spreads import spread
from harness.analysis.table import MINIMUM_BUILDS


class Sides(msgspec.Struct, frozen=True):
    """The values of two groups that a pair is to be made of, one a build, ms.

    :param old, new: latencies, or costs (which may lie below 0)
    :param totals: layer times of the old builds, of costs; none of latencies
    :param in_block: whether both were measured in one block
    :param seconds: what a build took, None where that is not known
    :param parts: the same of each block that has two builds of either side, where builds of others are there
    """

    old: tuple[float, ...]
    new: tuple[float, ...]
    totals: tuple[float, ...] = ()
    in_block: bool = False
    seconds: float | None = None
    parts: tuple[Sides, ...] = ()

    @property
    def alike(self) -> tuple[int, int, bool, bool]:
        """What those have in common that are worked out together."""
        return len(self.old), len(self.new), bool(self.totals), self.in_block


def latency_sides(
    old: BuildGroup, new: BuildGroup, blocks: Blocks, shared: SharedPass | None
) -> Pair | Sides | None:
    """Return what the latencies of two groups are compared by, None for fewer than two builds on either side.

    :param shared: the block that both were measured in, as *blocks* have it, whose levels make the pair
    """
    before, after = old.series(None), new.series(None)
    if shared is not None:
        return _in_block(old, new, shared, blocks)
    if min(len(before.values), len(after.values)) < MINIMUM_BUILDS:
        return None
    return Sides(before.values, after.values, seconds=seconds_a_build(old, new, blocks))


def cost_sides(
    rule: Rule, old: BuildGroup, new: BuildGroup, blocks: Blocks, shared: SharedPass | None
) -> Sides | None:
    """Return what the costs of *rule* are compared by, as a share of the old layer time; None as above.

    The profiles of both groups cover the whole network. :param shared: as for :func:`latency_sides`
    """
    before, after = old.series(rule), new.series(rule)
    if min(len(before.values), len(after.values)) < MINIMUM_BUILDS:
        return None
    seconds = seconds_a_build(old, new, blocks)
    whole = Sides(before.signed, after.signed, before.totals, shared is not None, seconds)
    if shared is None or {*before.blocks, *after.blocks} == {shared.name}:
        return whole
    # builds of other blocks, or of none, are of another time
    parts = (_of_block(one.name, before, after, seconds) for one in (shared, *shared.others))
    return replace(whole, parts=tuple(part for part in parts if part is not None))


def _of_block(name: str, before: Series, after: Series, seconds: float | None) -> Sides | None:
    """Return the costs of the builds of one block, None for fewer than two on either side."""
    old = [place for place, block in enumerate(before.blocks) if block == name]
    new = [place for place, block in enumerate(after.blocks) if block == name]
    if min(len(old), len(new)) < MINIMUM_BUILDS:
        return None
    totals = tuple(before.totals[place] for place in old)
    values = tuple(before.signed[place] for place in old), tuple(after.signed[place] for place in new)
    return Sides(*values, totals, in_block=True, seconds=seconds)


def pairs_of(sides: Sequence[Sides]) -> list[Pair]:
    """Return the pair of each, in order; those of several blocks are compared in each and then combined."""
    found = iter(_each([part for one in sides for part in one.parts or (one,)]))
    return [combined(list(islice(found, len(one.parts) or 1))) for one in sides]


def _each(sides: Sequence[Sides]) -> list[Pair]:
    """Return the pair of each, in order; those with as many builds are worked out together."""
    alike: dict[tuple[int, int, bool, bool], list[int]] = {}
    for place, one in enumerate(sides):
        alike.setdefault(one.alike, []).append(place)
    found: dict[int, Pair] = {}
    for places in alike.values():
        found.update(zip(places, _pairs([sides[place] for place in places]), strict=True))
    return [found[place] for place in range(len(sides))]


def seconds_a_build(old: BuildGroup, new: BuildGroup, blocks: Blocks) -> float | None:
    """Return what a build of either group took, on average, with everything; None where that is not known."""
    known = [s for build in (*old.builds, *new.builds) if (s := blocks.seconds_of(build)) is not None]
    return fmean(known) if known else None


def _in_block(old: BuildGroup, new: BuildGroup, shared: SharedPass, blocks: Blocks) -> Pair | None:
    if min(shared.in_all) < MINIMUM_BUILDS:
        return None
    seconds = seconds_a_build(old, new, blocks)
    every = (_in_one(one, seconds) for one in (shared, *shared.others))
    found = [pair for pair in every if pair is not None]
    return combined(found) if found else None


def _in_one(shared: SharedPass, seconds: float | None) -> Pair | None:
    levels, found = shared.levels, shared.difference
    if found is None:
        return None
    sides = [slow_side(levels.by_cell[side], levels.slow[side]) for side in (shared.old, shared.new)]
    costs = None
    if seconds is not None:
        several = any(len(processes) > 1 for processes in levels.of_build)
        costs = Costs(seconds, seconds if several else math.inf, shared.slice_seconds)
    situation = levels.situation(shared.old, shared.new, found)
    return Pair(found, shared.builds, (sides[0], sides[1]), situation, costs)


def _pairs(sides: Sequence[Sides]) -> Iterator[Pair]:
    """Yield the pairs of sides that are alike, without the slow builds of those of a block."""
    values = _table(sides)
    slow = slow_builds(values) if sides[0].in_block else np.zeros(values.shape, dtype=np.bool_)
    core = set_aside(values, slow)
    found = difference(core, spread(core), 0, 1)
    counts, kept = (np.isfinite(table).sum(axis=-1).tolist() for table in (values, core))
    numbers = zip(found.estimate.tolist(), found.variance.tolist(), found.degrees.tolist(), strict=True)
    for at, (one, (estimate, error, degrees)) in enumerate(zip(sides, numbers, strict=True)):
        old, new = kept[at]
        # what the error is made of is known of builds alone, cycles and processes included
        parts = Components(error / (1 / old + 1 / new), 0.0, 0.0)
        situation = Situation(parts, Repetitions(old), Repetitions(new), degrees)
        apart = [SlowBuilds(0, count) for count in counts[at]]
        if kept[at] != counts[at]:
            apart = [slow_side(row, out) for row, out in zip(values[at], slow[at], strict=True)]
        costs = None if one.seconds is None else Costs(one.seconds, math.inf, math.inf)
        builds = counts[at][0], counts[at][1]
        yield Pair(Difference(estimate, error, degrees), builds, (apart[0], apart[1]), situation, costs)


def _table(sides: Sequence[Sides]) -> Values:
    """Return the values of sides that are alike, shape (pairs, 2, most builds), NaN where there is none."""
    old, new = np.array([one.old for one in sides]), np.array([one.new for one in sides])
    if sides[0].totals:
        old, new = cost_shares(old, new, np.array([one.totals for one in sides]))
    else:
        old, new = np.log(old), np.log(new)
    found = np.full((len(sides), 2, max(old.shape[1], new.shape[1])), np.nan)
    found[:, 0, : old.shape[1]], found[:, 1, : new.shape[1]] = old, new
    return found
