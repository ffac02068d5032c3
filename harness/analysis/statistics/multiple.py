"""Many questions at once: Benjamini-Hochberg."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

FALSE_DISCOVERIES = 0.05


def adjusted(probabilities: Sequence[float | None]) -> list[float | None]:
    """Return Benjamini-Hochberg adjusted probabilities in the same order; None stays None, uncounted.

    Of the questions whose answer is at most q, about q are false (independent or positively dependent
    questions; Y. Benjamini and Y. Hochberg, Controlling the false discovery rate, JRSS B 57, 1995).
    """
    places = [place for place, p in enumerate(probabilities) if p is not None]
    answers: list[float | None] = [None] * len(probabilities)
    if not places:
        return answers
    known = np.clip([p for p in probabilities if p is not None], 0.0, 1.0)
    order = np.argsort(known)
    raised = known[order] * (known.size / np.arange(1, known.size + 1))
    # No answer is above that of a larger probability.
    q = np.empty_like(known)
    q[order] = np.minimum(1.0, np.minimum.accumulate(raised[::-1])[::-1])
    for place, value in zip(places, q.tolist(), strict=True):
        answers[place] = value
    return answers
