"""Taking of samples, inside: a pass that can be warmed up and measured slice by slice."""

import time
from typing import Any, Callable, Dict, List, Optional

COLUMNS = ("latency_ms", "enqueue_ms", "host_ms", "cpu_ms")

DIGITS = 6
"""Of milliseconds: to the nanosecond, which no clock here goes beyond; what a float adds only takes room."""

# Python 3.7 and newer have it; without it the clock is a float, good to about 200 ns.
_TIME_NS = getattr(time, "time_ns", None) or (lambda: int(time.time() * 1e9))


class Pass(object):
    """One way of running an engine, end to end.

    :param name: ``latency`` for the treatment's own; others are those of the job's ``measure.passes``
    :param sample: runs one inference and returns milliseconds by column (``latency_ms`` always,
        ``enqueue_ms``, ``host_ms`` and ``cpu_ms`` where they are measured)
    :param clock: what ``latency_ms`` was read from: ``gpu`` (events) or ``host``
    :param before: called before each sample, outside the timed region (to flush a cache)
    """

    def __init__(
        self,
        name: str,
        sample: Callable[[], Dict[str, float]],
        clock: str = "host",
        before: Optional[Callable[[], None]] = None,
    ) -> None:
        self.name, self.clock = name, clock
        self._sample, self._before = sample, before
        self.slices = []  # type: List[Dict[str, Any]]

    def warm_up(self, seconds: float) -> int:
        """Run inferences that are not counted for *seconds*, at least one, and return how many."""
        end, count = time.perf_counter() + seconds, 0
        while True:  # at least once: the first inference allocates
            self._once()
            count += 1
            if time.perf_counter() >= end:
                return count

    def take(self, seconds: float, at_least: int, at_most: int, settle: int = 0) -> Dict[str, Any]:
        """Take samples for *seconds*, and return ``clock`` and columns (null where not measured).

        :param at_least: taken however long they last; :param at_most: not more, however short they are
        :param settle: inferences before them that are not counted: a pause leaves caches cold
        """
        for _ in range(settle):
            self._once()
        starts = []  # type: List[int]
        rows = []  # type: List[Dict[str, float]]
        before, sample, end = self._before, self._sample, time.perf_counter() + seconds
        while len(rows) < at_most:
            if before is not None:
                before()
            starts.append(now_ns())
            rows.append(sample())
            if time.perf_counter() >= end and len(rows) >= at_least:
                break
        taken = {"clock": self.clock, "start_ns": starts}  # type: Dict[str, Any]
        for column in COLUMNS:
            known = column in rows[0]
            taken[column] = [round(row[column], DIGITS) for row in rows] if known else None
        self.slices.append(taken)
        return taken

    def values(self, column: str) -> List[float]:
        """Return all samples of *column* so far, milliseconds."""
        return [value for taken in self.slices for value in taken[column] or ()]

    def _once(self) -> None:
        if self._before is not None:
            self._before()
        self._sample()


def now_ns() -> int:
    """Return the host's clock in nanoseconds (``time.time_ns`` is there from Python 3.7 on)."""
    return int(_TIME_NS())
