"""Which layers carry a change: every carrier's time on both sides, and which of them changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec
import numpy as np

from harness.analysis.series import Series
from harness.analysis.statistics.intervals import welch_probabilities
from harness.analysis.statistics.levels import Values
from harness.analysis.statistics.multiple import FALSE_DISCOVERIES
from harness.analysis.verdict import LayerChange

TOP = 10
SMALLEST_STEP = 0.02
"""A layer that moves by less is not named, however sure that is."""

_FLOOR = 1e-4
"""Of the time of all carriers: a layer that is missing from one side has this, so that logarithms exist."""

Names = tuple[str, ...]


class LayerRows(msgspec.Struct, frozen=True):
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
        size = self.new if self.old is None else np.abs(self.new - self.old)
        # only those are put in order that are as large as the last one that is named
        least = np.partition(size, -TOP)[-TOP] if size.size > TOP else -np.inf
        largest = np.flatnonzero(size >= least).tolist()
        order = sorted([(-float(size[i]), self.names[i], i) for i in largest])[:TOP]
        return tuple([self._change(i, q[i]) for _, _, i in order])

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


def layer_rows(sides: Sequence[tuple[Series | None, Series]]) -> list[LayerRows]:
    """Return the carriers of comparisons; a carrier missing from a build took no time in it.

    Those with as many builds are worked out together.

    :param sides: the old and the new of each, None where nothing is compared
    """
    made: list[LayerRows | None] = []
    asked: dict[tuple[int, int], list[tuple[int, Names, Values, Values]]] = {}
    for place, (old, new) in enumerate(sides):
        names, b = new.carriers
        if old is None or not old.layers or not (old.carriers[0] or names):
            mean = b.mean(axis=1) if new.layers else np.zeros(len(names))
            made.append(LayerRows(names, None, mean, None))
            continue
        a_names, a = old.carriers
        both = tuple(dict.fromkeys((*a_names, *names)))
        a, b = _aligned(both, a_names, a), _aligned(both, names, b)
        made.append(None)
        asked.setdefault((a.shape[1], b.shape[1]), []).append((place, both, a, b))
    for group in asked.values():
        for (place, both, _, _), (old_ms, new_ms, p) in zip(group, _changes(group), strict=True):
            made[place] = LayerRows(both, old_ms, new_ms, p)
    return [rows for rows in made if rows is not None]


def _changes(
    group: Sequence[tuple[int, Names, Values, Values]],
) -> Iterator[tuple[Values, Values, Values | None]]:
    """Yield the means of both sides and the probabilities of comparisons with as many builds each."""
    cuts = np.cumsum([len(names) for _, names, _, _ in group])[:-1]
    old, new = (np.concatenate([one[side] for one in group]) for side in (2, 3))
    means = [np.split(side.mean(axis=1), cuts) for side in (old, new)]
    if min(old.shape[1], new.shape[1]) < 2:
        yield from ((a, b, None) for a, b in zip(*means, strict=True))
        return
    floors = [_FLOOR * max(float(a.sum()), float(b.sum())) or 1.0 for a, b in zip(*means, strict=True)]
    floor = np.repeat(floors, [len(names) for _, names, _, _ in group])[:, None]
    p = np.split(welch_probabilities(np.maximum(old, floor), np.maximum(new, floor)), cuts)
    yield from zip(*means, p, strict=True)


def _aligned(names: Sequence[str], own: Sequence[str], times: Values) -> Values:
    """Return *times* of the carriers *own* with a row for each of *names*."""
    if own == names:
        return times
    place = {name: index for index, name in enumerate(names)}
    rows = np.zeros((len(names), times.shape[1]))
    rows[[place[name] for name in own]] = times
    return rows
