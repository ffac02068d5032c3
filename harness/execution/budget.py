"""The time that a run may take, and what of it a block may spend beyond its first builds."""

from __future__ import annotations

import time


class Budget:
    """Time of a run, from now on.

    :param seconds: of all its measuring; None: blocks get their first builds and nothing beyond them
    :param precision: half of the 95 % interval asked for, of 1; what is narrower is not measured on
    """

    def __init__(self, seconds: float | None = None, precision: float = 0.01) -> None:
        self.precision = precision
        self._until = None if seconds is None else time.monotonic() + seconds
        self._waited = 0.0

    def waited(self, seconds: float) -> None:
        """Leave out of the run's time what it has waited for devices so far, *seconds* in all."""
        if self._until is not None:
            self._until += seconds - self._waited
        self._waited = seconds

    @property
    def left(self) -> float | None:
        """Seconds that are left, 0 or more; None where there is no limit."""
        return None if self._until is None else max(0.0, self._until - time.monotonic())

    def share(self, builds: int, took: float, later: int) -> float:
        """Return the seconds that a block may still spend, now that its first builds are measured.

        Those of the blocks to come are thought to take as long as these did; what is left after them is
        shared by number of builds.

        :param builds: first builds of this block; :param took: seconds they took
        :param later: first builds of the blocks to come
        """
        if self._until is None or not builds:
            return 0.0
        left = self._until - time.monotonic() - took / builds * later
        return max(0.0, left * builds / (builds + later))
