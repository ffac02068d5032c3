"""How far a slice may lie out before it counts as no further: fixed, or by how the slices of a block scatter.

    python benchmarks/simulate_clips.py [--draws 100]

Simulated: the blocks of ``simulate_stretches.py``, and machines on which a slice now and then lies far out by
itself. Printed are the spread of builds, alarms among two cells that do not differ, coverage of the 95 %
interval, and how often 5 % are seen, by the robust standard deviations that slices are drawn in to.
"""

from __future__ import annotations

import argparse

import numpy as np

from benchmarks.simulate_stretches import BUILDS, MACHINES, SEED, Machine, figures, slices
from benchmarks.simulated_blocks import row
from harness.analysis.statistics.block import block_of_slices
from harness.analysis.statistics.lockstep import CLIPS

SCATTERED = (
    Machine("far out now and then", 0.0, 1.0, 0.03, tails=2.0),
    Machine("often far out, processes apart", 0.0, 1.0, 0.03, 0.01, tails=1.3),
)
WAYS = {"none": (), "2": (2.0,), "1": (1.0,), "0.5": (0.5,), "chosen": CLIPS}


def main() -> None:
    """Print a row for each machine, size of block and way."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--draws", type=int, default=100)
    draws = parser.parse_args().draws
    row("machine", "processes", "drawn in to", "spread, %", "alarms, %", "coverage, %", "5 % seen, %")
    row(*["---"] * 7)
    for machine in (*MACHINES, *SCATTERED):
        for cells in (2, 12):
            rngs = [np.random.default_rng([SEED, 13, draw]) for draw in range(draws)]
            taken = [slices(machine, cells, rng) for rng in rngs]
            members = [list(range(cell * BUILDS, (cell + 1) * BUILDS)) for cell in range(cells)]
            for name, clips in WAYS.items():
                found = [block_of_slices(one, members, clips=clips) for one in taken]
                row(machine.name, str(cells * BUILDS), name, *figures(found))


if __name__ == "__main__":
    main()
