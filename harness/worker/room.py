"""Whether memory takes one more worker: asked for before each, not guessed. Standard library alone."""

from typing import List, Tuple

RESERVE = 0.1
"""Part of a memory that is left to everybody else."""

MARGIN = 1.2
"""A worker needs more while it builds than it keeps."""


class Room(object):
    """Memories that workers share.

    What a worker takes is learned from those that were started: the largest drop of what was free.
    """

    def __init__(self) -> None:
        self._before = self._free()
        self._largest = [0 for _ in self._before]

    def for_one_more(self, coming: int = 0) -> bool:
        """Say whether there is memory for another worker like those so far.

        :param coming: workers that were started and have not taken theirs yet
        """
        free = self._free()
        drops = [was[0] - now[0] for was, now in zip(self._before, free)]
        self._largest = [max(pair) for pair in zip(self._largest, drops)]
        self._before = free
        return all(
            left - (1 + coming) * MARGIN * largest > RESERVE * total
            for (left, total), largest in zip(free, self._largest)
        )

    def _free(self) -> List[Tuple[int, int]]:
        """Return free and total bytes of each memory."""
        raise NotImplementedError
