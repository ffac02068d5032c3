"""Tonight against earlier nights: the night is the unit, since what varies from night to night is more than
what builds of one night do (other clocks, other neighbours). Builds of several nights are never pooled.

Chosen in simulation: docs/decisions/0007-nights.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.analysis.statistics.differences import Difference, added
from harness.analysis.statistics.levels import Values
from harness.analysis.statistics.slow_builds import FEWEST as FEWEST_BUILDS
from harness.analysis.statistics.slow_builds import slow_builds
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

_UNLIKE = 0.001
"""One night in a thousand has builds that are taken to scatter more than those of other nights by chance."""

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
class BuildMeans:
    """What the builds of each night say of one series, slow ones set aside.

    :param earlier: means, one an earlier night; :param tonight: tonight's
    :param slow: which of tonight's builds were set aside
    :param excess: variance by which tonight's mean is known less well than a usual night's
    :param degrees: degrees of freedom of that
    """

    earlier: Values
    tonight: float
    slow: NDArray[np.bool_]
    excess: float
    degrees: float


def means_of_builds(earlier: Sequence[Sequence[float]], tonight: Sequence[float]) -> BuildMeans:
    """Return the means of nights over their builds.

    Builds of one version scatter alike from night to night, so their spread is pooled over nights, without
    the slow ones; tonight's own counts where it is surely another, or builds are too few to tell a slow one.

    :param earlier: of each earlier night one a build, logarithms or shares; :param tonight: the same
    """
    table = np.full((len(earlier) + 1, max(map(len, [*earlier, tonight]))), np.nan)
    for place, values in enumerate([*earlier, tonight]):
        table[place, : len(values)] = values
    slow = slow_builds(table)
    core = np.where(slow, np.nan, table)
    count = np.isfinite(core).sum(axis=1)
    means = np.nanmean(core, axis=1)
    squares = np.nansum((core - means[:, None]) ** 2, axis=1)
    degrees = count - 1
    free = int(degrees[:-1].sum())
    pooled = float(squares[:-1].sum()) / free if free else 0.0
    usual = float((pooled / count[:-1]).mean()) if len(earlier) else 0.0
    own = float(squares[-1]) / max(int(degrees[-1]), 1)
    if len(tonight) < FEWEST_BUILDS:
        variance, known = max(own, pooled), max(len(tonight) - 1, 1)
    elif not free or _unlike(own, int(degrees[-1]), pooled, free):
        variance, known = own, int(degrees[-1])
    else:
        variance, known = pooled, free
    excess = max(0.0, variance / int(count[-1]) - usual)
    return BuildMeans(means[:-1], float(means[-1]), slow[-1, : len(tonight)], excess, float(known))


def _unlike(own: float, degrees: int, pooled: float, free: int) -> bool:
    """Say whether tonight's builds surely scatter more than those of other nights (F test)."""
    import scipy.special  # long to load: only where there is something to judge

    return own > 0 and (pooled == 0 or float(scipy.special.fdtrc(degrees, free, own / pooled)) < _UNLIKE)


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
