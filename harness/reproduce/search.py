"""Which piece of a network still shows its change: carriers alone, then with neighbours, then by halves.

Nothing is measured here: who searches brings what measures a piece.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from harness.reproduce.whole import Nodes

HALF = 0.5
"""Of the change of the whole, on the logarithm: a piece that shows less does not show it."""

RINGS = (1, 2, 4, 8, 16)
"""Neighbours that a carrier is measured with where it shows nothing alone, in steps from it."""

MOST_ALONE, MOST_GROWN = 6, 2
"""Carriers that are measured alone, and with neighbours."""


@dataclass(frozen=True)
class Measured:
    """What two versions took for a piece.

    :param effect: new / old, None where it was not measured; :param interval: its 95 % interval
    :param builds: of the old and of the new side; :param old_ms, new_ms: means over builds
    :param reason: why there is no effect, empty where there is
    """

    effect: float | None = None
    interval: tuple[float, float] | None = None
    builds: tuple[int, int] = (0, 0)
    old_ms: float | None = None
    new_ms: float | None = None
    reason: str = ""

    def shows(self, change: float) -> bool:
        """Say whether at least half of *change* (new / old of the whole) is there, and not by chance."""
        return self.effect is not None and self._reaches(self.effect, change)

    def confirms(self, change: float) -> bool:
        """Say whether something happened, and at least half of *change* may have: the interval reaches it."""
        return self.interval is not None and self._reaches(self.interval[1 if change > 1 else 0], change)

    def _reaches(self, effect: float, change: float) -> bool:
        if self.interval is None:
            return False
        told = self.interval[0] > 1 if change > 1 else self.interval[1] < 1
        return told and abs(math.log(effect)) >= HALF * abs(math.log(change))


class Pieces(Protocol):
    """Makes pieces of sets of nodes."""

    def connected(self, nodes: Nodes) -> Nodes:
        """Return a connected piece that holds *nodes*."""
        ...

    def grown(self, nodes: Nodes, rings: int) -> Nodes:
        """Return *nodes* with their neighbours."""
        ...


Measurer = Callable[[Nodes], Measured | None]
"""Measures a piece; None where the time is over."""


@dataclass
class Search:
    """A search and what it has measured so far.

    :param change: new / old of the whole
    :param measured: pieces in the order in which they were measured
    :param began: the piece that what was found was grown or cut from
    :param stopped: whether the time was over before the search
    """

    pieces: Pieces
    measurer: Measurer
    change: float
    measured: dict[Nodes, Measured] = field(default_factory=dict)
    began: Nodes = frozenset()
    stopped: bool = False

    def find(self, carriers: Sequence[Nodes]) -> Nodes | None:
        """Return the smallest piece found that shows the change, None where none does.

        :param carriers: nodes of each, those of the largest first
        """
        alone = list(dict.fromkeys(self.pieces.connected(nodes) for nodes in carriers if nodes))
        found = next((piece for piece in alone[:MOST_ALONE] if self._shows(piece)), None)
        self.began = found or self.began
        for piece in alone[:MOST_GROWN]:
            if found is not None or self.stopped:
                break
            found, self.began = self._with_neighbours(piece), piece
        return None if found is None else self._smaller(found)

    def _shows(self, piece: Nodes) -> bool:
        if piece not in self.measured:
            said = None if self.stopped else self.measurer(piece)
            if said is None:
                self.stopped = True
                return False
            self.measured[piece] = said
        return self.measured[piece].shows(self.change)

    def _with_neighbours(self, piece: Nodes) -> Nodes | None:
        last = piece
        for rings in RINGS:
            grown = self.pieces.grown(piece, rings)
            if grown == last:
                return None
            if self._shows(grown):
                return grown
            last = grown
        return None

    def _smaller(self, piece: Nodes) -> Nodes:
        """Leave out half of *piece* at either end, then a quarter ..., while the rest shows the change."""
        size = len(piece) // 2
        while size:
            order = sorted(piece)
            left = (frozenset(order[size:]), frozenset(order[:-size]))
            tried = (self.pieces.connected(nodes) for nodes in left if nodes)
            smaller = next((one for one in tried if len(one) < len(piece) and self._shows(one)), None)
            if smaller is None:
                size //= 2
            else:
                piece, size = smaller, min(size, len(smaller) // 2) or int(len(smaller) > 1)
        return piece
