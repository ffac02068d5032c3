"""How often the verdict engine is right on simulated builds with known truth (not a measurement of anything).

    python benchmarks/simulate_verdicts.py --draws 1000

Builds measured one after the other; blocks are simulated by ``simulate_lockstep.py``. Three tables in
Markdown: coverage, A/A alarms and indeterminate answers for each number of builds; what slowdowns are called;
and the ways to a spread that were weighed against each other (docs/decisions/0005-the-table-in-force.md).
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterable

import numpy as np
from simulated_builds import Generator, Model, simulated_run

from harness.analysis.grid import grid_of
from harness.analysis.judge import judge
from harness.analysis.material import ALARM, LIMIT, SHOWN
from harness.analysis.rules.builtin import trtmatrix_bottlenecks
from harness.analysis.statistics.differences import difference, set_aside
from harness.analysis.statistics.levels import Values
from harness.analysis.statistics.slow_builds import slow_builds
from harness.analysis.statistics.spreads import OWN, spread
from harness.analysis.verdict import Verdict

BUILDS = (2, 3, 5, 10)
RULES = {rule.name: rule for rule in trtmatrix_bottlenecks()}
WAYS: dict[str, dict[str, float]] = {
    "pooled where they do not differ (in use)": {"own": OWN, "rule": False},
    "own spreads (Welch)": {"own": 1.1, "rule": False},
    "pooled, slow builds set aside": {"own": OWN, "rule": True},
}
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
    _print_ways(100 * arguments.draws, arguments.seed)


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


def _print_ways(draws: int, seed: int) -> None:
    """Compare versions of the same value, measured one after the other, by ways to their spread; no drift."""
    _row(
        "scatter of the old, of the new version, %",
        "builds",
        *(f"{w}: coverage; alarms at 0, at m, %" for w in WAYS),
    )
    _row(*["---"] * (2 + len(WAYS)))
    for scatter in (0.016, 0.05):
        for wide in (1, 3):
            for builds in BUILDS:
                rng = np.random.default_rng([seed, builds, 2])
                same = scatter * rng.normal(size=(draws, 2, builds))
                same[:, 1] *= wide
                same += np.where(rng.random(same.shape) < 0.02, np.log(1.08), 0.0)
                cells = [_way(same, **way) for way in WAYS.values()]
                _row(f"{100 * scatter:.1f}, {100 * scatter * wide:.1f}", str(builds), *cells)


def _way(same: Values, *, own: float, rule: float) -> str:
    """Return coverage and alarms of blocks without a change; the second version moved by m besides."""
    core = set_aside(same, slow_builds(same)) if rule else same
    found = difference(core, spread(core, own=own), 0, 1)
    covered = np.abs(found.estimate) <= found.half_width(SHOWN)
    beyond = found.half_width(ALARM) + LIMIT
    none = np.abs(found.estimate) > beyond
    edge = np.abs(found.estimate + LIMIT) > beyond
    return "; ".join(
        [
            f"{100 * float(covered.mean()):.1f}",
            f"{100 * float(none.mean()):.2f}, {100 * float(edge.mean()):.2f}",
        ]
    )


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


def _percent(count: int, of: int) -> str:
    return f"{100 * count / of:.1f}"


def _row(*cells: str) -> None:
    print("| " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
