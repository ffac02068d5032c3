"""Setting against each other what was never alive together: by a build that was measured in both places.

Where a block does not fit into memory it is split into sub-blocks that share an *anchor* build; where only
one process may hold the device, processes are measured one after the other with an anchor between. Either way
the anchor's own error, that of a process, enters the comparison.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harness.analysis.statistics.additive_fit import Indices
from harness.analysis.statistics.levels import Values
from harness.analysis.statistics.lockstep import connected


@dataclass(frozen=True)
class Joined:
    """Processes of several sub-blocks on one scale.

    :param values: one a process, NaN without one; shape (processes,)
    :param group: sub-blocks with one number are joined by an anchor, others cannot be compared; shape
        (components,)
    :param covariance: of the sub-blocks' offsets, as a multiple of the variance of one process value; shape
        (components, components)
    """

    values: Values
    group: Indices
    covariance: Values

    def error(self, old: Sequence[int], new: Sequence[int]) -> float | None:
        """Return what joining adds to the variance of new - old, as a multiple of that of one process value.

        0 where both sides were measured in the same sub-blocks alike, None where no anchor joins them.

        :param old, new: for each build of a side the sub-block it was measured in
        """
        places = [*old, *new]
        if len({int(self.group[place]) for place in places}) > 1:
            return None
        weight = np.zeros(self.group.size)
        np.add.at(weight, list(old), -1.0 / len(old))
        np.add.at(weight, list(new), 1.0 / len(new))
        return max(float(weight @ self.covariance @ weight), 0.0)


def join(values: Values, component: Indices, build: Indices) -> Joined:
    """Return the values of all processes on one scale: value = sub-block + build, by least squares.

    What a build has in two sub-blocks tells how far these are apart; a build of one alone tells nothing.

    :param values: one a process, relative to its own sub-block
    :param component: the sub-block of each process, -1 for none (:class:`ProcessValues`)
    :param build: the build of each process, numbered from 0 on
    """
    there = (component >= 0) & np.isfinite(values)
    blocks, builds = int(component.max(initial=-1)) + 1, int(build.max(initial=-1)) + 1
    rows = np.arange(int(there.sum()))
    design: Values = np.zeros((rows.size, blocks + builds))
    design[rows, component[there]] = 1.0
    design[rows, blocks + build[there]] = 1.0
    inverse: Values = np.linalg.pinv(design.T @ design, hermitian=True).astype(np.float64)
    offsets = (inverse @ design.T @ values[there])[:blocks]
    links = (design.T @ design)[:blocks, blocks:]
    found: Values = np.full(values.shape, np.nan)
    found[there] = values[there] - offsets[component[there]]
    return Joined(found, connected(links @ links.T), inverse[:blocks, :blocks])


def between_anchors(values: Values, seconds: ArrayLike, anchor: NDArray[np.bool_]) -> Values:
    """Return values of processes measured one after the other, relative to the anchors around each of them.

    The anchors' level is taken to move in a straight line from one to the next. An anchor is set against its
    neighbours, not against itself, so that the anchor's build can be compared too.

    :param values: logarithms in the order of time, NaN for a process without one
    :param seconds: when each was measured, ascending; :param anchor: which of them are anchors
    :return: NaN where there is no other anchor
    """
    times = np.asarray(seconds, dtype=np.float64)
    known = anchor & np.isfinite(values)
    found: Values = np.full(values.shape, np.nan)
    for place in np.flatnonzero(np.isfinite(values)):
        others = np.flatnonzero(known & (np.arange(values.size) != place))
        if others.size:
            found[place] = values[place] - np.interp(times[place], times[others], values[others])
    return found
