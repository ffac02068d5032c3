"""The difference of two sides of a block, with the error and the degrees of freedom it deserves.

The unit is the level the question is about: builds where versions are compared, processes where two engines
are. Never cycles or samples, which do not vary as their like does.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from harness.analysis.statistics.intervals import Interval, t_quantile
from harness.analysis.statistics.levels import Values
from harness.analysis.statistics.spreads import Spread, count_and_mean


class Difference(msgspec.Struct, frozen=True):
    """New minus old with its error; arrays where several were asked for.

    :param estimate: on the logarithm (or as a share)
    :param variance: of the estimate
    :param degrees: degrees of freedom of that variance
    """

    estimate: Values
    variance: Values
    degrees: Values

    def half_width(self, confidence: float) -> Values:
        """Return half the width of the two-sided interval of *confidence*, in the unit of the estimate."""
        import scipy.special  # long to load: only where there is something to judge

        quantile = scipy.special.stdtrit(self.degrees, 0.5 + confidence / 2)
        return np.asarray(quantile * np.sqrt(self.variance), dtype=np.float64)

    def interval(self, confidence: float) -> Interval:
        """Return the one difference with its interval, in the unit of the estimate."""
        estimate = float(self.estimate)
        half = t_quantile(0.5 + confidence / 2, float(self.degrees)) * math.sqrt(float(self.variance))
        return Interval(estimate, estimate - half, estimate + half)

    def ratio(self, confidence: float) -> Interval:
        """Return new / old with its interval, of one difference of logarithms."""
        found = self.interval(confidence)
        return Interval(*(float(np.exp(min(x, 700.0))) for x in (found.estimate, found.low, found.high)))


def difference(
    values: Values, found: Spread, old: int, new: int, joined: tuple[float, float] | None = None
) -> Difference:
    """Return group *new* minus group *old*.

    Where both use the common spread: Student's t with its degrees of freedom. Where a side keeps its own, or
    another error is joined to it: see :func:`added`.

    :param values: shape (..., groups, repetitions), NaN where a group has fewer or a build was set aside
    :param found: the spread of the same values
    :param joined: variance and degrees of freedom of what both sides share besides, such as the anchor that
        two sub-blocks were joined by
    """
    count, mean = count_and_mean(values)
    parts: list[tuple[Values, Values]] = []
    common = np.zeros(count.shape[:-1])
    for side in (old, new):
        variance = found.variance[..., side] / count[..., side]
        common = common + np.where(found.own[..., side], 0.0, variance)
        parts.append((np.where(found.own[..., side], variance, 0.0), found.degrees[..., side]))
    parts.append((common, found.pooled_degrees))
    if joined is not None:
        parts.append((np.full(common.shape, joined[0]), np.full(common.shape, joined[1])))
    return Difference(mean[..., new] - mean[..., old], *added(parts))


def added(parts: list[tuple[Values, Values]]) -> tuple[Values, Values]:
    """Return the sum of independent variances with its degrees of freedom.

    ``(v1 + v2 + ...)^2 / (v1^2 / (f1 + 2) + ...) - 2`` (Satterthwaite; the correction is Welch's of 1947, see
    :func:`harness.analysis.statistics.intervals.welch_degrees`); a part of 0 counts nothing.

    :param parts: variance and degrees of freedom of each
    """
    total = np.sum([v for v, _ in parts], axis=0)
    shares = [np.divide(v, total, out=np.zeros_like(total), where=total > 0) for v, _ in parts]
    weighed = np.sum([w**2 / (f + 2) for w, (_, f) in zip(shares, parts, strict=True)], axis=0)
    largest = np.max([f for _, f in parts], axis=0)
    degrees = np.divide(1.0, weighed, out=np.asarray(largest + 2.0), where=weighed > 0) - 2.0
    return total, np.maximum(degrees, 1.0)


def mean_difference(found: Sequence[Difference], weights: Sequence[float]) -> Difference:
    """Return the mean of independent differences, each weighed by how often both of its sides are repeated.

    Not by the variances that were found: a block whose builds agree by chance would count too much.

    :param weights: as many, above 0
    """
    shares = np.asarray(weights, dtype=np.float64) / float(np.sum(weights))
    estimate = np.sum([share * one.estimate for share, one in zip(shares, found, strict=True)], axis=0)
    variance, degrees = added(
        [(np.asarray(w**2 * d.variance), np.asarray(d.degrees)) for w, d in zip(shares, found, strict=True)]
    )
    # no more than all of them have: the correction for few may say so
    return Difference(estimate, variance, np.minimum(degrees, np.sum([d.degrees for d in found], axis=0)))


def cost_shares(old_cost: Values, new_cost: Values, old_total: Values) -> tuple[Values, Values]:
    """Return one value a build whose means differ by d = (cost(new) - cost(old)) / total layer time(old).

    A build of the old version counts as (cost + d (total - mean total)) / mean total, one of the new as
    cost / mean total: the first terms of d in its builds, so that the spread of the values is that of d
    (delta method), the old total's own included.

    :param old_cost, new_cost, old_total: ms, one a build, the old two of shape (..., old builds), the new of
        (..., new builds); NaN where there is none
    :return: values of the old and of the new builds, shares of 1
    """
    total, before, after = (count_and_mean(x)[1][..., None] for x in (old_total, old_cost, new_cost))
    d = (after - before) / total
    return (old_cost + d * (old_total - total)) / total, new_cost / total


def set_aside(values: Values, slow: NDArray[np.bool_]) -> Values:
    """Return *values* without the builds that *slow* names, as NaN."""
    return np.where(slow, np.nan, values)
