"""How far a slice may lie out before it counts as no further: fixed, or by how the slices of a block scatter.

    python benchmarks/simulate_clips.py [--draws 100]

Simulated: the blocks of ``simulate_stretches.py``, and machines on which a slice now and then lies far out by
itself. Printed are the spread of builds, alarms among two cells that do not differ, coverage of the 95 %
interval, and how often 5 % are seen, by the robust standard deviations that slices are drawn in to.
"""

from __future__ import annotations

from functools import partial

from benchmarks.simulate_stretches import MACHINES, SEED, Machine, asked, print_machines
from harness.analysis.statistics.block import block_of_slices
from harness.analysis.statistics.lockstep import CLIPS

SCATTERED = (
    Machine("far out now and then", 0.0, 1.0, 0.03, tails=2.0),
    Machine("often far out, processes apart", 0.0, 1.0, 0.03, 0.01, tails=1.3),
)
WAYS = {"none": (), "2": (2.0,), "1": (1.0,), "0.5": (0.5,), "chosen": CLIPS}


def main() -> None:
    """Print a row for each machine, size of block and way."""
    ways = {name: partial(block_of_slices, clips=clips) for name, clips in WAYS.items()}
    print_machines(asked(__doc__, 100), (*MACHINES, *SCATTERED), (2, 12), ("drawn in to", ways), [SEED, 13])


if __name__ == "__main__":
    main()
