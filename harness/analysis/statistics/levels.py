"""Levels of repetition: host > build > process > window > sample.

What varies most decides how sure an answer is. In TensorRT that is the build: two engines of one version
and one network differ by more than a thousand inferences of either. So samples are reduced to one value a
build, and every interval of a verdict is made from builds. What lies below the build serves diagnostics only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
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


def build_value(samples: ArrayLike) -> float:
    """Return the one value of a build: the median of its samples (same unit).

    The median, because samples have a long tail to one side (the host, another process) that says nothing
    about the engine. Samples taken while throttled are left out by whoever reads them.

    :raises ValueError: no samples, or one that is not finite
    """
    values = np.asarray(samples, dtype=np.float64).ravel()
    if values.size == 0 or not np.isfinite(values).all():
        raise ValueError("a build value needs at least one sample, and finite ones only")
    return float(np.median(values))


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


def window_medians(samples: ArrayLike, windows: int) -> Values:
    """Return the medians of *windows* consecutive windows of nearly equal length, in order of time.

    :raises ValueError: more windows than samples
    """
    values = np.asarray(samples, dtype=np.float64).ravel()
    if not 1 <= windows <= values.size:
        raise ValueError(f"{values.size} samples cannot be cut into {windows} windows")
    return np.array([np.median(part) for part in np.array_split(values, windows)])


def within_build_interval(
    samples: ArrayLike, *, windows: int = 20, confidence: float = 0.95, seed: int = 0
) -> tuple[float, float]:
    """Return a bootstrap interval of a build's median, over windows rather than samples.

    Neighbouring samples depend on each other, so windows are what is drawn. A diagnostic of one build only:
    a bootstrap over three builds would hold the truth in about 81 % of cases, not 95 %.

    :returns: low and high, in the unit of the samples
    """
    medians = window_medians(samples, windows)
    answer = stats.bootstrap(
        (medians,),
        np.median,
        confidence_level=confidence,
        n_resamples=2000,
        method="percentile",
        rng=np.random.default_rng(seed),
    )
    return float(answer.confidence_interval.low), float(answer.confidence_interval.high)


def drift(values_by_round: Sequence[float] | Values) -> float | None:
    """Return the slope of log value over rounds (relative change a round, Theil-Sen), None below three.

    Rounds are interleaved, so a drift moves both sides alike: it widens the interval and does not shift it.
    """
    logs = np.log(np.asarray(values_by_round, dtype=np.float64))
    return float(stats.theilslopes(logs).slope) if logs.size >= 3 else None
