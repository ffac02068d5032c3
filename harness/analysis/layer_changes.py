"""Which layers carry a change: every carrier's time on both sides, and which of them changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from harness.analysis.groups import Series
from harness.analysis.statistics.intervals import welch_probabilities
from harness.analysis.statistics.levels import Values
from harness.analysis.statistics.multiple import FALSE_DISCOVERIES
from harness.analysis.verdict import LayerChange

TOP = 10
SMALLEST_STEP = 0.02
"""A layer that moves by less is not named, however sure that is."""

_FLOOR = 1e-4
"""Of the time of all carriers: a layer that is missing from one side has this, so that logarithms exist."""


@dataclass(frozen=True)
class LayerRows:
    """The carriers of one verdict.

    :param old, new: mean milliseconds over builds, shape (layers,); None for a side without builds
    :param p: probability of each difference, shape (layers,), None with fewer than two builds on a side
    """

    names: tuple[str, ...]
    old: Values | None
    new: Values
    p: Values | None

    def top(self, q: Sequence[float | None]) -> tuple[LayerChange, ...]:
        """Return the carriers with the largest difference (with one side: the heaviest), at most ten.

        :param q: adjusted probabilities, one a carrier
        """
        size = (self.new if self.old is None else np.abs(self.new - self.old)).tolist()
        order = sorted(range(len(self.names)), key=lambda i: (-size[i], self.names[i]))[:TOP]
        return tuple(self._change(i, q[i]) for i in order)

    def _change(self, i: int, q: float | None) -> LayerChange:
        old = None if self.old is None else float(self.old[i])
        sizes = sorted((abs(old or 0.0), abs(float(self.new[i]))))
        # told apart is not changed: with steady builds a difference of a thousandth is told apart too
        moved = sizes[1] > sizes[0] * (1 + SMALLEST_STEP)
        changed = q is not None and q <= FALSE_DISCOVERIES and moved
        return LayerChange(self.names[i], old, float(self.new[i]), q, changed)

    @property
    def probabilities(self) -> list[float | None]:
        """p as a list, None for each carrier where there is none."""
        return [None] * len(self.names) if self.p is None else self.p.tolist()


def layer_rows(old: Series | None, new: Series) -> LayerRows:
    """Return the carriers of a comparison; a carrier missing from a build took no time in it."""
    b_names, b = new.carriers
    if old is None or not old.layers or not (old.carriers[0] or b_names):
        return LayerRows(b_names, None, b.mean(axis=1) if new.layers else np.zeros(len(b_names)), None)
    a_names, a = old.carriers
    names = tuple(dict.fromkeys((*a_names, *b_names)))
    a, b = _aligned(names, a_names, a), _aligned(names, b_names, b)
    p = None
    if min(a.shape[1], b.shape[1]) > 1:
        floor = _FLOOR * max(float(a.mean(axis=1).sum()), float(b.mean(axis=1).sum())) or 1.0
        p = welch_probabilities(np.maximum(a, floor), np.maximum(b, floor))
    return LayerRows(names, a.mean(axis=1), b.mean(axis=1), p)


def _aligned(names: Sequence[str], own: Sequence[str], times: Values) -> Values:
    """Return *times* of the carriers *own* with a row for each of *names*."""
    if own == names:
        return times
    place = {name: index for index, name in enumerate(names)}
    rows = np.zeros((len(names), times.shape[1]))
    rows[[place[name] for name in own]] = times
    return rows
