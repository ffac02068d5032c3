"""Rare slow builds: found by a rule fixed beforehand, told beside the comparison of the rest.

Most builds of one version lie within a narrow core, and one in ten or twenty is slower by 2 to 25 %: the
builder chose otherwise. Such a build is a fact about the version; let into the spread of the others it hides
every other fact. So it is set aside from the comparison and counted beside it. It stays the exception: what
half of a version's builds do is how that version is, and stays in.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from harness.analysis.statistics.levels import Values
from harness.analysis.statistics.spreads import count_and_mean, sums_of_squares

SURENESS = 0.001
"""One ordinary build in a thousand is taken for a slow one, by the spread found."""

SMALLEST = 0.01
"""A build less than this slower than its like (natural logarithm, or share) is no slow build."""

GAP = 4.0
"""A slow build also stands clear of its own cell: by this many standard deviations of the others."""

FEWEST = 3
"""With two builds nobody can say which of them is the slow one."""


def slow_builds(values: Values, smallest: float = SMALLEST, sureness: float = SURENESS) -> NDArray[np.bool_]:
    """Return which builds are slow ones: above the core of their cell, by the spread of the block's cores.

    1. Each cell's middle is the median of its builds. The spread of the block's cores is first taken from the
       builds below their middle, which slow ones hardly reach; builds above by more than Student's t allows
       are out.
    2. Twice more with the builds that are left: each build against the mean of its cell's others in the core,
       by their pooled standard deviation.
    3. At most a minority of a cell, (builds - 1) // 2, may be slow; with more, none of that cell is.

    :param values: one a build, on the scale of the comparison (logarithm of ms, cost as a share), shape
        (..., cells, builds), NaN where a cell has fewer
    :param smallest: how far above at least; :param sureness: probability for an ordinary build
    """
    there = np.isfinite(values)
    count = there.sum(axis=-1)
    found = _minority(_above_middle(values, there, smallest, sureness), count)
    for _ in range(2):
        found = _minority(_above_core(values, there, found, smallest, sureness), count)
    return found


def _above_middle(
    values: Values, there: NDArray[np.bool_], smallest: float, sureness: float
) -> NDArray[np.bool_]:
    count = there.sum(axis=-1)
    rest = np.where(there, values - _median(values, count)[..., None], 0.0)
    below = np.where(rest < 0, rest, 0.0)
    # of normal values, (n - 2 + n var(median)) / 2 squares lie below the median; n var(median) is near 1.35
    weight = np.where(count > 1, np.maximum(count - 0.65, 0.0) / 2, 0.0).sum(axis=-1)
    degrees = np.maximum((count // 2).sum(axis=-1), 1)
    total = (below**2).sum(axis=(-2, -1))
    deviation = np.sqrt(np.divide(total, weight, out=np.zeros_like(total), where=weight > 0))
    limit = np.maximum(_quantile(sureness, degrees) * deviation, smallest)
    found: NDArray[np.bool_] = there & (rest > limit[..., None, None])
    return found


def _above_core(
    values: Values,
    there: NDArray[np.bool_],
    slow: NDArray[np.bool_],
    smallest: float,
    sureness: float,
) -> NDArray[np.bool_]:
    core = np.where(slow, np.nan, values)
    squares, free = sums_of_squares(core)
    count, mean = count_and_mean(core)
    inside = there & ~slow
    # against the others of the core: a build that is in it is taken out of mean and spread first
    others = np.maximum(count[..., None] - inside, 1.0)
    centre = np.where(
        inside, (count * mean)[..., None] - np.where(there, values, 0.0), (count * mean)[..., None]
    )
    gap = np.where(there, np.where(there, values, 0.0) - centre / others, 0.0)
    own = np.where(inside, gap**2 * others / (others + 1.0), 0.0)
    total = np.maximum(squares.sum(axis=-1)[..., None, None] - own, 0.0)
    degrees = np.maximum(free.sum(axis=-1)[..., None, None] - inside, 1.0)
    deviation = np.sqrt(total / degrees * (1.0 + 1.0 / others))
    alone = np.sqrt(np.maximum(squares[..., None] - own, 0.0) / np.maximum(others - 1.0, 1.0))
    limit = np.maximum(_quantile(sureness, degrees) * deviation, GAP * alone * np.sqrt(1.0 + 1.0 / others))
    found: NDArray[np.bool_] = there & (gap > np.maximum(limit, smallest))
    return found


def _minority(found: NDArray[np.bool_], count: NDArray[np.int_]) -> NDArray[np.bool_]:
    most = np.where(count >= FEWEST, (count - 1) // 2, 0)
    rare: NDArray[np.bool_] = found & (found.sum(axis=-1) <= most)[..., None]
    return rare


def _median(values: Values, count: NDArray[np.int_]) -> Values:
    """Return medians over the last axis, NaN left out (as numpy.nanmedian, for many short rows at once)."""
    ordered = np.sort(values)  # NaN last: what is found for a cell of none
    low, high = (count - 1) // 2, count // 2
    return 0.5 * (
        np.take_along_axis(ordered, low[..., None], -1) + np.take_along_axis(ordered, high[..., None], -1)
    ).squeeze(-1)


def _quantile(sureness: float, degrees: Values | NDArray[np.int_]) -> Values:
    """Return Student's quantiles: of each number of degrees once, there are few of them."""
    import scipy.special  # long to load: only where there is something to judge

    known, places = np.unique(np.asarray(degrees, dtype=np.float64), return_inverse=True)
    found: Values = np.asarray(scipy.special.stdtrit(known, 1 - sureness), dtype=np.float64)[places]
    return found.reshape(np.shape(degrees))
