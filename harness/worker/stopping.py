"""How long a pass is measured: until its slices agree or a maximum is met. Runs on the harness's side."""

import math
import time
from typing import Any, Callable, Dict, List, Optional, Sequence  # noqa: F401

from harness.worker.job import Measure

SETTLE = 1
"""Inferences at the start of a slice that are not counted; the worker waited for the command before them."""

# Quantiles of Student's t at 0.975 for 1 to 30 degrees of freedom (any table of the distribution).
_T = (
    (12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.3060, 2.2622, 2.2281)
    + (2.2010, 2.1788, 2.1604, 2.1448, 2.1314, 2.1199, 2.1098, 2.1009, 2.0930, 2.0860)
    + (2.0796, 2.0739, 2.0687, 2.0639, 2.0595, 2.0555, 2.0518, 2.0484, 2.0452, 2.0423)
)
_Z = 1.959964

Take = Callable[[float, int, int, int], Dict[str, Any]]
"""Takes one slice: seconds, least and most samples, inferences that are not counted; returns its columns."""


class PassEnd(object):
    """How a pass ended.

    :param stopped_by: ``interval`` (narrow enough), ``samples`` or ``seconds`` (a maximum was met)
    :param half_width: half of the 95 % interval of the slices' means over their mean, None for one slice
    """

    def __init__(self, stopped_by: str, half_width: Optional[float]) -> None:
        self.stopped_by, self.half_width = stopped_by, half_width


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
    """Return half of the 95 % interval of *means* over their mean, None for fewer than two or a mean of 0."""
    count = len(means)
    mean = sum(means) / max(1, count)
    if count < 2 or mean == 0:
        return None
    variance = sum((value - mean) ** 2 for value in means) / (count - 1)
    return student_t(count - 1) * math.sqrt(variance / count) / mean


def measure_pass(take: Take, settings: Measure) -> PassEnd:
    """Take slices of a pass that is warm until the interval of their means is narrow or a maximum is met."""
    size = max(1, -(-settings.minimum_samples // settings.windows))
    means = []  # type: List[float]
    end = time.perf_counter() + settings.maximum_seconds
    taken = 0
    while True:
        left = max(0.0, end - time.perf_counter())
        values = take(left, 1, min(size, settings.maximum_samples - taken), SETTLE)["latency_ms"]
        count = len(values)
        taken += count
        if count == size:  # a slice cut short weighs as much as a full one, but scatters more
            means.append(sum(values) / count)
        width = relative_half_width(means)
        if len(means) >= settings.windows and width is not None and width <= settings.relative_half_width:
            return PassEnd("interval", width)
        if taken >= settings.maximum_samples:
            return PassEnd("samples", width)
        if time.perf_counter() >= end:
            return PassEnd("seconds", width)
