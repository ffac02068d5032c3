"""What builds of a night do to the answer against earlier nights, simulated: plain means, and as in force.

    python benchmarks/simulate_night_builds.py [--draws 2000]

A night is relative to an anchor measured beside it; both have so many builds, of which some are slow by 2 to
25 %, and on a busy night builds lie three times as far apart. A change counts as confirmed where a second
look of the same night, other builds, gives it too. Plain means are what was in force before: the mean over
all builds, and their own scatter.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from statistics import fmean, pvariance

import numpy as np
from numpy.random import Generator
from simulate_nights import asked

from harness.analysis.material import LIMIT
from harness.analysis.statistics.differences import added
from harness.analysis.statistics.levels import Values
from harness.analysis.statistics.nights import (
    CONFIDENCE,
    BuildMeans,
    Earlier,
    against_nights,
    means_of_builds,
)

STEPS = (0.0, 0.05, 0.10, 0.16)
SLOW = (0.02, 0.25)
WILD = 3.0


@dataclass(frozen=True)
class Case:
    """A series. :param own: scatter of nights; :param build: of builds; :param slow, busy: shares of them"""

    nights: int
    builds: int
    own: float
    build: float
    slow: float
    busy: float


CASES = (
    Case(5, 3, 0.002, 0.006, 0.0, 0.0),
    Case(7, 2, 0.002, 0.006, 0.0, 0.0),
    Case(7, 2, 0.002, 0.006, 0.05, 0.0),
    Case(7, 3, 0.002, 0.006, 0.05, 0.0),
    Case(14, 3, 0.002, 0.006, 0.05, 0.05),
    Case(7, 3, 0.005, 0.01, 0.1, 0.05),
    Case(14, 5, 0.003, 0.006, 0.05, 0.05),
)

Way = Callable[[Values, Values], BuildMeans]


def plain(earlier: Values, tonight: Values) -> BuildMeans:
    """Return means over all builds, known as well as the builds of that night say."""
    errors = [_squared_error(row) for row in (*earlier, tonight)]
    excess = max(0.0, errors[-1] - fmean(errors[:-1]))
    none = np.zeros(tonight.size, dtype=bool)
    return BuildMeans(
        earlier.mean(axis=1), float(tonight.mean()), none, excess, float(max(1, tonight.size - 1))
    )


def _squared_error(row: Values) -> float:
    return pvariance(row.tolist()) / (row.size - 1) if row.size > 1 else 0.0


def in_force(earlier: Values, tonight: Values) -> BuildMeans:
    """Return what the code in force makes of the builds."""
    return means_of_builds(earlier.tolist(), tonight.tolist())


def builds(random: Generator, case: Case, nights: int, busy: float) -> Values:
    """Return logarithms of shape (nights, builds)."""
    wide = np.where(random.random(nights) < busy, WILD, 1.0)[:, None]
    slow = random.random((nights, case.builds)) < case.slow
    added_to = np.where(slow, np.log1p(random.uniform(*SLOW, slow.shape)), 0.0)
    return random.normal(0.0, case.build, slow.shape) * wide + added_to


def alarms(way: Way, own: Values, anchor: Values, step: float) -> bool:
    """Say whether the last night alarms, with *step* added to its builds."""
    parts = [way(own[:-1], own[-1] + step), way(anchor[:-1], anchor[-1])]
    excess, degrees = added([(np.asarray(x.excess), np.asarray(x.degrees)) for x in parts])
    level = parts[0].earlier - parts[1].earlier
    earlier = Earlier(level, np.empty(0), None, float(excess), float(degrees))
    (found,) = against_nights([parts[0].tonight - parts[1].tonight], [earlier])
    if found is None:
        return False
    said = found.difference.interval(CONFIDENCE)
    return said.low > LIMIT or said.high < -LIMIT


def row(random: Generator, draws: int, case: Case) -> list[str]:
    """Return the cells of a row: of each way false alarms a series and year, then what is seen."""
    seen, confirmed = np.zeros((2, len(STEPS))), np.zeros((2, len(STEPS)))
    for _ in range(draws):
        level = random.normal(0.0, case.own, case.nights + 1)[:, None]
        first = (
            builds(random, case, case.nights + 1, case.busy) + level,
            builds(random, case, len(level), case.busy),
        )
        again = [builds(random, case, 1, case.busy) for _ in first]
        second = np.vstack([first[0][:-1], again[0] + level[-1]]), np.vstack([first[1][:-1], again[1]])
        for place, way in enumerate((plain, in_force)):
            for at, step in enumerate(np.log1p(STEPS)):
                if alarms(way, *first, step):
                    seen[place, at] += 1
                    confirmed[place, at] += alarms(way, *second, step)
    cells = []
    for mine, twice in zip(seen / draws, confirmed / draws, strict=True):
        cells.append(f"{365 * mine[0]:.2f}, {365 * twice[0]:.2f}")
        cells += [f"{100 * a:.0f}, {100 * b:.0f} %" for a, b in zip(mine[1:], twice[1:], strict=True)]
    return cells


def main() -> None:
    """Print the table."""
    draws, random = asked(__doc__)
    columns = [
        "false: first look, confirmed",
        *(f"{100 * step:.0f} %: seen, confirmed" for step in STEPS[1:]),
    ]
    head = "nights, builds; nights scatter, builds; slow, busy"
    print("| " + " | ".join([head, *columns, *(f"in force: {x}" for x in columns)]) + " |")
    print("|" + "---|" * (1 + 2 * len(columns)))
    for case in CASES:
        name = f"{case.nights}, {case.builds}; {100 * case.own:.1f}, {100 * case.build:.1f} %; "
        name += f"{100 * case.slow:.0f}, {100 * case.busy:.0f} %"
        print(f"| {name} | {' | '.join(row(random, draws, case))} |", flush=True)


if __name__ == "__main__":
    main()
