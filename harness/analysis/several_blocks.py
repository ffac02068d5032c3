"""One answer from several blocks of a run that was gone on with: each compared in itself, then combined.

Never the cycles, nor the builds of one block with those of another: what a block shares is its own. So a
comparison of several blocks is the mean of what each of them says (a blocked design), weighed by how often
both sides were repeated in it and not by how much its builds happened to scatter.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from harness.analysis.material import SlowBuilds
from harness.analysis.pair import Pair
from harness.analysis.statistics.components import Repetitions
from harness.analysis.statistics.differences import mean_difference


def combined(pairs: Sequence[Pair]) -> Pair:
    """Return the one pair that *pairs* of the same two groups, each of one block, make together.

    Components and costs are those of the first.
    """
    if len(pairs) == 1:
        return pairs[0]
    weights = [_weight(pair) for pair in pairs]
    found = mean_difference([pair.difference for pair in pairs], weights)
    total = sum(weights)
    joined = sum((w / total) ** 2 * pair.situation.joined for w, pair in zip(weights, pairs, strict=True))
    situation = replace(
        pairs[0].situation,
        old=_sum([pair.situation.old for pair in pairs]),
        new=_sum([pair.situation.new for pair in pairs]),
        degrees=float(found.degrees),
        joined=joined,
    )
    return Pair(
        difference=found,
        builds=(sum(pair.builds[0] for pair in pairs), sum(pair.builds[1] for pair in pairs)),
        slow=(_slow([pair.slow[0] for pair in pairs]), _slow([pair.slow[1] for pair in pairs])),
        situation=situation,
        costs=pairs[0].costs,
    )


def _weight(pair: Pair) -> float:
    """Return how often both sides are there, as the variance of their difference counts it."""
    old, new = (count - slow.count for count, slow in zip(pair.builds, pair.slow, strict=True))
    return old * new / (old + new)


def _sum(sides: Sequence[Repetitions]) -> Repetitions:
    return sides[0]._replace(builds=sum(side.builds for side in sides))


def _slow(sides: Sequence[SlowBuilds]) -> SlowBuilds:
    by = [side.by for side in sides if side.by is not None]
    most = (min(low for low, _ in by), max(high for _, high in by)) if by else None
    return SlowBuilds(sum(side.count for side in sides), sum(side.of for side in sides), most)
