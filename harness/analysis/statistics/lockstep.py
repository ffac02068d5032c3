"""From slices measured side by side to one value a process, relative to the other processes of its block.

A block's processes are alive together and take turns: a slice is some tens of milliseconds of one of them,
a cycle one slice of each. What all share in a cycle (clocks, heat, neighbours) is common to them and is taken
out; what is left is the process's own. Processes that share no cycle, not even through others, cannot be set
against each other here: they are of different components (sub-blocks), which
:mod:`harness.analysis.statistics.joining` sets against each other by an anchor.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harness.analysis.statistics.additive_fit import Indices, Slices
from harness.analysis.statistics.levels import Values

DROPPED = 2
"""Samples at the start of a slice that are left out: the caches are another process's."""

SETTLED = 0
"""The same of a slice that a worker took, which does not count its first ones itself."""

QUANTILE = 0.25
"""Of the samples of a slice: what other programs add to some of them is left out."""

CLIPS = (2.0, 1.0, 0.5)
"""Slices further from their fitted value than so many robust standard deviations count as that far: the
first, or another where it is clearly better for how the slices of a block scatter
(docs/decisions/0013-slices-far-out.md)."""

BETTER = 0.8
"""Times the variance of the first that another one must at most have: few slices cannot tell by less."""

BATCHES = 8
"""Consecutive batches that the cycles are cut into to see how far a process wanders."""


@dataclass(frozen=True)
class ProcessValues:
    """The processes of a block, each with one value.

    :param values: natural logarithm relative to the others of its component, whose median is 0; NaN for a
        process without a slice; shape (processes,)
    :param cycles: slices that the value is made of, shape (processes,)
    :param component: processes with one number share cycles, -1 without a slice; shape (processes,)
    :param common: logarithm of ms that all processes of a cycle share, NaN for a cycle without slices;
        shape (cycles,)
    :param cycle_variance: of the logarithm: what a process's value varies by because of its cycles, times
        their number (neighbouring cycles may depend on each other: from batches, not from single slices)
    :param cycle_degrees: degrees of freedom of that variance
    """

    values: Values
    cycles: Indices
    component: Indices
    common: Values
    cycle_variance: float
    cycle_degrees: float

    def errors(self) -> Values:
        """Return the variance of each value that more cycles would narrow, infinite without a slice."""
        counts = self.cycles.astype(np.float64)
        found: Values = np.full(counts.shape, np.inf)
        np.divide(self.cycle_variance, counts, out=found, where=counts > 0)
        return found


def slice_value(samples: ArrayLike, dropped: int = DROPPED) -> float:
    """Return the value of a slice, in the unit of its samples: the lower quartile after the first *dropped*.

    The lower quartile compares (see docs/decisions/0002-levels-and-estimates.md); the latency that is told is
    the median of samples. NaN where nothing is left, which :func:`slice_table` takes for a missing slice.

    :param samples: in the order they were taken
    """
    kept = np.sort(np.asarray(samples, dtype=np.float64).ravel()[dropped:])
    if not kept.size:
        return float("nan")
    # numpy.quantile in the order of its operations, without what it costs for a few hundred numbers.
    place = (kept.size - 1) * QUANTILE
    below = int(place)
    low, high, part = float(kept[below]), float(kept[min(below + 1, kept.size - 1)]), place - below
    return high - (high - low) * (1 - part) if part >= 0.5 else low + (high - low) * part


def slice_table(process: ArrayLike, cycle: ArrayLike, value: ArrayLike, processes: int) -> Values:
    """Return the logarithms of slices as a table of shape (cycles, processes), NaN where there is none.

    :param process, cycle: numbers from 0 on, one a slice; a cycle's number is that of its place in time
    :param value: ms, one a slice; NaN for a slice that does not count
    :param processes: how many there are, whether or not each has slices
    :raises ValueError: a slice given twice, or a value that is not positive
    """
    rows, columns = np.asarray(cycle, dtype=np.int_), np.asarray(process, dtype=np.int_)
    values = np.asarray(value, dtype=np.float64)
    if values.size and not (np.isnan(values) | (np.isfinite(values) & (values > 0))).all():
        raise ValueError(
            "slices are compared by the logarithm of their values: all must be positive and finite"
        )
    table: Values = np.full((int(rows.max()) + 1 if rows.size else 0, processes), np.nan)
    if np.unique(rows * processes + columns).size != rows.size:
        raise ValueError("a process has two slices of one cycle")
    table[rows, columns] = np.log(values)
    return table


def process_values(table: Values, clips: Sequence[float] = CLIPS) -> ProcessValues:
    """Return one value a process: the additive fit log(slice) = cycle + process.

    By least squares, so that a process that died early or started late is set against the others over the
    cycles it has. With every slice there, the difference of two processes is the mean over cycles of their
    difference, whatever the common part. Slices far out are then drawn in, by the first of *clips* or by
    another that makes values vary clearly less.

    :param table: logarithms, shape (cycles, processes), NaN where there is no slice
    :param clips: robust standard deviations; none: every slice counts as far as it lies
    """
    there = np.isfinite(table)
    component = _components(there)
    slices = Slices(table, component)
    fit = slices.plain()
    if clips:
        first, *others = (slices.drawn_in(clip, fit) for clip in clips)
        best = min(others, key=lambda one: one.variance, default=first)
        fit = best if best.variance < BETTER * first.variance else first
    values, common = fit.values, fit.common
    variance, degrees = _cycle_variance(fit.scores)
    for number in range(component.max(initial=-1) + 1):
        mine = component == number
        middle = float(np.median(values[mine]))
        values[mine] -= middle
        common[there[:, mine].any(axis=1)] += middle
    values[component < 0] = np.nan
    common[~there.any(axis=1)] = np.nan
    return ProcessValues(values, there.sum(axis=0), component, common, variance, degrees)


def _components(there: NDArray[np.bool_]) -> Indices:
    """Number the sets of processes that cycles hold together, -1 for a process without a slice."""
    labels = connected(there.T.astype(np.int_) @ there.astype(np.int_))
    found = np.full(there.shape[1], -1, dtype=np.int_)
    used = there.any(axis=0)
    found[used] = np.unique(labels[used], return_inverse=True)[1]
    return found


def connected(links: NDArray[Any]) -> Indices:
    """Return the number of the set that holds each node together with those that it reaches, from 0.

    :param links: not 0 where two nodes are linked, symmetric, shape (nodes, nodes)
    """
    if links.size and (links != 0).all(axis=1).any():  # one that is linked with all, as in a whole block
        return np.zeros(len(links), dtype=np.int_)
    from scipy.sparse import csgraph  # long to load: only where there is something to find

    labels: Indices = csgraph.connected_components(links, directed=False)[1].astype(np.int_)
    return labels


def _cycle_variance(rest: Values) -> tuple[float, float]:
    """Return the variance that cycles leave in a process's value, times their number, and its degrees.

    From the means of consecutive batches, pooled over processes: where slices of one process depend on their
    neighbours (it wanders in steps of seconds) single slices would promise too much.
    """
    squares = degrees = 0.0
    for column in rest.T:
        mine = column[np.isfinite(column)]
        if mine.size < 2:
            continue
        parts = np.array_split(mine, min(BATCHES, mine.size))
        sizes = np.array([part.size for part in parts], dtype=np.float64)
        means = np.array([part.mean() for part in parts])
        squares += float((sizes * (means - mine.mean()) ** 2).sum())
        degrees += len(parts) - 1
    there = np.isfinite(rest)
    # the common parts were fitted too: of each cycle (or stretch of one) one slice's worth of freedom is gone
    degrees *= 1 - there.any(axis=1).sum() / there.sum() if there.any() else 0.0
    return (squares / degrees, degrees) if degrees > 0 else (0.0, 0.0)
