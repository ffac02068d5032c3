"""Levels of repetition: host > build > process > window > sample.

What varies most decides how sure an answer is. In TensorRT that is the build: two engines of one version
and one network differ by more than a thousand inferences of either. So samples are reduced to one value a
build, and every interval of a verdict is made from builds. What lies below the build serves diagnostics only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Side:
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
    found = np.asarray(values, dtype=np.float64).ravel()
    if found.size == 0 or not (np.isfinite(found).all() and (found > 0).all()):
        raise ValueError(
            "builds are compared by the logarithm of their values: all must be positive and finite"
        )
    logs = np.log(found)
    return Side(float(logs.mean()), float(logs.var(ddof=1)) if logs.size > 1 else None, int(logs.size))


def drift(values_by_round: Sequence[float] | Values) -> float | None:
    """Return the slope of log value over rounds (relative change a round, Theil-Sen), None below three.

    Rounds are interleaved, so a drift moves both sides alike: it widens the interval and does not shift it.
    """
    logs = np.log(np.asarray(values_by_round, dtype=np.float64))
    return float(stats.theilslopes(logs).slope) if logs.size >= 3 else None
