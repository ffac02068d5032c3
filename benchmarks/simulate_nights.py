"""Tonight against earlier nights, simulated: false alarms, and how often a step is seen in its first night.

    python benchmarks/simulate_nights.py [--draws 4000]

A night adds the same to all series of a host (its clocks; on a busy night up to 15 %) and to each its own.
Printed is what the code in force answers: held against the last nights by value, and through an anchor that
was measured beside it each night.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import numpy as np
from numpy.random import Generator

from harness.analysis.material import LIMIT
from harness.analysis.statistics.levels import Values
from harness.analysis.statistics.nights import CONFIDENCE, Earlier, against_nights

BUSY = 0.02
STEPS = (0.0, 0.02, 0.05, 0.10)
SCATTERS = ((0.003, 0.003), (0.01, 0.01), (0.02, 0.03))
"""Of a series by itself and of its host, logarithms."""


def nights(random: Generator, series: int, count: int, own: float, host: float) -> Values:
    """Return logarithms of shape (series, nights); the last night is tonight."""
    common = random.normal(0.0, host, count)
    busy = random.random(count) < BUSY
    common = common + np.where(busy, np.log1p(random.uniform(0.02, 0.15, count)), 0.0)
    # what a busy night adds is not quite the same for all
    uneven = 1 + np.where(busy, random.normal(0.0, 0.15, (series, count)), 0.0)
    return random.normal(0.0, own, (series, count)) + common * uneven


def alarms(values: Values, step: float) -> int:
    """Return how many series alarm tonight, with *step* added to all of them."""
    tonight = values[:, -1] + np.log1p(step)
    earlier = [Earlier(row[:-1], np.empty(0)) for row in values]
    found = against_nights(tonight.tolist(), earlier)
    said = [one.difference.interval(CONFIDENCE) for one in found if one is not None]
    return sum(one.low > LIMIT or one.high < -LIMIT for one in said)


def rates(random: Generator, draws: int, series: int, count: int, own: float, host: float) -> Sequence[str]:
    """Return the cells of a row: false alarms a series and year, then % seen; by value, and anchored."""
    cells = []
    for anchored in (False, True):
        for step in STEPS:
            seen = 0
            rounds = max(1, draws // series)
            for _ in range(rounds):
                values = nights(random, series + 1, count + 1, own, host)
                values = values[1:] - values[0] if anchored else values[1:]
                seen += alarms(values, step)
            share = seen / (rounds * series)
            cells.append(f"{365 * share:.2f}" if not step else f"{100 * share:.0f} %")
    return cells


def asked(said: str) -> tuple[int, Generator]:
    """Return how many draws the command line asks for, and where they come from.

    :param said: by the script about itself
    """
    parser = argparse.ArgumentParser(description=said.splitlines()[0])
    parser.add_argument("--draws", type=int, default=4000)
    return parser.parse_args().draws, np.random.default_rng(19)


def main() -> None:
    """Print the table."""
    draws, random = asked(__doc__)
    steps = " | ".join(f"{100 * step:.0f} %" for step in STEPS[1:])
    print(f"| scatter own, host; series; nights | false | {steps} | anchored: false | {steps} |")
    print("|" + "---|" * 9)
    for own, host in SCATTERS:
        for series in (1, 10):
            for count in (3, 7, 14):
                cells = rates(random, draws, series, count, own, host)
                head = f"{100 * own:.1f} %, {100 * host:.1f} %; {series}; {count}"
                print(f"| {head} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
