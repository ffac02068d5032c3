"""The loop of one pass: warm up, then windows of samples until their means agree or the time is over."""

import math
import time
from typing import Any, Callable, Dict, List, Optional, Sequence

from harness.worker.job import Measure

COLUMNS = ("latency_ms", "enqueue_ms", "host_ms")

# Quantiles of Student's t at 0.975 for 1 to 30 degrees of freedom (any table of the distribution).
_T = (
    (12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.3060, 2.2622, 2.2281)
    + (2.2010, 2.1788, 2.1604, 2.1448, 2.1314, 2.1199, 2.1098, 2.1009, 2.0930, 2.0860)
    + (2.0796, 2.0739, 2.0687, 2.0639, 2.0595, 2.0555, 2.0518, 2.0484, 2.0452, 2.0423)
)
_Z = 1.959964

# Python 3.7 and newer have it; without it the clock is a float, good to about 200 ns.
_TIME_NS = getattr(time, "time_ns", None) or (lambda: int(time.time() * 1e9))


class Pass(object):
    """What one pass measured.

    :param windows: rows of ``samples.json``
    :param stopped_by: ``interval`` (narrow enough), ``samples`` or ``seconds`` (a maximum was met)
    :param half_width: half of the 95 % interval of the window means over their mean, None for one window
    """

    def __init__(self, windows: List[Dict[str, Any]], stopped_by: str, half_width: Optional[float]) -> None:
        self.windows = windows
        self.stopped_by = stopped_by
        self.half_width = half_width


def student_t(freedom: int) -> float:
    """Return the 0.975 quantile of Student's t with *freedom* degrees of freedom (1 and more).

    Above the table by the first terms of its expansion in 1/freedom (Abramowitz and Stegun, 26.7.5), exact
    to 1e-4 there.
    """
    if freedom <= len(_T):
        return _T[freedom - 1]
    first = (_Z**3 + _Z) / 4.0
    second = (5.0 * _Z**5 + 16.0 * _Z**3 + 3.0 * _Z) / 96.0
    return _Z + first / freedom + second / freedom**2


def relative_half_width(means: Sequence[float]) -> Optional[float]:
    """Return half of the 95 % interval of *means* over their mean, None for fewer than two."""
    count = len(means)
    if count < 2:
        return None
    mean = sum(means) / count
    variance = sum((value - mean) ** 2 for value in means) / (count - 1)
    return student_t(count - 1) * math.sqrt(variance / count) / mean


def run_pass(
    name: str,
    sample: Callable[[], Dict[str, float]],
    settings: Measure,
    clock: str = "host",
    before: Optional[Callable[[], None]] = None,
) -> Pass:
    """Measure one pass.

    :param sample: runs one inference and returns milliseconds by column (``latency_ms`` always,
        ``enqueue_ms`` and ``host_ms`` where they are measured)
    :param clock: what ``latency_ms`` was read from: ``gpu`` (events) or ``host``
    :param before: called before each sample, outside the timed region (to flush a cache)
    """
    _warm_up(sample, settings, before)
    size = max(1, -(-settings.minimum_samples // settings.windows))
    windows = []  # type: List[Dict[str, Any]]
    means = []  # type: List[float]
    end = time.perf_counter() + settings.maximum_seconds
    taken = 0
    while True:
        window = _window(
            name, len(windows), clock, sample, before, min(size, settings.maximum_samples - taken), end
        )
        windows.append(window)
        count = len(window["start_ns"])
        taken += count
        if count == size:  # a window cut short weighs as much as a full one, but scatters more
            means.append(sum(window["latency_ms"]) / count)
        width = relative_half_width(means)
        if len(means) >= settings.windows and width is not None and width <= settings.relative_half_width:
            return Pass(windows, "interval", width)
        if taken >= settings.maximum_samples:
            return Pass(windows, "samples", width)
        if time.perf_counter() >= end:
            return Pass(windows, "seconds", width)


def _warm_up(
    sample: Callable[[], Dict[str, float]], settings: Measure, before: Optional[Callable[[], None]]
) -> None:
    end = time.perf_counter() + settings.warmup_seconds
    while True:  # at least once: the first inference allocates
        if before is not None:
            before()
        sample()
        if time.perf_counter() >= end:
            return


def _window(
    name: str,
    number: int,
    clock: str,
    sample: Callable[[], Dict[str, float]],
    before: Optional[Callable[[], None]],
    size: int,
    end: float,
) -> Dict[str, Any]:
    starts = []  # type: List[int]
    rows = []  # type: List[Dict[str, float]]
    while len(rows) < size:
        if before is not None:
            before()
        starts.append(now_ns())
        rows.append(sample())
        if time.perf_counter() >= end:
            break
    window = {"pass": name, "window": number, "clock": clock, "start_ns": starts}  # type: Dict[str, Any]
    for column in COLUMNS:
        window[column] = [row[column] for row in rows] if column in rows[0] else None
    return window


def now_ns() -> int:
    """Return the host's clock in nanoseconds (``time.time_ns`` is there from Python 3.7 on)."""
    return int(_TIME_NS())
