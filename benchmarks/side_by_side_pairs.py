"""Alarms, power and coverage of blocks that were measured, as the code in force judges them.

    python benchmarks/side_by_side_pairs.py RUN... [--builds 4 [--draws 10]] [--pass cuda_graph]
        [--slower NETWORK=VARIANT]

Each run is judged as a whole, so that spreads are pooled over its blocks as in use. A pair is a version and
its second arm (``repeat`` of the matrix), or with ``--builds N`` two times N builds of one cell
(``pair_arms.py``): they share no process, and pairs of several runs no block. What is true of a pair is
known: nothing, or the factor that the second arm's own slices are multiplied by (power, coverage), or a class
of layers that takes so much more of the layer time; with ``--slower`` also a slowdown that is real, a network
of the same block with an op repeated. ``--draws M`` cuts cells M times at random for what is said of power:
these pairs overlap and are no M times as many answers; alarms are counted on the first.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from pair_arms import cut
from real_aa import scaled
from simulated_blocks import bound, row
from slower_classes import print_classes

from harness.analysis.grid import grid_of
from harness.analysis.judge import judge
from harness.analysis.rules.base import Rule
from harness.analysis.verdict import LATENCY, SIDE_BY_SIDE, Verdict, verdict_message
from harness.observations.records import (
    LATENCY_PASS,
    CellObservation,
    RunObservation,
    judged_by,
)
from harness.plugins import registry
from harness.plugins.reading import observe

FACTORS = (1.01, 1.02, 1.03, 1.05, 1.1, 1.2)
QUIET = 0.015
"""Spread of the builds of a runtime in a block, of 1, below which a machine counts as quiet."""

Key = tuple[str, str]
"""Runtime and what was asked."""


@dataclass(frozen=True)
class Judged:
    """A verdict on a pair whose truth is known: :param truth: new / old"""

    verdict: Verdict
    truth: float

    @property
    def covered(self) -> bool:
        """Whether the 95 % interval of the latency holds the truth."""
        ends = self.verdict.interval
        return ends is not None and ends[0] <= self.truth <= ends[1]


def main() -> int:
    """Print the tables; exit status 1 where over 1 % of the A/A verdicts are alarms, 2 without a pair."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", nargs="+", type=Path, metavar="RUN")
    parser.add_argument("--pass", dest="judged", default=LATENCY_PASS, metavar="NAME")
    parser.add_argument("--slower", action="append", default=[], metavar="NETWORK=VARIANT")
    parser.add_argument("--builds", type=int, help="cut cells into pairs of this many builds a side")
    parser.add_argument("--draws", type=int, default=1, help="times that cells are cut, for power")
    arguments = parser.parse_args()
    measured = [judged_by(observe([path]), arguments.judged) for path in arguments.runs]
    runs, drawn = measured, measured
    if arguments.builds:
        drawn = [cut(run, arguments.builds, draw) for draw in range(arguments.draws) for run in measured]
        runs = drawn[: len(measured)]
    rules: Mapping[str, Rule] = registry.bottlenecks() if arguments.judged == LATENCY_PASS else {}
    same = [Judged(v, 1.0) for run in runs for v in pairs_of(run, rules)]
    if not same:
        print("no A/A pair that was measured side by side in these runs", file=sys.stderr)
        return 2
    alarms = print_same(same)
    print_factors(drawn)
    print_smallest(drawn)
    print_by_spread(drawn)
    if rules:
        print_classes(drawn, rules)
    for said in arguments.slower:
        print_slower(runs, *said.split("=", 1))
    return int(alarms > 0.01 * len(same))


def pairs_of(run: RunObservation, rules: Mapping[str, Rule]) -> Iterator[Verdict]:
    """Yield the verdicts on the A/A pairs of *run* that were measured side by side and could be judged."""
    for verdict in judge(grid_of(run), rules=rules):
        if verdict.kind == "aa" and verdict.measured == SIDE_BY_SIDE and verdict.interval is not None:
            yield verdict


def print_same(same: Sequence[Judged]) -> int:
    """Print what pairs without a change are called; return the number of alarms."""
    by_key: dict[Key, list[Judged]] = defaultdict(list)
    for one in same:
        by_key[one.verdict.runtime, one.verdict.bottleneck].append(one)
    heads = ("pairs", "alarms (95 % bound, %)", "unchanged, %", "coverage, %", "smallest change, median %")
    row("runtime", "asked", *heads)
    row(*["---"] * 7)
    for (runtime, name), found in sorted(by_key.items()):
        count = sum(one.verdict.alarm for one in found)
        unchanged = np.mean([one.verdict.verdict == "unchanged" for one in found])
        # r of a cost is not what is judged
        covered = f"{100 * np.mean([one.covered for one in found]):.0f}" if name == LATENCY else "-"
        smallest = np.median([one.verdict.smallest_detectable or np.nan for one in found])
        row(
            runtime,
            name,
            str(len(found)),
            f"{count} ({bound(count, len(found)):.2f})",
            f"{100 * unchanged:.0f}",
            covered,
            f"{100 * smallest:.1f}",
        )
    alarms = [one.verdict for one in same if one.verdict.alarm]
    most = bound(len(alarms), len(same))
    print(f"\n{len(alarms)} alarms in {len(same)} A/A verdicts (at most {most:.2f} %)\n")
    for verdict in alarms:
        print("alarm: " + verdict_message(verdict))
    return len(alarms)


def print_factors(runs: Sequence[RunObservation]) -> None:
    """Print how often the second arm, its samples times a factor, is called slower, and how often covered."""
    found: dict[tuple[str, float], list[Judged]] = defaultdict(list)
    for factor in FACTORS:
        for run in runs:
            for verdict in pairs_of(changed(run, lambda cell, by=factor: scaled(cell, by)), {}):
                found[verdict.runtime, factor].append(Judged(verdict, factor))
    row("runtime", "pairs", *(f"x {factor:g}: seen, covered, %" for factor in FACTORS))
    row(*["---"] * (2 + len(FACTORS)))
    for runtime in dict.fromkeys(runtime for runtime, _ in found):
        shares = [shown(found[runtime, factor]) for factor in FACTORS]
        row(runtime, str(len(found[runtime, FACTORS[0]])), *shares)
    print()


def print_smallest(runs: Sequence[RunObservation]) -> None:
    """Print how often a slowdown as large as a pair says it would show is seen, in itself and another run."""
    said = [{_place(v): v.smallest_detectable or 0.0 for v in pairs_of(run, {})} for run in runs]
    row("runtime", "pairs", "smallest change, median %", "of that size seen, %", "in the next run, %")
    row(*["---"] * 5)
    seen: dict[str, list[list[bool]]] = defaultdict(lambda: [[], []])
    for number, run in enumerate(runs):
        for column, sizes in enumerate((said[number], said[(number + 1) % len(runs)])):
            for verdict in pairs_of(changed(run, lambda cell, by=sizes: scaled(cell, _factor(cell, by))), {}):
                if _place(verdict) in sizes:
                    seen[verdict.runtime][column].append(verdict.verdict == "regressed")
    for runtime, (own, other) in sorted(seen.items()):
        sizes = [size for one in said for (name, _), size in one.items() if name == runtime]
        shares = [f"{100 * np.mean(column):.0f}" for column in (own, other)]
        row(runtime, str(len(own)), f"{100 * np.median(sizes):.1f}", *shares)
    print()


def _place(verdict: Verdict) -> Key:
    return verdict.runtime, verdict.network


def _factor(found: CellObservation, sizes: Mapping[Key, float]) -> float:
    return 1 + sizes.get((found.cell.runtime, found.cell.network), 0.0)


def print_by_spread(runs: Sequence[RunObservation]) -> None:
    """Print alarms and what is seen of 5 and of 10 %, by how far builds lie apart in the block."""
    row("builds lie apart by", "median %", "pairs", "alarms", "5 % seen, %", "10 % seen, %")
    row(*["---"] * 6)
    spreads = [spreads_of(run) for run in runs]
    for name, quiet in ((f"less than {100 * QUIET:g} %", True), ("more", False)):
        counts: list[list[bool]] = []
        for factor in (1.0, 1.05, 1.1):
            counts.append([])
            for run, mine in zip(runs, spreads, strict=True):
                for verdict in pairs_of(changed(run, lambda cell, by=factor: scaled(cell, by)), {}):
                    if (mine[_place(verdict)] < QUIET) == quiet:
                        seen = verdict.alarm if factor == 1.0 else verdict.verdict == "regressed"
                        counts[-1].append(seen)
        found = [x for mine in spreads for x in mine.values() if (x < QUIET) == quiet]
        if found:
            shares = [f"{100 * np.mean(column):.0f}" for column in counts[1:]]
            row(name, f"{100 * np.median(found):.1f}", str(len(counts[0])), str(sum(counts[0])), *shares)
    print()


def spreads_of(run: RunObservation) -> dict[Key, float]:
    """Return the standard deviation of builds of each runtime in the block of each network, of 1."""
    found = {}
    for passes in grid_of(run).blocks.passes.values():
        one = passes.get(LATENCY_PASS) or next(iter(passes.values()))
        for (cell, _), at in one.cells.items():
            variance = one.levels.builds_spread[int(one.levels.kinds[at])].pooled
            found[cell.runtime, cell.network] = float(np.sqrt(variance))
    return found


def print_slower(runs: Sequence[RunObservation], network: str, variant: str) -> None:
    """Print how often *variant* is called slower than *network*, and by how much it is in the mean."""
    found: dict[str, list[Verdict]] = defaultdict(list)
    for run in runs:
        for verdict in pairs_of(as_second_arm(run, network, variant), {}):
            found[verdict.runtime].append(verdict)
    row("variant", "runtime", "pairs", "slower in the mean, %", "seen, %")
    row(*["---"] * 5)
    for runtime, verdicts in sorted(found.items()):
        mean = np.exp(np.mean([np.log(v.effect) for v in verdicts if v.effect]))
        seen = np.mean([v.verdict == "regressed" for v in verdicts])
        row(variant, runtime, str(len(verdicts)), f"{100 * (mean - 1):.2f}", f"{100 * seen:.0f}")
    print()


def shown(found: Sequence[Judged]) -> str:
    """Return the shares of *found* that are called regressed, and that are covered, %."""
    seen = np.mean([one.verdict.verdict == "regressed" for one in found])
    return f"{100 * seen:.0f}, {100 * np.mean([one.covered for one in found]):.0f}"


def changed(run: RunObservation, of: Callable[[CellObservation], CellObservation]) -> RunObservation:
    """Return *run* with *of* of the second arm of each pair."""
    return replace(
        run, cells=tuple(of(cell) if cell.cell.repeat.startswith("aa") else cell for cell in run.cells)
    )


def as_second_arm(run: RunObservation, network: str, variant: str) -> RunObservation:
    """Return the cells of *network*, and those of *variant* as if they were their second arms."""
    own = [found for found in run.cells if found.cell.network == network and not found.cell.repeat]
    cells = {found.cell: found for found in own}
    made = list(own)
    for found in run.cells:
        base = cells.get(replace(found.cell, network=network))
        if found.cell.network == variant and base is not None:
            builds = tuple(
                replace(build, identity=replace(build.identity, digest=base.digest)) for build in found.builds
            )
            arm = replace(base.cell, repeat="aa slower")
            made.append(replace(found, cell=arm, digest=base.digest, builds=builds))
    return replace(run, cells=tuple(made))


if __name__ == "__main__":
    sys.exit(main())
