"""Alarms on measured pairs of the same thing, and the smallest slowdown that is seen in such pairs.

    python benchmarks/real_aa.py RUN... [--builds 3] [--slower "mobilenet_v2=mobilenet_v2_plus*"]

An A/A pair is a cell and its second arm (``aa``) in one run, interleaved as any two versions are. With
``--builds N`` long arms are cut into pairs of N consecutive rounds each. ``--within`` takes the pairs from
the builds of single arms, N of them and the next N: all there is where builds are dear.

``--slower`` names a network and a variant of it with an op repeated (or a pattern of variants), measured in
one run: the same cells of both are compared, and how often the slowdown is seen is counted. Beside it stand
scaled pairs: the second arm's own samples times a known factor.

``--draws M`` takes M pairs of N rounds each that are drawn at random: where builds are dear there are few
pairs that share none, and drawn ones say what other rounds would have shown. They overlap, so they are not
M independent answers. ``--pass cuda_graph`` judges that pass in place of the latency.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path

import numpy as np

from harness.analysis.grid import grid_of
from harness.analysis.judge import judge
from harness.analysis.rules.base import Rule
from harness.analysis.verdict import LATENCY, Verdict, verdict_message
from harness.observations.records import BuildObservation, CellObservation, RunObservation, judged_by
from harness.plugins import registry
from harness.plugins.reading import observe
from harness.store.documents.manifest import Manifest

SCALES = (1.02, 1.03, 1.05, 1.07, 1.1, 1.15, 1.2, 1.3, 1.5, 2.0, 3.0)
SEEN = 0.95
DRAWN_WITH = 20261125  # seed of the pairs that are drawn

Pair = tuple[CellObservation, CellObservation]


def main() -> int:
    """Print the tables; 1 where more than 1 % of the A/A verdicts are alarms."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--builds", type=int, help="cut arms into pairs of this many builds")
    parser.add_argument("--within", action="store_true", help="pairs from the builds of one arm")
    parser.add_argument("--draws", type=int, help="as many pairs of --builds rounds, drawn at random")
    parser.add_argument("--pass", dest="judged", default=LATENCY, metavar="NAME", help="pass to be judged")
    parser.add_argument("--slower", action="append", default=[], metavar="NETWORK=VARIANT")
    arguments = parser.parse_args()
    if arguments.within and not arguments.builds:
        parser.error("--within needs --builds: how many builds a side")
    if arguments.draws and not arguments.builds:
        parser.error("--draws needs --builds: how many rounds a side")
    return report(
        judged_by(observe(arguments.runs), arguments.judged),
        arguments.builds,
        arguments.slower,
        within=arguments.within,
        draws=arguments.draws,
    )


def report(
    run: RunObservation,
    builds: int | None,
    slower: Sequence[str],
    *,
    within: bool = False,
    draws: int | None = None,
) -> int:
    """Print the tables of *run*; return the exit status.

    :param builds: cut arms into pairs of this many builds; :param slower: ``NETWORK=VARIANT`` ...
    :param within: take pairs from the builds of one arm; :param draws: this many pairs of random rounds
    """
    if within and builds:
        pairs = [pair for found in run.cells for pair in _halves(found, builds)]
    else:
        pairs = [cut for pair in _twins(run) for cut in _cut(pair, builds, draws)]
    if not pairs and not slower:
        print("no A/A pairs in these runs: add an arm 'aa' to a block of the matrix", file=sys.stderr)
        return 2
    alarms = total = 0
    if pairs:
        alarms, total = _print_alarms(pairs)
        _print_scaled(pairs)
    if slower:
        _print_slower(run, list(_variants(run, slower)), builds=builds, draws=draws)
    return int(alarms > 0.01 * total)


def _twins(run: RunObservation) -> Iterator[Pair]:
    mains = {found.cell: found for found in run.cells if not found.cell.repeat}
    for found in run.cells:
        main = mains.get(replace(found.cell, repeat=""))
        if found.cell.repeat.startswith("aa") and main is not None:
            yield main, found


def _cut(pair: Pair, builds: int | None, draws: int | None = None) -> Iterator[Pair]:
    """Yield *pair* by host, and with *builds* by as many consecutive rounds that both arms have.

    :param draws: yield this many instead, of rounds drawn at random
    """
    for host in dict.fromkeys(b.host for b in pair[0].good):
        sides = [{b.round: b for b in found.good if b.host == host} for found in pair]
        for chosen in _chosen(sorted(sides[0].keys() & sides[1].keys()), builds, draws):
            first, second = (
                replace(found, builds=tuple(side[r] for r in chosen))
                for found, side in zip(pair, sides, strict=True)
            )
            yield first, second


def _chosen(rounds: Sequence[int], builds: int | None, draws: int | None) -> Iterator[Sequence[int]]:
    size = builds or len(rounds)
    if not size or len(rounds) < size:
        return
    if draws:
        generator = random.Random(DRAWN_WITH)
        yield from (sorted(generator.sample(rounds, size)) for _ in range(draws))
    else:
        yield from (rounds[start : start + size] for start in range(0, len(rounds) - size + 1, size))


def _halves(found: CellObservation, builds: int) -> Iterator[Pair]:
    """Yield pairs of *builds* consecutive builds and as many after them, host by host."""
    for host in dict.fromkeys(b.host for b in found.good):
        mine = sorted((b for b in found.good if b.host == host), key=lambda b: b.round)
        for start in range(0, len(mine) - 2 * builds + 1, 2 * builds):
            first = replace(found, builds=tuple(mine[start : start + builds]))
            after = tuple(mine[start + builds : start + 2 * builds])
            yield first, replace(found, cell=replace(found.cell, repeat="aa within"), builds=after)


def _judged(pair: Pair, rules: Mapping[str, Rule]) -> list[Verdict]:
    return [v for v in judge(grid_of(RunObservation((), Manifest(), pair)), rules=rules) if v.kind == "aa"]


def _print_alarms(pairs: Iterable[Pair]) -> tuple[int, int]:
    words: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    smallest: dict[tuple[str, str], list[float]] = defaultdict(list)
    seen = []
    for pair in pairs:
        for verdict in _judged(pair, registry.bottlenecks()):
            if verdict.interval is None:
                continue  # nothing was asked of builds that cannot tell: they would only thin the alarms out
            key = (verdict.runtime, verdict.bottleneck)
            words[key]["alarm" if verdict.alarm else verdict.verdict] += 1
            if verdict.smallest_detectable is not None:
                smallest[key].append(verdict.smallest_detectable)
            if verdict.alarm:
                seen.append(verdict)
    _row(
        "runtime",
        "asked",
        "pairs",
        "alarms",
        "unchanged, %",
        "indeterminate, %",
        "smallest detectable, median %",
    )
    _row(*["---"] * 7)
    for (runtime, name), counts in sorted(words.items()):
        of = counts.total()
        shares = [f"{100 * counts[word] / of:.1f}" for word in ("unchanged", "indeterminate")]
        median = f"{100 * float(np.median(smallest[runtime, name])):.1f}" if smallest[runtime, name] else "-"
        _row(runtime, name, str(of), str(counts["alarm"]), *shares, median)
    total = sum(counts.total() for counts in words.values())
    print(f"\n{len(seen)} alarms in {total} A/A verdicts ({100 * len(seen) / max(total, 1):.2f} %)\n")
    for verdict in seen:
        print("alarm: " + verdict_message(verdict))
    return len(seen), total


def _print_scaled(pairs: list[Pair]) -> None:
    """Print how often the second arm's own samples, times a factor, are called slower."""
    by_runtime: dict[str, list[Pair]] = defaultdict(list)
    for pair in pairs:
        by_runtime[pair[0].cell.runtime].append(pair)
    _row("runtime", "pairs", *(f"x {scale:g}, %" for scale in SCALES), f"smallest seen in {SEEN:.0%}")
    _row(*["---"] * (3 + len(SCALES)))
    for runtime, group in sorted(by_runtime.items()):
        shares = [_share_seen((a, scaled(b, scale)) for a, b in group) for scale in SCALES]
        enough = [scale for scale, share in zip(SCALES, shares, strict=True) if share >= SEEN]
        smallest = f"{100 * (enough[0] - 1):.0f} %" if enough else "none of these"
        _row(runtime, str(len(group)), *(f"{100 * share:.1f}" for share in shares), smallest)
    print()


def scaled(found: CellObservation, scale: float) -> CellObservation:
    """Return *found* with every sample *scale* times as long."""

    def longer(build: BuildObservation) -> BuildObservation:
        slices = {
            name: tuple(replace(one, samples=one.samples * scale) for one in taken)
            for name, taken in build.slices.items()
        }
        passes = {name: samples * scale for name, samples in build.passes.items()}
        return replace(build, passes=passes, slices=slices)

    return replace(found, builds=tuple(map(longer, found.builds)))


def _share_seen(pairs: Iterable[Pair]) -> float:
    verdicts = [v for pair in pairs for v in _judged(pair, {}) if v.bottleneck == LATENCY]
    return sum(v.verdict == "regressed" for v in verdicts) / len(verdicts) if verdicts else 0.0


def _print_slower(
    run: RunObservation, pairs: Iterable[tuple[str, str]], *, builds: int | None, draws: int | None
) -> None:
    """Print how often variants with an op repeated are called slower than the network itself.

    :param pairs: network and variant
    """
    _row("variant", "runtime", "pairs", "slower in the mean, %", "seen, %")
    _row(*["---"] * 5)
    for network, variant in pairs:
        by_runtime: dict[str, list[Verdict]] = defaultdict(list)
        for pair in _slower_pairs(run, network, variant):
            for cut in _cut(pair, builds, draws):
                by_runtime[pair[0].cell.runtime] += _judged(cut, {})
        for runtime, verdicts in sorted(by_runtime.items()):
            effects = [v.effect for v in verdicts if v.effect is not None]
            typical = f"{100 * (np.exp(np.mean(np.log(effects))) - 1):.1f}" if effects else "-"
            seen = sum(v.verdict == "regressed" for v in verdicts) / len(verdicts)
            _row(variant, runtime, str(len(verdicts)), typical, f"{100 * seen:.1f}")
        if not by_runtime:
            _row(variant, "-", "0", "-", "-")


def _variants(run: RunObservation, asked: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield network and variant for each ``NETWORK=VARIANT``; the second may be a pattern."""
    networks = dict.fromkeys(found.cell.network for found in run.cells)
    for text in asked:
        network, _, pattern = text.partition("=")
        found = [name for name in networks if fnmatchcase(name, pattern)]
        yield from (
            (network, name) for name in sorted(found, key=lambda name: (len(name), name)) or [pattern]
        )


def _slower_pairs(run: RunObservation, network: str, variant: str) -> Iterator[Pair]:
    cells = {found.cell: found for found in run.cells}
    for cell, slower in cells.items():
        base = cells.get(replace(cell, network=network))
        if cell.network == variant and base is not None:
            # as a second arm of the same cell: the digests differ on purpose
            yield base, replace(slower, cell=replace(base.cell, repeat="aa slower"), digest=base.digest)


def _row(*cells: str) -> None:
    print("| " + " | ".join(cells) + " |")


if __name__ == "__main__":
    sys.exit(main())
