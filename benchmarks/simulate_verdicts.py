"""How often the verdict engine is right on simulated builds with known truth (not a measurement of anything).

    python benchmarks/simulate_verdicts.py --draws 1000

Three tables in Markdown: coverage, A/A alarms and indeterminate answers for each number of builds; what
slowdowns are called; and the intervals that were weighed against each other for the decision table.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Callable, Iterable

import numpy as np
from scipy import stats
from simulated_builds import Generator, Model, simulated_run

from harness.analysis.grid import grid_of
from harness.analysis.judge import judge
from harness.analysis.rules.builtin import trtmatrix_bottlenecks
from harness.analysis.statistics.intervals import ratio
from harness.analysis.verdict import Verdict

BUILDS = (2, 3, 5, 10)
RULES = {rule.name: rule for rule in trtmatrix_bottlenecks()}
TRUTH = 0.9
"""The true ratio at which coverage is counted."""


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--draws", type=int, default=1000, help="draws for each number of builds")
    parser.add_argument("--seed", type=int, default=20260131)
    arguments = parser.parse_args()
    print(f"{arguments.draws} draws each, seed {arguments.seed}\n")
    _print_honesty(arguments.draws, arguments.seed)
    _print_power(arguments.draws, arguments.seed)
    _print_methods(arguments.draws, arguments.seed)


def _print_honesty(draws: int, seed: int) -> None:
    heads = ("coverage of the 95 % interval, %", "A/A alarms, latency, %", "A/A alarms, five bottlenecks, %")
    _row("builds", *heads, "A/A indeterminate, latency, %", "smallest detectable, median %")
    _row(*["---"] * 6)
    for builds in BUILDS:
        rng = np.random.default_rng([seed, builds])
        held = sum(_holds(v, TRUTH) for v in _latency(rng, builds, TRUTH, draws))
        same = list(_latency(rng, builds, 1.0, draws))
        rows = [v for _ in range(draws) for v in _layers(rng, builds)]
        smallest = float(
            np.median([v.smallest_detectable for v in same if v.smallest_detectable is not None])
        )
        undecided = sum(v.verdict == "indeterminate" for v in same)
        _row(
            str(builds),
            _percent(held, draws),
            _percent(sum(v.alarm for v in same), draws),
            _percent(sum(v.alarm for v in rows), len(rows)),
            _percent(undecided, draws),
            f"{100 * smallest:.1f}",
        )
    print()


def _print_power(draws: int, seed: int) -> None:
    slowdowns = (1.02, 1.05, 1.1, 1.2)
    _row(
        "builds",
        *(f"{100 * (x - 1):.0f} % slower: regressed / unchanged / indeterminate, %" for x in slowdowns),
    )
    _row(*["---"] * (1 + len(slowdowns)))
    for builds in BUILDS:
        rng = np.random.default_rng([seed, builds, 1])
        cells = []
        for slowdown in slowdowns:
            words = Counter(v.verdict for v in _latency(rng, builds, slowdown, draws))
            cells.append(
                " / ".join(_percent(words[w], draws) for w in ("regressed", "unchanged", "indeterminate"))
            )
        _row(str(builds), *cells)
    print()


def _print_methods(draws: int, seed: int) -> None:
    """Compare intervals on builds without outliers, on equal and on unequal scatter of the two versions."""
    methods: dict[str, Callable[[np.ndarray, np.ndarray], tuple[float, float]]] = {
        "Welch with the correction of 1947 (in use)": _ours,
        "Welch as usual": _usual,
        "pooled t": _pooled,
        "paired by round": _paired,
    }
    _row(
        "builds",
        "scatter of the new version",
        *(f"{name}: coverage, median half width, %" for name in methods),
    )
    _row(*["---"] * (2 + len(methods)))
    for builds in BUILDS:
        for scatter in (0.016, 0.048):
            rng = np.random.default_rng([seed, builds, 2])
            drift = np.linspace(0, 0.01, builds)
            found: dict[str, list[tuple[float, float]]] = {name: [] for name in methods}
            for _ in range(draws):
                old = drift + rng.normal(0, 0.016, builds)
                new = drift + rng.normal(0, scatter, builds)
                for name, method in methods.items():
                    found[name].append(method(old, new))
            cells = []
            for pairs in found.values():
                held = sum(abs(difference) <= half for difference, half in pairs)
                cells.append(f"{_percent(held, draws)}, {100 * float(np.median([h for _, h in pairs])):.1f}")
            _row(str(builds), f"{100 * scatter:.1f} %", *cells)


def _latency(rng: Generator, builds: int, slowdown: float, draws: int) -> Iterable[Verdict]:
    for _ in range(draws):
        (verdict,) = judge(grid_of(simulated_run(rng, builds, slowdown)), rules={})
        yield verdict


def _layers(rng: Generator, builds: int) -> list[Verdict]:
    run = simulated_run(rng, builds, 1.0, Model(), layers=True)
    return [
        v for v in judge(grid_of(run), rules=RULES) if v.against is not None and v.bottleneck != "latency"
    ]


def _holds(verdict: Verdict, truth: float) -> bool:
    return verdict.interval is not None and verdict.interval[0] <= truth <= verdict.interval[1]


def _ours(old: np.ndarray, new: np.ndarray) -> tuple[float, float]:
    found = ratio(np.exp(old), np.exp(new))
    assert found is not None
    return float(new.mean() - old.mean()), found.half_width


def _usual(old: np.ndarray, new: np.ndarray) -> tuple[float, float]:
    low, high = stats.ttest_ind(new, old, equal_var=False).confidence_interval(0.95)
    return float(new.mean() - old.mean()), float(high - low) / 2


def _pooled(old: np.ndarray, new: np.ndarray) -> tuple[float, float]:
    low, high = stats.ttest_ind(new, old).confidence_interval(0.95)
    return float(new.mean() - old.mean()), float(high - low) / 2


def _paired(old: np.ndarray, new: np.ndarray) -> tuple[float, float]:
    low, high = stats.ttest_rel(new, old).confidence_interval(0.95)
    return float(new.mean() - old.mean()), float(high - low) / 2


def _percent(count: int, of: int) -> str:
    return f"{100 * count / of:.1f}"


def _row(*cells: str) -> None:
    print("| " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
