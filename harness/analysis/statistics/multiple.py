"""Many questions at once: Benjamini-Hochberg."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import stats

FALSE_DISCOVERIES = 0.05


def adjusted(probabilities: Sequence[float | None]) -> list[float | None]:
    """Return Benjamini-Hochberg adjusted probabilities in the same order; None stays None, uncounted.

    Of the questions whose answer is at most q, about q are false (independent or positively dependent
    questions; scipy.stats.false_discovery_control).
    """
    known = [(i, p) for i, p in enumerate(probabilities) if p is not None]
    found: list[float | None] = [None] * len(probabilities)
    if known:
        values = stats.false_discovery_control(np.clip([p for _, p in known], 0.0, 1.0), method="bh")
        for (i, _), value in zip(known, values, strict=True):
            found[i] = float(value)
    return found
