"""Tonight against earlier nights, simulated: false alarms, and how often a step is seen in its first night.

    python benchmarks/simulate_nights.py [--draws 4000]

A night adds the same to all series of a host (its clocks; on a busy night up to 15 %) and to each its own.
Printed is what the code in force answers: held against the last nights by value, and through an anchor that
was measured beside it each night; then the same of a cost that is a fifth or half of the layer time; last the
anchor's own series, by value and as in force, where the versions beside it say what the machine did.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import numpy as np
from numpy.random import Generator

from harness.analysis.material import LIMIT, MATERIAL
from harness.analysis.statistics.levels import Values
from harness.analysis.statistics.nights import CONFIDENCE, Earlier, against_nights, moved_alone

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


def alarms(values: Values, step: float, limit: float = LIMIT) -> int:
    """Return how many series alarm tonight, with *step* added to all of them.

    :param step, limit: on the scale of *values*: logarithms, or shares of the layer time
    """
    tonight = values[:, -1] + step
    earlier = [Earlier(row[:-1], np.empty(0)) for row in values]
    found = against_nights(tonight.tolist(), earlier)
    said = [one.difference.interval(CONFIDENCE) for one in found if one is not None]
    return sum(one.low > limit or one.high < -limit for one in said)


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
                seen += alarms(values, float(np.log1p(step)))
            share = seen / (rounds * series)
            cells.append(f"{365 * share:.2f}" if not step else f"{100 * share:.0f} %")
    return cells


SLOWER = 0.25
"""Of a machine that takes so much longer for everything."""


def costs(random: Generator, draws: int, share: float, series: int, own: float, host: float) -> Sequence[str]:
    """Return the cells of a row of costs: false a year, on a slower machine, what is seen of 2 and 5 %."""
    cells = []
    for anchored in (False, True):
        for machine, step in ((0.0, 0.0), (SLOWER, 0.0), (0.0, 0.02), (0.0, 0.05)):
            seen = 0
            rounds = max(1, draws // series)
            for _ in range(rounds):
                values = nights(random, series + 1, 15, own, host)
                values[:, -1] += np.log1p(machine)
                parts = share * np.exp(values[1:] - values[0] if anchored else values[1:])
                seen += alarms(parts, step, MATERIAL)
            rate = seen / (rounds * series)
            cells.append(f"{100 * rate:.0f} %" if machine or step else f"{365 * rate:.2f}")
    return cells


def anchors(random: Generator, draws: int, beside: int, count: int, own: float, host: float) -> Sequence[str]:
    """Return the cells of a row of an anchor's own series: by value and as in force, see :func:`main`."""
    cells: list[list[str]] = [[], []]
    for machine, step in ((0.0, 0.0), (SLOWER, 0.0), *((0.0, step) for step in STEPS[1:])):
        seen = np.zeros(2)
        for _ in range(draws):
            values = nights(random, beside + 1, count + 1, own, host)
            values[:, -1] += np.log1p(machine)
            values[0, -1] += np.log1p(step)
            if not alarms(values[:1], 0.0):
                continue
            moved, *others = (
                float(one.difference.estimate)
                for rows in (values[:1], values[1:] - values[0])
                for one in against_nights(
                    rows[:, -1].tolist(), [Earlier(row[:-1], np.empty(0)) for row in rows]
                )
                if one is not None
            )
            seen += 1, moved_alone(moved, moved + float(np.median(others)))
        for way, rate in zip(cells, seen / draws, strict=True):
            way.append(f"{100 * rate:.0f} %" if machine or step else f"{365 * rate:.2f}")
    return [*cells[0], *cells[1]]


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
    steps = [f"{100 * step:.0f} %" for step in STEPS[1:]]
    slower = f"machine slower by {100 * SLOWER:.0f} %"
    _header("scatter own, host; series; nights", "anchored", ["false", *steps])
    for own, host in SCATTERS:
        for series in (1, 10):
            for count in (3, 7, 14):
                head = f"{100 * own:.1f} %, {100 * host:.1f} %; {series}; {count}"
                _row(head, rates(random, draws, series, count, own, host))
    _header("a cost of the layer time; scatter own, host; series", "anchored", ["false", slower, *steps[:2]])
    for share in (0.2, 0.5):
        for own, host in SCATTERS:
            for series in (1, 4):
                head = f"{100 * share:.0f} %; {100 * own:.1f} %, {100 * host:.1f} %; {series}"
                _row(head, costs(random, draws, share, series, own, host))
    _header(
        "the anchor itself; scatter own, host; versions beside it; nights",
        "in force",
        ["false", slower, *steps],
    )
    for own, host in SCATTERS:
        for beside in (1, 2, 5):
            for count in (7, 14):
                head = f"{100 * own:.1f} %, {100 * host:.1f} %; {beside}; {count}"
                _row(head, anchors(random, draws, beside, count, own, host))


def _header(head: str, other: str, columns: Sequence[str]) -> None:
    first, *rest = columns
    print(f"\n| {' | '.join([head, *columns, f'{other}: {first}', *rest])} |")
    print("|" + "---|" * (1 + 2 * len(columns)))


def _row(head: str, cells: Sequence[str]) -> None:
    print(f"| {' | '.join([head, *cells])} |", flush=True)


if __name__ == "__main__":
    main()
