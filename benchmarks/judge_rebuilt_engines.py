"""Spreads, alarms and power of engines built anew, as ``rebuilt_engines.py`` measured them side by side.

    python benchmarks/judge_rebuilt_engines.py REBUILT.json [--pass cuda_graph] [--builds 5 7 9] [--draws 120]

Each engine counts as a build of its cell, the processes of one engine as its own; the code in force judges.
Printed: how far builds and processes lie apart, what the slower network costs, disjoint A/A pairs of the
first of --builds, how often a slowdown of the second arm is seen among builds drawn without replacement from
those that are not set aside as slow, as they are and with slow ones made of some (``simulated_blocks.py``),
and the builds a side that show it in 95 % of draws, with slow ones in 90 %, simulated from the spreads found.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from pair_arms import cut
from real_aa import scaled
from side_by_side_pairs import as_second_arm, pairs_of
from simulate_lockstep import compared, seen
from simulated_blocks import Scenario, Size, row, slowness, units

from harness.analysis.grid import grid_of
from harness.analysis.judge import judge
from harness.analysis.verdict import SIDE_BY_SIDE, Verdict
from harness.matrix.cell import Cell, Treatment
from harness.observations.records import (
    LATENCY_PASS,
    BuildObservation,
    CellObservation,
    RunObservation,
    Slice,
)
from harness.store.documents.manifest import Manifest

SLOWDOWNS = (0.02, 0.03)
SHARES = (0.0, 0.05, 0.10)
MOST = 40
"""Builds a side up to which is looked for as many as show a slowdown."""


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("--pass", dest="judged", default="cuda_graph", metavar="NAME")
    parser.add_argument("--builds", type=int, nargs="+", default=[5, 7, 9])
    parser.add_argument("--draws", type=int, default=120)
    parser.add_argument("--seed", type=int, default=20261129)
    asked = parser.parse_args()
    document = json.loads(asked.file.read_text(encoding="utf-8"))
    run = observed(document, asked.judged)
    base, *others = dict.fromkeys(found.cell.network for found in run.cells)
    spreads = print_spreads(run)
    for other in others:
        print_slower(run, base, other)
    print_disjoint(only(run, base), asked.builds[0])
    print_drawn(without_slow(only(run, base)), asked.builds, asked.draws, asked.seed)
    print_needed(spreads[base], asked.seed)


def observed(document: dict[str, Any], judged: str) -> RunObservation:
    """Return the engines of *document* as builds of one block, measured by the pass *judged*."""
    said, host = document["cell"], str(document["facts"].get("uuid"))
    slices: dict[tuple[str, int], list[Slice]] = defaultdict(list)
    for process in document["processes"]:
        for cycle, place, value in process["passes"][judged]:
            own = Slice(cycle, np.array([value]), process["process"], place)
            slices[process["network"], process["number"]].append(own)
    builds: dict[str, list[BuildObservation]] = defaultdict(list)
    for (network, number), taken in slices.items():
        samples = np.concatenate([one.samples for one in taken])
        measured = {"passes": {LATENCY_PASS: samples}, "slices": {LATENCY_PASS: tuple(taken)}}
        builds[network].append(BuildObservation(number, "ok", host, block="one", round=number, **measured))  # type: ignore[arg-type]
    cells = []
    for network, found in builds.items():
        treatment = Treatment.from_json(said["treatment"])
        names = {name: str(said[name]) for name in ("runtime", "version", "environment")}
        cells.append(
            CellObservation(Cell(network=network, treatment=treatment, **names), "measured", "", tuple(found))
        )
    return RunObservation((), Manifest(), tuple(cells))


def only(run: RunObservation, network: str) -> RunObservation:
    """Return *run* with the cell of *network* alone."""
    return replace(run, cells=tuple(found for found in run.cells if found.cell.network == network))


def print_spreads(run: RunObservation) -> dict[str, float]:
    """Print how far builds and processes lie apart; return the spread of the builds of each network, of 1."""
    row("network", "builds", "slow", "builds apart, %", "processes of one apart, %")
    row(*["---"] * 5)
    found = {}
    for one in run.cells:
        network = one.cell.network
        (passes,) = grid_of(only(run, network)).blocks.passes.values()
        levels = passes[LATENCY_PASS].levels
        build = float(np.sqrt(levels.spread_of_builds.pooled))
        # of all that have two, since the pool in use leaves out those that lie far apart
        both = levels.by_build[np.isfinite(levels.by_build).sum(axis=1) > 1]
        process = float(np.sqrt(np.nanmean(np.nanvar(both, axis=1, ddof=1))))
        slow = levels.by_cell[levels.slow] - np.nanmedian(levels.by_cell)
        said = ", ".join(f"+{100 * np.expm1(x):.1f} %" for x in slow) or "none"
        row(network, str(len(one.builds)), said, f"{100 * build:.2f}", f"{100 * process:.2f}")
        found[network] = build
    print()
    return found


def print_slower(run: RunObservation, base: str, other: str) -> None:
    """Print what *other* takes more than *base*, all builds of both."""
    for one in judged(as_second_arm(run, base, other)):
        low, high = (100 * (x - 1) for x in one.interval or (np.nan, np.nan))
        effect = 100 * ((one.effect or np.nan) - 1)
        print(f"{other}: {effect:+.2f} % ({low:+.2f} to {high:+.2f}), {one.verdict}\n")


def judged(run: RunObservation) -> list[Verdict]:
    """Return the verdicts on the latency of second arms."""
    return [v for v in judge(grid_of(run), rules={}) if v.kind == "aa" and v.measured == SIDE_BY_SIDE]


def without_slow(run: RunObservation) -> RunObservation:
    """Return *run* of one cell without the builds that are set aside among all of it."""
    (passes,) = grid_of(run).blocks.passes.values()
    slow = passes[LATENCY_PASS].levels.slow[0]
    (found,) = run.cells
    builds = tuple(one for one, out in zip(found.builds, slow, strict=True) if not out)
    return replace(run, cells=(replace(found, builds=builds),))


def print_disjoint(run: RunObservation, builds: int) -> None:
    """Print what pairs of *builds* a side that share none are called."""
    found = list(pairs_of(cut(run, builds), {}))
    names = ", ".join(f"{v.verdict} ({100 * ((v.effect or 1) - 1):+.2f} %)" for v in found)
    print(f"disjoint A/A pairs of {builds} builds a side: {sum(v.alarm for v in found)} alarms: {names}\n")


def print_drawn(run: RunObservation, sizes: list[int], draws: int, seed: int) -> None:
    """Print how often slowdowns are seen among builds that were drawn, by the share that are slow besides."""
    heads = [f"{100 * x:g} % seen, {100 * s:g} % slow" for s in SHARES for x in SLOWDOWNS]
    row("builds a side (draws)", *heads, "alarms at 0")
    row(*["---"] * (2 + len(heads)))
    for size in sizes:
        # of more than one pair in a cut, the first: so many draws for each size
        arms = [replace(one, cells=one.cells[:2]) for one in (cut(run, size, at) for at in range(draws))]
        shares = []
        for share in SHARES:
            for by in SLOWDOWNS:
                made = [
                    changed(one, by, share, np.random.default_rng([seed, at])) for at, one in enumerate(arms)
                ]
                seen_in = [v.verdict == "regressed" for one in made for v in pairs_of(one, {})]
                shares.append(f"{100 * sum(seen_in) / draws:.0f}")
        alarms = sum(v.alarm for one in arms for v in pairs_of(one, {}))
        row(f"{size} ({draws})", *shares, str(alarms))
    print()


def changed(run: RunObservation, by: float, share: float, rng: np.random.Generator) -> RunObservation:
    """Return *run* with the second arm slower *by* so much, and of all builds the *share* slow besides."""
    cells = []
    for found in run.cells:
        slow = np.exp(slowness(rng, share, (len(found.builds),)))
        arm = 1 + by if found.cell.repeat else 1.0
        builds = [
            scaled(replace(found, builds=(one,)), float(arm * factor)).builds[0]
            for one, factor in zip(found.builds, slow, strict=True)
        ]
        cells.append(replace(found, builds=tuple(builds)))
    return replace(run, cells=tuple(cells))


def print_needed(spread: float, seed: int, draws: int = 2000) -> None:
    """Print the builds a side that show each slowdown where builds lie *spread* apart, simulated."""
    row("slowdown", *(f"builds a side, {100 * share:g} % slow" for share in SHARES))
    row(*["---"] * (1 + len(SHARES)))
    for by in SLOWDOWNS:
        # in the spread is what the one process of an engine adds to it
        scenarios = [Scenario("as found", spread, 0.0, 0.0, slow=share) for share in SHARES]
        row(f"{100 * by:g} %", *(fewest(of, by, seed, draws) for of in scenarios))


def fewest(of: Scenario, by: float, seed: int, draws: int) -> str:
    """Return the builds a side that show a slowdown *by* so much often enough, and how often."""
    wanted, last = 90.0 if of.slow else 95.0, 0.0
    for builds in range(3, MOST + 1):
        rng = np.random.default_rng([seed, builds])
        values = units(rng, of, Size(2, builds, 1, 1), draws, float(np.log1p(by)))
        last = seen(compared(of, values), of.material)
        if last >= wanted:
            return f"{builds} ({last:.0f} % seen)"
    return f"more than {MOST} ({last:.0f} % seen)"


if __name__ == "__main__":
    main()
