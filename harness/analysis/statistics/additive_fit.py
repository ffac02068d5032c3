"""The additive fit slice = cycle + process, with slices that lie far out drawn in.

Huber's M-estimate (Annals of Mathematical Statistics 35, 1964) by pseudo-values: a slice further from its
fitted value than *clip* robust standard deviations counts as that far, until the fit stands still.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.analysis.statistics.levels import Values

Indices = NDArray[np.int_]

STEPS = 100
"""Most times that the fit is repeated."""

STILL = 0.001
"""Of the robust standard deviation: a fit that moves no process further stands still."""


@dataclass(frozen=True)
class Fit:
    """What processes and cycles add to a slice.

    :param values: of the processes, each component's add up to 0; shape (processes,)
    :param common: of the cycles, shape (cycles,)
    :param scores: what is left of each slice, drawn in, divided by the share of slices that are not: as a
        mean of so many of them a process's value varies; NaN without a slice, shape (cycles, processes)
    """

    values: Values
    common: Values
    scores: Values

    @property
    def variance(self) -> float:
        """Return the mean square of the scores."""
        seen = self.scores[~np.isnan(self.scores)]
        return float(np.mean(seen**2)) if seen.size else 0.0


class Slices:
    """The slices of a block, ready to be fitted.

    :param table: logarithms, shape (cycles, processes), NaN where there is no slice
    :param component: a number for each process: one for those that cycles hold together
    """

    def __init__(self, table: Values, component: Indices) -> None:
        self._table, self._there = table, np.isfinite(table)
        self._weight = weight = self._there.astype(np.float64)
        self._in_cycle = np.maximum(weight.sum(axis=1), 1.0)
        matrix = np.diag(weight.sum(axis=0)) - weight.T @ (weight / self._in_cycle[:, None])
        # each component may move as a whole: held where its values add up to 0
        matrix += (component[:, None] == component[None, :]).astype(np.float64)
        self._inverse = np.linalg.inv(matrix)

    def plain(self) -> Fit:
        """Return the fit by least squares."""
        values, common = self._solved(np.where(self._there, self._table, 0.0))
        return Fit(values, common, self._table - (common[:, None] + values))

    def drawn_in(self, clip: float, start: Fit) -> Fit:
        """Return the fit with slices drawn in to *clip* robust standard deviations, sought from *start*."""
        there = self._there
        values, common = start.values, start.common
        for _ in range(STEPS):
            fitted = common[:, None] + values
            rest = self._table - fitted
            far = clip * _robust_deviation(rest[there])
            before = values
            values, common = self._solved(np.where(there, fitted + np.clip(rest, -far, far), 0.0))
            if np.abs(values - before).max(initial=0.0) <= STILL * far / clip:
                break
        rest = self._table - (common[:, None] + values)
        inside = float(np.mean(np.abs(rest[there]) <= far)) if there.any() else 1.0
        with np.errstate(invalid="ignore"):
            return Fit(values, common, np.clip(rest, -far, far) * self._scale(inside))

    def _scale(self, inside: float) -> float:
        """Return what drawn-in slices are multiplied by so that they vary as they make values vary.

        With the correction for few slices a parameter, Huber, Robust Statistics (1981), equation 7.6.11.

        :param inside: share of the slices that count as far as they lie
        """
        if inside == 0:
            return math.inf
        slices = float(self._weight.sum())
        fitted = np.count_nonzero(self._there.any(axis=0)) + np.count_nonzero(self._there.any(axis=1)) - 1
        return (1 + fitted / slices * (1 - inside) / inside) / inside

    def _solved(self, filled: Values) -> tuple[Values, Values]:
        """Return the process and cycle parts of least squares; *filled* has 0 where there is no slice."""
        means = filled.sum(axis=1) / self._in_cycle
        values = self._inverse @ (self._weight * (filled - means[:, None])).sum(axis=0)
        return values, means - (self._weight @ values) / self._in_cycle


def _robust_deviation(rest: Values) -> float:
    """Return the standard deviation of what is left, from its median size (normal distribution)."""
    return float(np.median(np.abs(rest))) / 0.6745 if rest.size else 0.0
