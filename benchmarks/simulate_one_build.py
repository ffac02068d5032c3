"""From which size on a gain of one build a side may be published: builds of one version lie apart, too.

    python benchmarks/simulate_one_build.py [--draws 200000]

Simulated: one build of either side, each with the scatter of its version and slow for once with some chance,
as GPU builds were seen to be (2 to 34 % slower, log-uniformly). Printed is, for each cut-off, how often a
remedy that gains nothing, or 10 %, would be published, and how often one that gains a third, two fifths or
half is (docs/decisions/0011-gains-of-one-build.md).
"""

from __future__ import annotations

import argparse

import numpy as np
from numpy.typing import NDArray

from benchmarks.simulated_blocks import row

CUTS = (0.9, 0.8, 0.75, 0.7, 2 / 3, 0.6)
SPREADS = (0.0036, 0.02, 0.035, 0.1)
SLOW = (0.0, 0.06, 0.2)
BY = (0.02, 0.34)
FACTORS = (1.0, 0.9, 2 / 3, 0.6, 0.5)
SEED = 20261129

Values = NDArray[np.float64]


def main() -> None:
    """Print a row for each spread, share of slow builds and cut-off."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--draws", type=int, default=200_000)
    draws = parser.parse_args().draws
    heads = [f"published at {factor:.2f}, %" for factor in FACTORS]
    row("spread, %", "slow, %", "cut-off", *heads)
    row(*["---"] * (3 + len(FACTORS)))
    for spread in SPREADS:
        for slow in SLOW:
            ratios = ratios_of(spread, slow, draws)
            for cut in CUTS:
                shares = [f"{100 * np.mean(factor * ratios < cut):.2f}" for factor in FACTORS]
                row(f"{100 * spread:g}", f"{100 * slow:g}", f"{cut:.2f}", *shares)


def ratios_of(spread: float, slow: float, draws: int) -> Values:
    """Return new / old of two builds of which nothing differs but what builds scatter."""
    rng = np.random.default_rng([SEED, round(1e4 * spread), round(1e4 * slow)])
    logs = rng.normal(0, spread, (2, draws))
    by = np.log1p(np.exp(rng.uniform(*np.log(BY), (2, draws))))
    logs += np.where(rng.random((2, draws)) < slow, by, 0.0)
    ratios: Values = np.exp(logs[1] - logs[0])
    return ratios


if __name__ == "__main__":
    main()
