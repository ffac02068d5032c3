"""How many successive slices share what is taken out of them: a whole cycle, or a stretch of it.

    python benchmarks/simulate_stretches.py [--draws 200]

Simulated: blocks of cells of four builds that are all alike, 24 cycles, a slice of 45 ms; the machine has two
speeds and stays in one for some time (another guest on the same core), beside the noise of each slice.
Printed are the spread of builds, alarms among two cells that do not differ, coverage of the 95 % interval,
and how often 5 % are seen, by the length of a stretch.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from benchmarks.simulated_blocks import row
from harness.analysis.material import ALARM, LIMIT, SHOWN
from harness.analysis.statistics.block import Block, block_of_slices

CYCLES, BUILDS, SLICE = 24, 4, 0.045
WHOLE = 10**6
STRETCHES = (4, 6, 8, 12, WHOLE)
SEED = 20261129


@dataclass(frozen=True)
class Machine:
    """What a machine does to slices; spreads are of the logarithm.

    :param slower: how much slower the second speed is, of 1; :param stays: seconds in one speed, on average
    :param noise: of one slice; :param process: of one process
    :param tails: degrees of freedom of Student's t, by which slices scatter; infinite: normally
    """

    name: str
    slower: float
    stays: float
    noise: float
    process: float = 0.0
    tails: float = math.inf


MACHINES = (
    Machine("two speeds, 0.5 s", 0.3, 0.5, 0.05),
    Machine("two speeds, 0.2 s", 0.3, 0.2, 0.05),
    Machine("two speeds, 2 s", 0.3, 2.0, 0.05),
    Machine("one speed", 0.0, 1.0, 0.05),
    Machine("one speed, processes apart", 0.0, 1.0, 0.03, 0.01),
)


def main() -> None:
    """Print a row for each machine, size of block and length of a stretch."""
    ways = {"cycle" if n == WHOLE else str(n): partial(block_of_slices, stretch=n) for n in STRETCHES}
    print_machines(asked(__doc__, 200), MACHINES, (3, 12), ("stretch", ways), [SEED])


def asked(said: str, draws: int) -> int:
    """Return how many draws the command line asks for.

    :param said: by the script about itself; :param draws: where it does not ask
    """
    parser = argparse.ArgumentParser(description=said.splitlines()[0])
    parser.add_argument("--draws", type=int, default=draws)
    count: int = parser.parse_args().draws
    return count


def print_machines(
    draws: int,
    machines: Sequence[Machine],
    sizes: Sequence[int],
    told: tuple[str, Mapping[str, Callable[..., Block]]],
    seed: Sequence[int],
) -> None:
    """Print a row for each machine, size of block and way of reading its slices.

    :param sizes: of blocks, in cells; :param told: head of the ways, and each by its name
    """
    head, ways = told
    row("machine", "processes", head, "spread, %", "alarms, %", "coverage, %", "5 % seen, %")
    row(*["---"] * 7)
    for machine in machines:
        for cells in sizes:
            taken = [slices(machine, cells, np.random.default_rng([*seed, draw])) for draw in range(draws)]
            members = [list(range(cell * BUILDS, (cell + 1) * BUILDS)) for cell in range(cells)]
            for name, read in ways.items():
                found = [read(one, members) for one in taken]
                row(machine.name, str(cells * BUILDS), name, *figures(found))


def slices(machine: Machine, cells: int, rng: np.random.Generator) -> list[list[tuple[int, int, int, float]]]:
    """Return the slices of each build: process, cycle, place, ms."""
    builds = cells * BUILDS
    found: list[list[tuple[int, int, int, float]]] = [[] for _ in range(builds)]
    turned = rng.random(CYCLES * builds) < SLICE / machine.stays
    speed = np.log1p(machine.slower) * (np.cumsum(turned) % 2)
    logs = speed + machine.noise * scatter(machine.tails, rng, speed.size)
    own = rng.normal(0, machine.process, builds)
    for cycle in range(CYCLES):
        for place, build in enumerate(rng.permutation(builds)):
            ms = float(np.exp(own[build] + logs[cycle * builds + place]))
            found[build].append((0, cycle, place, ms))
    return found


def scatter(tails: float, rng: np.random.Generator, count: int) -> NDArray[np.float64]:
    """Return what slices lie out by, in standard deviations of their middle."""
    return rng.normal(0, 1, count) if math.isinf(tails) else rng.standard_t(tails, count)


def figures(found: list[Block]) -> list[str]:
    """Return spread, alarms, coverage and what is seen of 5 %, all in %, over all disjoint pairs of cells."""
    spread = np.sqrt(np.mean([float(block.spread_of_builds.pooled) for block in found]))
    alarms, covered, seen = [], [], []
    for block in found:
        for old in range(0, len(block.members) - 1, 2):
            difference = block.cells(old, old + 1)
            assert difference is not None
            wide, narrow = difference.interval(ALARM), difference.interval(SHOWN)
            alarms.append(wide.above(LIMIT) or wide.below(-LIMIT))
            covered.append(narrow.low <= 0 <= narrow.high)
            seen.append(wide.low + np.log(1.05) > LIMIT)
    return [f"{100 * spread:.2f}", *(f"{100 * np.mean(x):.1f}" for x in (alarms, covered, seen))]


if __name__ == "__main__":
    main()
