"""The spread of repetitions (processes of one engine, builds of one cell), pooled where it does not differ.

A few repetitions know their own spread badly: three have two degrees of freedom. The groups of a block were
measured together and mostly spread alike, so their spreads are pooled; a group that spreads more than the
others, by a test, keeps its own. Arrays hold groups along the last axis but one and repetitions along the
last, NaN where a group has fewer; leading axes are blocks that have nothing to do with each other.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.analysis.statistics.levels import Values

OWN = 0.10
"""Probability that a group is given its own spread where all spread alike: own, it costs little."""

APART = 0.05
"""Probability, over all groups of a block, that one is taken out of the pool where all spread alike."""


@dataclass(frozen=True)
class Spread:
    """What repetitions of each group vary by.

    :param variance: the one to use for each group: pooled, or its own where that is larger; NaN where neither
        is known; shape (..., groups)
    :param degrees: degrees of freedom of that variance, shape (..., groups)
    :param own: groups that use their own, shape (..., groups)
    :param apart: those of them that are not in the pool either, shape (..., groups)
    :param pooled: the common variance, shape (...); NaN where no group has two repetitions
    :param pooled_degrees: degrees of freedom of the common variance, shape (...)
    """

    variance: Values
    degrees: Values
    own: NDArray[np.bool_]
    apart: NDArray[np.bool_]
    pooled: Values
    pooled_degrees: Values


def spread(values: Values, own: float = OWN, apart: float = APART) -> Spread:
    """Return the spread of each group of *values*, pooled where it does not differ.

    Tested is whether a group spreads more than the others (F), in one direction: a group that spreads less
    may use the larger common spread without harm. Below *own* it uses its own spread; below *apart* divided
    by the number of groups (Bonferroni) it leaves the pool too, and the rest is tested once more. Chosen in
    simulation (docs/decisions/0002-levels-and-estimates.md).

    :param values: logarithms (or shares), shape (..., groups, repetitions), NaN where a group has fewer
    """
    squares, degrees = sums_of_squares(values)
    alone = np.divide(squares, degrees, out=np.full_like(squares, np.nan), where=degrees > 0)
    tested = np.maximum((degrees > 0).sum(axis=-1, keepdims=True), 1)
    p = _probability(squares, degrees, np.zeros(squares.shape, dtype=np.bool_))
    out = p < apart / tested
    if out.any():
        p = _probability(squares, degrees, out)
        out |= p < apart / tested
    mine = out | (p < own)
    pooled_degrees = np.where(out, 0.0, degrees).sum(axis=-1)
    pooled = np.divide(
        np.where(out, 0.0, squares).sum(axis=-1),
        pooled_degrees,
        out=np.full(pooled_degrees.shape, np.nan),
        where=pooled_degrees > 0,
    )
    return Spread(
        variance=np.where(mine, alone, pooled[..., None]),
        degrees=np.where(mine, degrees, pooled_degrees[..., None]),
        own=mine,
        apart=out,
        pooled=pooled,
        pooled_degrees=pooled_degrees,
    )


def spreads_by_kind(values: Values, kinds: NDArray[np.int_], own: float = OWN) -> dict[int, Spread]:
    """Return the spread of the groups of each kind, as if the others were not there.

    What is of another kind (another runtime's builds) has no reason to spread alike, and a few repetitions
    are too few for a test to see that it does not (docs/decisions/0010-spreads-of-runtimes.md).

    :param values: shape (groups, repetitions); :param kinds: of each group
    :return: by kind; arrays are of all groups, and say nothing of those of other kinds
    """
    return {
        int(kind): spread(np.where((kinds == kind)[:, None], values, np.nan), own=own)
        for kind in np.unique(kinds)
    }


def together(found: dict[int, Spread], kinds: NDArray[np.int_]) -> Spread:
    """Return one spread in which each group has what its kind gives it, as its own.

    Its common variance is the mean over kinds, by their degrees of freedom.
    """
    of = [found[int(kind)] for kind in kinds]
    pooled = np.array([one.pooled for one in found.values()])
    degrees = np.array([one.pooled_degrees for one in found.values()])
    known = degrees > 0
    return Spread(
        variance=np.array([one.variance[row] for row, one in enumerate(of)]),
        degrees=np.array([one.degrees[row] for row, one in enumerate(of)]),
        own=np.ones(len(kinds), dtype=np.bool_),
        apart=np.array([one.apart[row] for row, one in enumerate(of)]),
        pooled=np.asarray(np.average(pooled[known], weights=degrees[known]) if known.any() else np.nan),
        pooled_degrees=np.asarray(degrees.sum()),
    )


def _probability(squares: Values, degrees: Values, out: NDArray[np.bool_]) -> Values:
    """Return for each group the probability of so large a variance beside the others', less those *out*."""
    kept_squares, kept = np.where(out, 0.0, squares), np.where(out, 0.0, degrees)
    others = kept_squares.sum(axis=-1, keepdims=True) - kept_squares
    return larger_probability(squares, degrees, others, kept.sum(axis=-1, keepdims=True) - kept)


def sums_of_squares(values: Values) -> tuple[Values, Values]:
    """Return the sum of squares about the mean and the degrees of freedom of each group.

    :param values: shape (..., groups, repetitions), NaN where a group has fewer
    :return: two arrays of shape (..., groups)
    """
    count, mean = count_and_mean(values)
    there = np.isfinite(values)
    rest = np.where(there, values - np.where(count > 0, mean, 0.0)[..., None], 0.0)
    return (rest**2).sum(axis=-1), np.maximum(count - 1.0, 0.0)


def count_and_mean(values: Values) -> tuple[Values, Values]:
    """Return how many repetitions each group has and their mean, NaN for none; shape (..., groups)."""
    there = np.isfinite(values)
    count = there.sum(axis=-1).astype(np.float64)
    total = np.where(there, values, 0.0).sum(axis=-1)
    return count, np.divide(total, count, out=np.full(count.shape, np.nan), where=count > 0)


def larger_probability(squares: Values, degrees: Values, others: Values, free: Values) -> Values:
    """Return the probability of so large a variance beside that of *others*, by the F distribution.

    1 where either side has no degrees of freedom; 0 where only the others do not vary at all.
    """
    import scipy.special  # long to load: only where there is something to judge

    known = (degrees > 0) & (free > 0)
    mine = np.divide(squares, degrees, out=np.zeros_like(squares), where=known)
    theirs = np.divide(others, free, out=np.zeros_like(squares), where=known)
    ratio = np.divide(mine, theirs, out=np.where(mine > 0, np.inf, 1.0), where=theirs > 0)
    found = scipy.special.fdtrc(np.where(known, degrees, 1.0), np.where(known, free, 1.0), ratio)
    return np.where(known, found, 1.0)
