"""What Apache Otava sees, night by night; run by ``change_points.py`` with the Python of its own environment.

    PYTHON benchmarks/otava_scores.py IN.npz OUT.npz

Otava pins NumPy and brings cloud clients, so it does not go into the environment of the harness.
"""

from __future__ import annotations

import sys

import numpy as np
from otava.analysis import compute_change_points  # type: ignore[import-not-found]

LOOSE = 1e-3
"""The significance that points are asked for by; stricter ones are taken from what these say."""

given = np.load(sys.argv[1])
window, nights = int(given["window"]), given["nights"]
found = {}
for name in given.files:
    if not name.startswith("values"):
        continue
    values = np.exp(given[name])
    first, last = nights[int(name.removeprefix("values"))]
    scores = np.zeros((len(values), 2))
    for night in range(int(first), min(int(last), len(values))):
        begin = max(0, night + 1 - window)
        points, _ = compute_change_points(list(values[begin : night + 1]), window_len=50, max_pvalue=LOOSE)
        if points:
            scores[night] = -np.log10(max(points[-1].stats.pvalue, 1e-300)), begin + points[-1].index
    found[name] = scores
np.savez(sys.argv[2], **found)
