"""How large a change must be to be told from noise: A/A thresholds and the smallest detectable change."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from harness.analysis.statistics.intervals import Ratio, t_quantile

SMALLEST_MARGIN = 0.02
AA_QUANTILE = 0.99
AA_PAIRS = 5
POWER = 0.80


def aa_threshold(found: Ratio, pairs: Sequence[float] = ()) -> float:
    """Return the size (of 1) that ratios of two arms of the same thing exceed in one case of a hundred.

    From the builds of the two cells themselves: their standard error times Student's t. Where at least
    :data:`AA_PAIRS` A/A pairs were measured, also from those (they carry what differs between arms and not
    between builds), scaled to no other number of builds than they had; the larger counts.

    :param found: the comparison whose builds are at hand
    :param pairs: ratios of A/A pairs, second arm / first
    :returns: a fraction below 1, ``0.03`` for 3 %
    """
    log = found.quantile(0.5 + AA_QUANTILE / 2) * found.standard_error
    if len(pairs) >= AA_PAIRS:
        # An A/A pair has a known mean of zero, so that k pairs have k degrees of freedom.
        spread = float(np.sqrt(np.mean(np.square(np.log(np.asarray(pairs, dtype=np.float64))))))
        log = max(log, t_quantile(0.5 + AA_QUANTILE / 2, len(pairs)) * spread)
    # 1 - exp(-x) and not exp(x) - 1: the lower limit 1 - m stays positive however large the noise
    return -math.expm1(-log)


def margin(threshold: float) -> float:
    """Return m of the decision table: the larger of 2 % and the A/A threshold."""
    return max(SMALLEST_MARGIN, threshold)


def smallest_detectable(found: Ratio, m: float) -> float:
    """Return the smallest relative slowdown that builds like these show in four cases of five.

    Its interval must lie wholly above 1 + m, so the true change must exceed that limit by the half width
    and by the noise of the estimate itself (:data:`POWER`).

    :returns: a fraction, ``0.08`` for a version 8 % slower; may exceed 1
    """
    log = math.log1p(m) + found.half_width + found.quantile(POWER) * found.standard_error
    # two builds that hardly agree have an error that is beyond any number
    return math.expm1(min(log, 700.0))
