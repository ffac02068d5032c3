"""Ways of finding change points in nightly series, held against each other on simulated years.

    python benchmarks/change_points.py [--series 1000] [--otava PYTHON] [--otava-series 100]

Takes ``ruptures`` (and ``apache-otava`` in an environment of its own, whose Python is named). Each way sees
the nights as they come, up to :data:`WINDOW` of them. Its threshold is the one at which, after confirmation,
0.06 false alarms a series and year are left; what is printed is that, and how many nights pass until a step
is seen. The rule in force is also counted as it is, on years that it was not fitted to.
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.rolling_rule import rolling_shifts
from benchmarks.simulated_nights import Simulated, Year, years
from harness.analysis.statistics.level_shifts import (
    FIRST,
    FLOOR,
    LEAST,
    NEAR,
    WINDOW,
    Shift,
    level_shifts,
    scatter_before,
)
from harness.analysis.statistics.levels import Values

ALARMS = 0.06
LOOK = 40
"""Nights after a step in which it is looked for."""
STEPS = (0.01, 0.02, 0.05)

Scores = Values
"""Of each night: how sure a change among the last nights is, and its place; shape (nights, 2)."""


def kernel_scores(kernel: str) -> Callable[[Values, int, int], Scores]:
    """Return the way of ruptures: the best split of the nights so far by that kernel (KernelCPD).

    Its score is what the split gains over none: Pelt splits at one place where that is above its penalty.
    """
    import ruptures

    def scores(values: Values, first: int, last: int) -> Scores:
        found = np.zeros((values.size, 2))
        scatter = np.maximum(np.nan_to_num(scatter_before(values)), FLOOR)
        for night in range(max(first, FIRST + LEAST), min(last, values.size)):
            begin = max(0, night + 1 - WINDOW)
            own = clipped(values[begin : night + 1] / scatter[night])
            params = {"gamma": 0.5} if kernel == "rbf" else None
            search = ruptures.KernelCPD(kernel=kernel, min_size=LEAST, params=params).fit(own[:, None])
            at = search.predict(n_bkps=1)[0]
            found[night] = gain(own, at, kernel), begin + at
        return found

    return scores


def clipped(values: Values, limit: float = 4.0) -> Values:
    """Return *values* (in scatters) with those far from the median of their neighbours drawn in to it."""
    padded = np.pad(values, 3, mode="reflect")
    local = np.median(np.lib.stride_tricks.sliding_window_view(padded, 7), axis=1)
    return np.clip(values, local - limit, local + limit)


def gain(values: Values, at: int, kernel: str) -> float:
    """Return by how much the cost of *values* falls when they are split at *at*."""
    if kernel == "linear":
        parts = values[:at], values[at:]
        return float(np.var(values) * values.size - sum(np.var(part) * part.size for part in parts))
    alike = np.exp(-0.5 * (values[:, None] - values[None, :]) ** 2)
    return float(
        alike[:at, :at].sum() / at + alike[at:, at:].sum() / (values.size - at) - alike.sum() / values.size
    )


def confirmed(scores: Scores) -> Values:
    """Return how sure each night is of a change that the night before was sure of too."""
    found = np.zeros(len(scores))
    same = np.abs(np.diff(scores[:, 1])) <= NEAR
    found[1:] = np.where(same, np.minimum(scores[1:, 0], scores[:-1, 0]), 0.0)
    return found


def threshold(quiet: Sequence[Values]) -> float:
    """Return the score above which 0.06 of the series without a change alarm in a year."""
    return float(np.quantile([night.max() for night in quiet], 1 - ALARMS))


def until(scores: Values, step: int, limit: float) -> int:
    """Return in which night a step is seen, counted from 1; a large number where it is not."""
    seen = np.flatnonzero(scores[step : step + LOOK] > limit)
    return int(seen[0]) + 1 if seen.size else 10_000


def row(name: str, alarms: float, nights: Sequence[Sequence[int]]) -> str:
    """Return a row of the table."""
    cells = []
    for own in nights:
        middle, late = np.quantile(own, (0.5, 0.9), method="lower")
        share = 100 * np.mean(np.asarray(own) <= 30)
        said = [f"{int(x)}" if x < LOOK + 1 else "not seen" for x in (middle, late)]
        cells.append(f"{said[0]}, {said[1]}, {share:.0f} %")
    return f"| {name} | {alarms:.3f} | " + " | ".join(cells) + " |"


def of_rule(
    series: Sequence[Simulated], rule: Callable[[Values], list[Shift]] = level_shifts
) -> tuple[float, list[int]]:
    """Return false alarms a series of a rule, and in which night each step is seen."""
    false, nights = 0, []
    for one in series:
        shifts = rule(one.values)
        step = one.values.size if one.step is None else one.step
        false += sum(shift.seen < step for shift in shifts)
        after = [s.seen for s in shifts if step <= s.seen < step + LOOK]
        if one.step is not None:
            nights.append(after[0] - step + 1 if after else 10_000)
    return false / len(series), nights


def by_scores(name: str, way: Callable[[Values, int, int], Scores], count: int) -> None:
    """Print the row of a way that scores nights."""
    quiet = [confirmed(way(one.values, 0, 10_000)) for one in years(1, count)]
    limit = threshold(quiet)
    nights = []
    for size in STEPS:
        own = []
        for one in years(2, min(count, 300), size):
            assert one.step is not None
            scores = confirmed(way(one.values, one.step - 1, one.step + LOOK))
            own.append(until(scores, one.step, limit))
        nights.append(own)
    print(
        row(f"{name}, above {limit:.3g}", float(np.mean([q.max() > limit for q in quiet])), nights),
        flush=True,
    )


def otava(python: str, series: Sequence[Simulated], nights: Sequence[tuple[int, int]]) -> list[Values]:
    """Return the confirmed scores of Otava for *series*."""
    with tempfile.TemporaryDirectory() as folder:
        given, found = Path(folder, "in.npz"), Path(folder, "out.npz")
        values = {f"values{at}": one.values for at, one in enumerate(series)}
        np.savez(given, window=WINDOW, nights=np.asarray(nights), **values)  # type: ignore[arg-type]
        script = Path(__file__).with_name("otava_scores.py")
        subprocess.run([python, str(script), str(given), str(found)], check=True)
        read = np.load(found)
        return [confirmed(read[f"values{at}"]) for at in range(len(series))]


def by_otava(python: str, count: int) -> None:
    """Print the row of Otava."""
    quiet = otava(python, years(1, count), [(FIRST + LEAST, 10_000)] * count)
    limit = threshold(quiet)
    nights = []
    for size in STEPS:
        series = years(2, count, size)
        asked = [((one.step or 0) - 1, (one.step or 0) + LOOK) for one in series]
        scores = otava(python, series, asked)
        nights.append([until(s, one.step or 0, limit) for s, one in zip(scores, series, strict=True)])
    alarms = float(np.mean([q.max() > limit for q in quiet]))
    print(row(f"apache-otava, p below 1e-{limit:.2g}", alarms, nights), flush=True)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--series", type=int, default=1000)
    parser.add_argument("--otava", metavar="PYTHON", help="Python of an environment that holds apache-otava")
    parser.add_argument("--otava-series", type=int, default=100)
    parser.add_argument("--only", choices=("rule", "ruptures", "otava"))
    arguments = parser.parse_args()
    print("| way | false alarms a series and year | 1 %: night that sees it, 90th, by 30 | 2 % | 5 % |")
    print("|---|---|---|---|---|")
    if arguments.only in (None, "rule"):
        ways: dict[str, Callable[[Values], list[Shift]]] = {
            "kernel of ruptures, all nights at once (in force)": level_shifts,
            "rolling, 4 windows": rolling_shifts,
        }
        for way, rule in ways.items():
            false, _ = of_rule(years(1, arguments.series), rule)
            nights = [of_rule(years(2, min(arguments.series, 300), size), rule)[1] for size in STEPS]
            print(row(way, false, nights), flush=True)
        for name, year in OTHERS.items():
            false, _ = of_rule(years(3, arguments.series, year=year))
            nights = [of_rule(years(4, min(arguments.series, 300), size, year))[1] for size in STEPS]
            print(row(f"in force, {name}", false, nights), flush=True)
    if arguments.only in (None, "ruptures"):
        for kernel in ("linear", "rbf"):
            by_scores(f"ruptures, {kernel} kernel", kernel_scores(kernel), arguments.series)
    if arguments.otava and arguments.only in (None, "otava"):
        by_otava(arguments.otava, arguments.otava_series)


OTHERS = {
    "drawn anew": Year(),
    "nights scatter by 0.2 %": replace(Year(), scatter=0.002, unlike=0.1),
    "nights scatter by 2 %": replace(Year(), scatter=0.02, unlike=0.1),
    "drift of 3 % a year": replace(Year(), drift=0.03),
    "weekends 1 % faster": replace(Year(), weekly=0.01),
    "twice as many busy nights": replace(Year(), busy=0.04),
    "busy spells of up to 3 nights": replace(Year(), spell=3),
}

if __name__ == "__main__":
    main()
