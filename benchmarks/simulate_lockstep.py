"""How often the statistics of lockstep are right on simulated blocks with known truth (no measurement).

    python benchmarks/simulate_lockstep.py --quick
    python benchmarks/simulate_lockstep.py

Tables in Markdown: false alarms with their 95 % upper bound, coverage and power for the spreads of
``simulated_blocks.py``; the confidence, the rule for slow builds and the pooling that were weighed; the whole
way from slices; and adaptive stopping. ``--only NAME`` prints one of them.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import numpy as np
from simulated_blocks import (
    BUSIER,
    BUSY,
    GRAPH,
    GRAPH_5,
    GRAPH_10,
    LAUNCHES,
    ONE_GRAPH,
    ONE_LAUNCHES,
    QUIET,
    Generator,
    Scenario,
    Size,
    Values,
    bound,
    row,
    slowness,
    units,
)
from simulated_stopping import print_processes, print_stopping
from simulated_ways import print_slices, print_ways

from harness.analysis.material import ALARM, SHOWN, smallest_seen
from harness.analysis.statistics.differences import Difference, cost_shares, difference, set_aside
from harness.analysis.statistics.slow_builds import slow_builds
from harness.analysis.statistics.spreads import APART, OWN, spread

CELLS = 6
HONEST = (
    (QUIET, [Size(CELLS, n, 1, 60) for n in (3, 4, 6)]),
    (BUSY, [Size(CELLS, n, 1, 30) for n in (4, 8)]),
    (BUSIER, [Size(CELLS, n, 1, 30) for n in (4, 8)]),
    (GRAPH, [Size(c, n, 2, 100) for c, n in ((2, 3), (2, 5), (6, 3), (6, 5), (2, 7), (6, 7))]),
    (GRAPH_5, [Size(c, n, 2, 100) for c, n in ((2, 5), (6, 3), (6, 5), (2, 7), (6, 7))]),
    (GRAPH_10, [Size(c, n, 2, 100) for c, n in ((2, 5), (6, 3), (6, 5), (2, 7), (6, 7))]),
    (LAUNCHES, [Size(6, n, 2, 100) for n in (3, 5)]),
    (ONE_GRAPH, [Size(c, 1, n, 100) for c, n in ((8, 2), (20, 2), (8, 4))]),
    (ONE_LAUNCHES, [Size(c, 1, n, 100) for c, n in ((8, 2), (8, 4), (8, 8))]),
)
CONFIDENCES = (0.95, 0.98, 0.985, 0.99)


def compared(
    of: Scenario, values: Values, rule: bool = True, way: tuple[float, float] | None = None
) -> Difference:
    """Return cell 1 minus cell 0 of each draw, by the rules in use unless told otherwise.

    :param rule: whether slow builds are set aside; :param way: *own* and *apart* of the pooling
    """
    builds = of.build is not None
    core = set_aside(values, slow_builds(values)) if rule and builds else values
    own, apart = way or (OWN if builds else 0.0, APART)
    return difference(core, spread(core, own=own, apart=apart), 0, 1)


def alarms(found: Difference, material: float, confidence: float = ALARM) -> Values:
    """Return which draws raise an alarm."""
    half = found.half_width(confidence)
    over = found.estimate - half > np.log1p(material)
    return np.asarray(over | (found.estimate + half < np.log1p(-material)), dtype=np.float64)


def seen(found: Difference, material: float) -> float:
    """Return the share of draws that are called regressed, %."""
    return 100 * float(np.mean(found.estimate - found.half_width(ALARM) > np.log1p(material)))


def main() -> None:
    """Print the tables."""
    tables: dict[str, Callable[[int, int], None]] = {
        "slices": print_slices,
        "honesty": print_honesty,
        "confidence": print_confidence,
        "slow": print_slow,
        "beside": print_beside,
        "pooling": print_pooling,
        "bottlenecks": print_bottlenecks,
        "ways": print_ways,
        "stopping": print_stopping,
        "processes": print_processes,
    }
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a tenth of the draws: under a minute")
    parser.add_argument("--draws", type=int, default=10000, help="draws of the largest tables")
    parser.add_argument("--seed", type=int, default=20261128)
    parser.add_argument("--only", choices=tables, help="print one table")
    arguments = parser.parse_args()
    draws = arguments.draws // 10 if arguments.quick else arguments.draws
    print(f"{draws} draws (slices, ways, stopping and processes: fewer, as they say), seed {arguments.seed}")
    for name, table in tables.items():
        if arguments.only in (None, name):
            print(f"\n## {name}\n")
            table(draws, arguments.seed)


def print_honesty(draws: int, seed: int) -> None:
    """Alarms, coverage and power of the rules in use."""
    slowdowns = (0.005, 0.01, 0.02, 0.03, 0.05, 0.10)
    heads = ["coverage, %", "alarms at 0, % (bound)", "alarms at m, % (bound)", "unchanged at 0, %"]
    heads += [f"seen {100 * x:g} %" for x in slowdowns] + ["smallest seen, %: printed, seen in"]
    row("scenario (m)", "cells x builds x processes x cycles", *heads)
    row(*["---"] * (2 + len(heads)))
    for of, sizes in HONEST:
        for size in sizes:
            row(*_honest(of, size, draws, seed, slowdowns))


def _honest(of: Scenario, size: Size, draws: int, seed: int, slowdowns: tuple[float, ...]) -> list[str]:
    rng = np.random.default_rng([seed, size.cells, size.builds, size.processes])
    limit = np.log1p(of.material)
    same = compared(of, units(rng, of, size, draws, 0.0))
    edge = compared(of, units(rng, of, size, draws, float(limit)))
    covered = 100 * float(np.mean(np.abs(edge.estimate - limit) <= edge.half_width(SHOWN)))
    cells = [f"{of.name} ({100 * of.material:g} %)", size.words, f"{covered:.1f}"]
    for found in (same, edge):
        count = int(alarms(found, of.material).sum())
        cells.append(f"{100 * count / draws:.2f} ({bound(count, draws):.2f})")
    unchanged = np.abs(same.estimate) + same.half_width(SHOWN) <= limit
    cells.append(f"{100 * float(np.mean(unchanged)):.0f}")
    for slowdown in slowdowns:
        found = compared(of, units(rng, of, size, draws, float(np.log1p(slowdown))))
        cells.append(f"{seen(found, of.material):.1f}")
    few = min(draws, 2000)
    printed = np.array([smallest_seen(_one(same, i), limit=float(limit)) for i in range(few)])
    again = units(rng, of, size, few, 0.0)
    again[:, 1] += printed[:, None]
    cells.append(f"{100 * np.expm1(np.median(printed)):.1f}, {seen(compared(of, again), of.material):.0f} %")
    return cells


def _one(found: Difference, index: int) -> Difference:
    return Difference(found.estimate[index], found.variance[index], found.degrees[index])


def print_confidence(draws: int, seed: int) -> None:
    """Alarms where the true change is m itself or -m, by the confidence of the deciding interval."""
    row("scenario", "size", *(f"{100 * x:g} %: alarms at m and -m, %; seen 2 m, %" for x in CONFIDENCES))
    row(*["---"] * (2 + len(CONFIDENCES)))
    for of, sizes in HONEST:
        for size in sizes[:4]:
            rng = np.random.default_rng([seed, 1, size.cells, size.builds, size.processes])
            m = of.material
            truths = (np.log1p(m), np.log1p(-m), np.log1p(2 * m))
            found = [compared(of, units(rng, of, size, draws, float(t))) for t in truths]
            cells = []
            for confidence in CONFIDENCES:
                up, down, power = (100 * float(np.mean(alarms(x, m, confidence))) for x in found)
                cells.append(f"{up:.2f}, {down:.2f}; {power:.0f}")
            row(of.name, size.words, *cells)


def print_slow(draws: int, seed: int) -> None:
    """The rule for slow builds, with and without; and a version that is slower as a whole."""
    heads = (
        "coverage, %",
        "half width, median %",
        "alarms at m, %",
        "unchanged at 0, %",
        "seen 2 %",
        "seen 5 %",
    )
    row("slow builds", "builds", "rule", "builds set aside, %", *heads)
    row(*["---"] * (4 + len(heads)))
    for of in (GRAPH, GRAPH_5, GRAPH_10):
        for builds in (3, 5, 10):
            for rule in (True, False):
                row(*_slow(of, Size(CELLS, builds, 2, 100), rule, draws, seed))


def print_beside(draws: int, seed: int) -> None:
    """Ordinary builds set aside by the rule, in percent: without a slow build, and beside a planted one."""
    row("builds", "none planted", *(f"{x:g} %: found, same cell, other cells" for x in (2, 5, 10, 20)))
    row(*["---"] * 6)
    for builds in (3, 5, 8):
        values = np.random.default_rng([seed, 7, builds]).normal(0, 0.0036, (draws, CELLS, builds))
        cells = [str(builds), f"{100 * float(slow_builds(values).mean()):.3f}"]
        for by in (0.02, 0.05, 0.10, 0.20):
            planted = values.copy()
            planted[:, 0, 0] += by
            found = slow_builds(planted)
            parts = found[:, 0, 0], found[:, 0, 1:], found[:, 1:]
            cells.append(", ".join(f"{100 * float(part.mean()):.3f}" for part in parts))
        row(*cells)


def _slow(of: Scenario, size: Size, rule: bool, draws: int, seed: int) -> list[str]:
    rng = np.random.default_rng([seed, 2, size.builds])
    limit = np.log1p(of.material)
    same, edge, two, five = (
        units(rng, of, size, draws, float(np.log1p(x))) for x in (0, of.material, 0.02, 0.05)
    )
    aside = 100 * float(slow_builds(same).mean()) if rule else 0.0
    found = compared(of, same, rule)
    half = found.half_width(SHOWN)
    return [
        f"{100 * of.slow:.0f} %",
        str(size.builds),
        "yes" if rule else "no",
        f"{aside:.2f}",
        f"{100 * float(np.mean(np.abs(found.estimate) <= half)):.1f}",
        f"{100 * float(np.median(half)):.2f}",
        f"{100 * float(np.mean(alarms(compared(of, edge, rule), of.material))):.2f}",
        f"{100 * float(np.mean(np.abs(found.estimate) + half <= limit)):.0f}",
        f"{seen(compared(of, two, rule), of.material):.1f}",
        f"{seen(compared(of, five, rule), of.material):.1f}",
    ]


def print_pooling(draws: int, seed: int) -> None:
    """Pooling of spreads: always, tested (in use), never; where one version scatters more than the others."""
    ways = {"always pooled": (0.0, 0.0), "tested (in use)": (OWN, APART), "never": (1.1, APART)}
    row(
        "builds",
        "scatter of the new version",
        *(f"{w}: coverage; alarms at 0, at -m, %; seen 2 %" for w in ways),
    )
    row(*["---"] * (2 + len(ways)))
    for builds in (3, 5):
        for wide in (1.0, 2.0, 3.0):
            size = Size(CELLS, builds, 2, 100)
            rng = np.random.default_rng([seed, 3, builds])
            same, edge, two = (
                units(rng, GRAPH, size, draws, float(np.log1p(x)), wide) for x in (0.0, -GRAPH.material, 0.02)
            )
            cells = []
            for way in ways.values():
                found = compared(GRAPH, same, True, way)
                covered = 100 * float(np.mean(np.abs(found.estimate) <= found.half_width(SHOWN)))
                none = 100 * float(np.mean(alarms(found, GRAPH.material)))
                wrong = 100 * float(np.mean(alarms(compared(GRAPH, edge, True, way), GRAPH.material)))
                power = seen(compared(GRAPH, two, True, way), GRAPH.material)
                cells.append(f"{covered:.1f}; {none:.2f}, {wrong:.2f}; {power:.0f}")
            row(str(builds), f"{wide:.0f} times", *cells)


def print_bottlenecks(draws: int, seed: int) -> None:
    """Bottlenecks by d: a cost of 30 % of the layer time, and one of 2 %; one build in twenty is slow."""
    changes = (0.0, 0.01, 0.02, 0.03, 0.05)
    row("cost, % of the layer time", "its spread over builds, %", "builds", "coverage, %", *_heads(changes))
    row(*["---"] * (4 + len(changes)))
    for share in (0.30, 0.02):
        for scatter in (0.01, 0.02, 0.05):
            for builds in (3, 5):
                rng = np.random.default_rng([seed, 7, builds])
                found = [_costs(rng, share, share + d, scatter, (draws, builds)) for d in changes]
                covered = np.mean(np.abs(found[2].estimate - changes[2]) <= found[2].half_width(SHOWN))
                shares = [100 * float(np.mean(x.estimate - x.half_width(ALARM) > 0.01)) for x in found]
                cells = [
                    f"{x:.2f}" if d <= 0.01 else f"{x:.1f}" for x, d in zip(shares, changes, strict=True)
                ]
                row(f"{100 * share:.0f}", f"{100 * scatter:.0f}", str(builds), f"{100 * covered:.1f}", *cells)


def _heads(changes: tuple[float, ...]) -> list[str]:
    return [f"regressed at d = {100 * d:g} %, %" for d in changes]


def _costs(rng: Generator, old: float, new: float, scatter: float, shape: tuple[int, int]) -> Difference:
    rest = np.exp(0.0036 * rng.normal(size=shape) + slowness(rng, 0.05, shape))
    before = old * np.exp(scatter * rng.normal(size=shape))
    after = new * np.exp(scatter * rng.normal(size=shape) + slowness(rng, 0.05, shape))
    values = np.stack(cost_shares(before, after, before + (1 - old) * rest), axis=1)
    core = set_aside(values, slow_builds(values))
    return difference(core, spread(core), 0, 1)


if __name__ == "__main__":
    main()
