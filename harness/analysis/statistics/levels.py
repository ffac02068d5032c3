"""Levels of repetition: host > build > process > window > sample.

What varies most decides how sure an answer is. In TensorRT that is the build: two engines of one version
and one network differ by more than a thousand inferences of either. So samples are reduced to one value a
build, and every interval of a verdict is made from builds. What lies below the build serves diagnostics only.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import median

import msgspec
import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]


class Side(msgspec.Struct, frozen=True):
    """The builds of one side of a comparison, on the logarithm of their values.

    :param mean_log: mean of the logarithms (of milliseconds, or of a share)
    :param variance: unbiased variance of the logarithms, None for fewer than two builds
    :param builds: number of builds
    """

    mean_log: float
    variance: float | None
    builds: int

    @property
    def mean(self) -> float:
        """The geometric mean over builds, in the unit of the values."""
        return float(np.exp(self.mean_log))


def build_mean_log(values: Sequence[float] | Values) -> Side:
    """Return the mean and variance over builds of the logarithm of their values.

    :param values: one positive value a build, any unit, shape (builds,)
    :raises ValueError: no builds, or a value that is not positive and finite
    """
    given = np.asarray(values, dtype=np.float64).ravel()
    # A few builds: Python looks at their numbers, and adds them, for less than NumPy, with the same result.
    if not given.size or not all(0 < value < math.inf for value in given.tolist()):
        raise ValueError(
            "builds are compared by the logarithm of their values: all must be positive and finite"
        )
    logs = np.log(given).tolist()
    mean = sum(logs) / len(logs)
    squares = sum((value - mean) ** 2 for value in logs)
    return Side(mean, squares / (len(logs) - 1) if len(logs) > 1 else None, len(logs))


def drift(values_by_round: Sequence[float] | Values) -> float | None:
    """Return the slope of log value over rounds (relative change a round), None below three.

    The median of the slopes between every two rounds (Theil and Sen: P. K. Sen, Estimates of the regression
    coefficient based on Kendall's tau, JASA 63, 1968). Rounds are interleaved, so a drift moves both sides
    alike: it widens the interval and does not shift it.
    """
    logs: list[float] = np.log(np.asarray(values_by_round, dtype=np.float64)).tolist()
    if len(logs) < 3:
        return None
    return median((logs[j] - logs[i]) / (j - i) for i in range(len(logs)) for j in range(i + 1, len(logs)))
