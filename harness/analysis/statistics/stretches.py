"""Stretches of a cycle: slices taken so close to each other that the machine was the same for them.

A cycle of many processes lasts seconds, and a machine whose cores are shared changes its speed several times
in one. What a stretch of successive slices shares is common to them; a whole cycle shares less
(docs/decisions/0012-stretches.md).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

SLICES = 6
"""Slices of a stretch, as nearly as a cycle can be cut."""

LEAST = 8
"""Cycles from which on they are cut: the stretches of fewer might hold sets of processes that never meet."""


def stretches(cycle: ArrayLike, place: ArrayLike, slices: int = SLICES) -> NDArray[np.int_]:
    """Return the number of the stretch of each slice, from 0 on, in the order of time.

    A cycle of n slices is cut by their places into n / *slices* stretches, rounded, of about as many each.
    One whose places do not tell the order, two slices having the same, stays whole.

    :param cycle, place: of each slice; numbers that rise with time, places within their cycle
    """
    rows, places = np.asarray(cycle, dtype=np.int_), np.asarray(place, dtype=np.int_)
    order = np.lexsort((places, rows))
    cycles = np.split(order, np.flatnonzero(np.diff(rows[order])) + 1)
    found, first = np.zeros(rows.shape, dtype=np.int_), 0
    for members in cycles:
        parts = max(1, round(members.size / slices))
        if len(cycles) < LEAST or np.unique(places[members]).size < members.size:
            parts = 1
        found[members] = first + np.arange(members.size) * parts // max(members.size, 1)
        first += parts
    return found
