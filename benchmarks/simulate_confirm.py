"""What measuring an alarm again in the same run takes away from the false alarms of single nights, simulated.

    python benchmarks/simulate_confirm.py [--draws 4000]

Nights are those of ``simulate_nights.py``. A night is looked at twice, minutes apart: what the host does that
night (clocks) is in both looks, and so is half of a series' own scatter; the other half (builds, neighbours
of minutes) is drawn anew. Other work on the machine is still there at the second look in none, half or all of
the busy nights. As in force, an alarm counts where the first look, all builds together, and the second look
alone give it in one direction.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from simulate_nights import BUSY, SCATTERS, asked

from harness.analysis.material import LIMIT
from harness.analysis.statistics.levels import Values
from harness.analysis.statistics.nights import CONFIDENCE, Earlier, against_nights

ANEW = 0.5
"""Share of the variance of a series' own scatter that the second look draws anew."""

UNEVEN = 0.15
STAYS = (0.0, 0.5, 1.0)
STEPS = (0.0, 0.05, 0.10)

Signs = NDArray[np.int_]


def two_looks(
    random: Generator, series: int, count: int, own: float, host: float, stays: float
) -> tuple[Values, Values, Values]:
    """Return earlier nights, shape (series, count), and tonight's two looks, shape (series,): logarithms."""
    common = random.normal(0.0, host, count + 1)
    busy = random.random(count + 1) < BUSY
    added = np.where(busy, np.log1p(random.uniform(0.02, 0.15, count + 1)), 0.0)
    uneven = 1 + np.where(busy, random.normal(0.0, UNEVEN, (series, count + 1)), 0.0)
    nightly = random.normal(0.0, own * (1 - ANEW) ** 0.5, (series, count + 1))
    whole = nightly + random.normal(0.0, own * ANEW**0.5, nightly.shape) + (common + added) * uneven
    left = added[-1] if random.random() < stays else 0.0
    again = nightly[:, -1] + random.normal(0.0, own * ANEW**0.5, series)
    again += common[-1] + left * uneven[:, -1]
    return whole[:, :-1], whole[:, -1], again


def signs(earlier: Values, tonight: Values) -> Signs:
    """Return 1 or -1 for each series that alarms, else 0."""
    found = against_nights(tonight.tolist(), [Earlier(row, np.empty(0)) for row in earlier])
    said = [None if one is None else one.difference.interval(CONFIDENCE) for one in found]
    return np.array([0 if x is None else int(x.low > LIMIT) - int(x.high < -LIMIT) for x in said])


def counts(
    random: Generator, draws: int, series: int, own: float, host: float, stays: float, anchored: bool
) -> list[tuple[float, float]]:
    """Return for each step the share of series that alarm at the first look, and that are confirmed."""
    rounds = max(1, draws // series)
    seen = np.zeros((len(STEPS), 2))
    for _ in range(rounds):
        earlier, first, second = two_looks(random, series + anchored, 14, own, host, stays)
        if anchored:
            earlier, first, second = (x[1:] - x[0] for x in (earlier, first, second))
        for place, step in enumerate(np.log1p(STEPS)):
            one = signs(earlier, first + step)
            if not one.any():
                continue
            both = signs(earlier, (first + second) / 2 + step)
            alone = signs(earlier, second + step)
            confirmed = (one != 0) & (one == both) & (one == alone)
            seen[place] += np.count_nonzero(one), np.count_nonzero(confirmed)
    return [(float(a), float(b)) for a, b in seen / (rounds * series)]


def row(random: Generator, draws: int, series: int, own: float, host: float) -> Sequence[str]:
    """Return the cells of a row: by value, then anchored."""
    cells = []
    for anchored in (False, True):
        found = [counts(random, draws, series, own, host, stays, anchored) for stays in STAYS]
        first = np.mean([one[0][0] for one in found])
        cells += [f"{365 * first:.2f}", *(f"{365 * one[0][1]:.2f}" for one in found)]
        for place in range(1, len(STEPS)):
            mean = np.mean([one[place] for one in found], axis=0)
            cells.append(f"{100 * mean[0]:.0f}, {100 * mean[1]:.0f} %")
    return cells


def main() -> None:
    """Print the table."""
    draws, random = asked(__doc__)
    one = ["first look", *(f"confirmed, {100 * stays:.0f} % stay" for stays in STAYS)]
    one += [f"{100 * step:.0f} %: seen, confirmed" for step in STEPS[1:]]
    print("| " + " | ".join(["scatter own, host; series", *one, *(f"anchored: {x}" for x in one)]) + " |")
    print("|" + "---|" * (1 + 2 * len(one)))
    for own, host in SCATTERS:
        for series in (1, 10):
            cells = row(random, draws, series, own, host)
            print(
                f"| {100 * own:.1f} %, {100 * host:.1f} %; {series} | " + " | ".join(cells) + " |", flush=True
            )


if __name__ == "__main__":
    main()
