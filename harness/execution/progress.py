"""How far a run is and how long it will still take."""

from __future__ import annotations

import time


class Clock:
    """Counts steps and extrapolates from the mean of those done.

    :param total: steps in all
    """

    def __init__(self, total: int) -> None:
        self._total, self._done, self._began = total, 0, time.monotonic()

    def step(self, what: str, state: str, later: int = 0) -> str:
        """Count one step and return its line: ``[12/72] round 1/3  CELL  about 2 min left``.

        :param later: steps that have not begun; those of a block end together, and take as long as others did
        """
        self._done += 1
        self._total = max(self._total, self._done)  # blocks may get more builds than were planned
        width = len(str(self._total))
        mark = "" if state == "ok" else f"  {state.upper()}"
        return f"[{self._done:{width}}/{self._total}] {what}{mark}{self._left(later)}"

    def _left(self, later: int) -> str:
        if not later:
            return ""
        seconds = (time.monotonic() - self._began) / (self._total - later) * later
        return f"  about {spoken(seconds)} left"


def spoken(seconds: float) -> str:
    """Return *seconds* as a person says it: ``40 s``, ``6 min``, ``2 h 10 min``."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02d} min"
