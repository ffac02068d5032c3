"""The smallest change of a latency that tonight shows after few nights, simulated with the law in force.

    python benchmarks/few_nights.py [--draws 400]

Nights scatter by what the row says (normal, on the logarithm). Of a series alone only its own nights say how
wide that is; the series of a host that scatter alike say it together. Printed is the median over draws.
"""

from __future__ import annotations

import argparse
import math

import numpy as np
from numpy.random import Generator
from simulated_blocks import row

from harness.analysis.material import MATERIAL, smallest_seen
from harness.analysis.statistics.nights import CONFIDENCE, Earlier, against_nights

NIGHTS = (3, 4, 5, 7, 14)
SCATTER = (0.01, 0.02, 0.05)


def smallest(random: Generator, series: int, nights: int, scatter: float) -> float:
    """Return the smallest factor that shows in one draw, less 1."""
    earlier = [Earlier(random.normal(0.0, scatter, nights), np.empty(0)) for _ in range(series)]
    found = against_nights([0.0] * series, earlier)[0]
    assert found is not None
    shown = smallest_seen(found.difference, math.log1p(MATERIAL), alarm=CONFIDENCE)
    return math.expm1(min(float(shown), 700.0))


def main() -> None:
    """Print a row a scatter and number of series that share it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=400)
    parser.add_argument("--seed", type=int, default=20261129)
    arguments = parser.parse_args()
    random = np.random.default_rng(arguments.seed)
    row("series", "nights scatter by, %", *(f"{count} nights" for count in NIGHTS))
    row(*["---"] * (2 + len(NIGHTS)))
    for series, words in ((1, "alone"), (4, "4 that scatter alike")):
        for scatter in SCATTER:
            cells = []
            for count in NIGHTS:
                draws = [smallest(random, series, count, scatter) for _ in range(arguments.draws)]
                cells.append(f"{100 * float(np.median(draws)):.0f} %")
            row(words, f"{100 * scatter:.0f}", *cells)


if __name__ == "__main__":
    main()
