"""How the time of a block is best split over builds and slices, on simulated blocks (no measurement).

    python benchmarks/simulate_split.py [--build 1.6] [--slice 0.055] [--seconds 6 8.6 12]

A cell of a block of eight gets so many seconds; a build costs ``--build`` seconds beside its slices (start,
import, building, warm-up, profile), a slice ``--slice``. Spreads are those of ``simulated_blocks.py``.
Printed for each split: half the width of the 95 % interval, how often an A/A pair is told (unchanged), how
often a slowdown of 5 % is, and the smallest slowdown that 95 % of the pairs show.
"""

from __future__ import annotations

import argparse

import numpy as np
from simulate_lockstep import compared, seen
from simulated_blocks import BUSY, QUIET, Scenario, Size, row, units

from harness.analysis.material import SHOWN

CELLS = 8
BUILDS = (2, 3, 4, 5, 6, 8)
FEWEST_CYCLES = 5
SLOWDOWNS = (0.02, 0.03, 0.04, 0.05, 0.06, 0.08, 0.10, 0.15, 0.20, 0.30)


def main() -> None:
    """Print one table a scenario and time."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--build", type=float, default=1.6, metavar="SECONDS")
    parser.add_argument("--slice", type=float, default=0.055, metavar="SECONDS")
    parser.add_argument("--seconds", type=float, nargs="+", default=[6.0, 8.6, 12.0], help="of a cell")
    parser.add_argument("--draws", type=int, default=4000)
    parser.add_argument("--seed", type=int, default=20261129)
    arguments = parser.parse_args()
    heads = ("half width, %", "unchanged at 0, %", "5 % seen, %", "seen in 95 %, %")
    row("scenario", "seconds a cell", "builds x cycles", *heads)
    row(*["---"] * (3 + len(heads)))
    for of in (QUIET, BUSY):
        for seconds in arguments.seconds:
            for builds in BUILDS:
                cycles = int((seconds / builds - arguments.build) / arguments.slice)
                if cycles >= FEWEST_CYCLES:
                    size = Size(CELLS, builds, 1, cycles)
                    row(of.name, f"{seconds:g}", *_split(of, size, arguments.draws, arguments.seed))


def _split(of: Scenario, size: Size, draws: int, seed: int) -> list[str]:
    rng = np.random.default_rng([seed, size.builds, size.cycles])
    same = compared(of, units(rng, of, size, draws, 0.0))
    half = same.half_width(SHOWN)
    unchanged = np.abs(same.estimate) + half <= np.log1p(of.material)
    power = {
        by: seen(compared(of, units(rng, of, size, draws, float(np.log1p(by)))), of.material)
        for by in SLOWDOWNS
    }
    least = next((f"{100 * by:g}" for by in SLOWDOWNS if power[by] >= 95), "more")
    return [
        f"{size.builds} x {size.cycles}",
        f"{100 * float(np.median(half)):.2f}",
        f"{100 * float(np.mean(unchanged)):.0f}",
        f"{power[0.05]:.0f}",
        least,
    ]


if __name__ == "__main__":
    main()
