"""Tonight against earlier nights: the night is the unit, since what varies from night to night is more than
what builds of one night do (other clocks, other neighbours). Builds of several nights are never pooled.

Chosen in simulation: docs/decisions/0007-nights.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from harness.analysis.statistics.differences import Difference, added
from harness.analysis.statistics.levels import Values
from harness.analysis.statistics.spreads import spread

CONFIDENCE = 0.999
"""Of the interval that decides: a page of 200 series is looked at each morning."""

FEWEST = 3
"""Nights below which their scatter is not known."""

LAST = 14
"""Nights that tonight is held against where the policy says nothing else: two weeks."""

_BAD_NIGHT = 6.0
"""Robust scatters from the middle beyond which a night is set aside, from :data:`_KNOWN` nights on."""

_OWN = 0.5
"""Of an anchor's change that has to be its own before it is told of the anchor and not of the machine."""

_KNOWN = 5
_LEAST = 0.0005
"""Scatter of a night, at least, before one is called bad."""


@dataclass(frozen=True)
class Earlier:
    """What tonight's value of one series is held against.

    :param level: of the nights of the present level; :param before: of the level before, which say how nights
        scatter and no more; :param chosen: places in *level* that are compared with, None for all
    :param excess: variance by which tonight's mean over builds is known less well than a usual night's;
        :param degrees: degrees of freedom of that
    """

    level: Values
    before: Values
    chosen: tuple[int, ...] | None = None
    excess: float = 0.0
    degrees: float = 1.0


@dataclass(frozen=True)
class Tonight:
    """Tonight minus earlier nights.

    :param scatter: standard deviation of a night; :param nights: compared with, without those set aside
    :param set_aside: places in the level of nights that tell nothing
    """

    difference: Difference
    scatter: float
    nights: int
    set_aside: tuple[int, ...]


def against_nights(tonight: Sequence[float], earlier: Sequence[Earlier]) -> list[Tonight | None]:
    """Return how each series differs tonight, None where its nights are too few to know their scatter.

    The scatter is pooled over the series, which are of one host and measure, where it does not differ.

    :param tonight: one value a series: logarithms, or shares
    """
    levels, befores = [usual(one.level) for one in earlier], [usual(one.before) for one in earlier]
    rows = [*levels, *befores]
    table = np.full((len(rows), max((row.size for row in rows), default=0)), np.nan)
    for place, row in enumerate(rows):
        table[place, : row.size] = row
    found = spread(table)
    said: list[Tonight | None] = []
    for place, one in enumerate(earlier):
        own = (place, place + len(earlier))
        said.append(
            None
            if _nights(levels[place]) + _nights(befores[place]) < FEWEST
            else _against(
                tonight[place], one, levels[place], found.variance[list(own)], found.degrees[list(own)]
            )
        )
    return said


def usual(values: Values) -> Values:
    """Return *values* with the nights far from their middle as NaN, where there are enough to tell."""
    if values.size < _KNOWN:
        return values
    off = np.abs(values - np.median(values))
    scatter = max(1.4826 * float(np.median(off)), _LEAST)
    return np.where(off > _BAD_NIGHT * scatter, np.nan, values)


def _nights(values: Values) -> int:
    return int(np.isfinite(values).sum())


def _against(
    tonight: float, one: Earlier, level: Values, variances: Values, degrees: Values
) -> Tonight | None:
    chosen = level if one.chosen is None else level[list(one.chosen)]
    kept = chosen[np.isfinite(chosen)]
    if not kept.size:  # the one night that was asked for is a bad one: it is what was asked for
        kept = one.level if one.chosen is None else one.level[list(one.chosen)]
    if not kept.size or not np.isfinite(variances).any():
        return None
    # of the level and the one before it the nights that scatter more
    widest = int(np.nanargmax(variances))
    variance, free = float(variances[widest]), float(degrees[widest])
    parts = [
        (np.asarray(variance * (1 + 1 / kept.size)), np.asarray(free)),
        (np.asarray(one.excess), np.asarray(one.degrees)),
    ]
    total, joint = added(parts)
    found = Difference(np.asarray(tonight - float(kept.mean())), total, joint)
    aside = tuple(int(at) for at in np.flatnonzero(~np.isfinite(level)))
    return Tonight(found, variance**0.5, int(kept.size), aside)


def moved_alone(moved: float, machine: float) -> bool:
    """Return whether an anchor changed by itself: no more than half of it is what the machine did to all.

    :param moved: since earlier nights; :param machine: what of it the versions beside it moved by, alike
    """
    return moved - machine >= _OWN * moved if moved > 0 else moved - machine <= _OWN * moved
