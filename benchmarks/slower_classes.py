"""What is seen of a class of convolutions that takes more of the layer time, in measured A/A pairs.

The class's own time in each build of the second arm is multiplied, so that what it scatters grows with it;
its median share grows by so much of the total. The judgement is the code in force.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import stats
from simulated_blocks import row

from harness.analysis.device import group_with_peaks, host_peaks
from harness.analysis.grid import grid_of
from harness.analysis.judge import judge
from harness.analysis.material import ALARM, MATERIAL
from harness.analysis.rules.base import Cost, Rule
from harness.analysis.verdict import SIDE_BY_SIDE, Verdict
from harness.observations.records import BuildObservation, RunObservation

CLASSES = ("pointwise", "depthwise")
GROWN = (0.02, 0.03, 0.05, 0.1)
POWER = 0.9
MOST = 200  # builds a side that are looked at

Key = tuple[str, str, str]
"""Rule, runtime and network."""


@dataclass(frozen=True)
class SlowerClass(Rule):
    """A rule by which the second arm's builds cost *grown* of the layer time more.

    :param shares: of the class in the layer time, by runtime and network's name; :param places: the second
        arm's folders, each with its runtime and network
    """

    inner: Rule
    grown: float
    shares: Mapping[tuple[str, str], float]
    places: Mapping[object, tuple[str, str]]

    @property
    def name(self) -> str:
        """That of the rule itself."""
        return self.inner.name

    @property
    def title(self) -> str:
        """That of the rule itself."""
        return self.inner.title

    def cost(self, build: BuildObservation) -> Cost | None:
        """Return the cost in *build*, larger in the second arm."""
        found, place = self.inner.cost(build), self.places.get(build.folder)
        if found is None or place is None or build.engine is None:
            return found
        more = self.grown / self.shares[place] * float(str(found.evidence["time_ms"]))
        signed = found.milliseconds if found.signed is None else found.signed
        share = None if found.share is None else found.share + more / build.engine.total_ms
        return replace(found, milliseconds=found.milliseconds + more, share=share, signed=signed + more)


def print_classes(runs: Sequence[RunObservation], rules: Mapping[str, Rule]) -> None:
    """Print how far the cost of a class scatters, what is seen of it, and the builds that 3 % would take."""
    shares, spreads = class_shares(runs, rules)
    seen: dict[Key, dict[float, list[bool]]] = defaultdict(lambda: defaultdict(list))
    for grown in GROWN:
        for run in runs:
            for verdict in _verdicts(run, rules, shares, grown):
                seen[_key(verdict)][grown].append(verdict.verdict == "regressed")
    heads = [f"{100 * grown:g} % seen, %" for grown in GROWN]
    row("class", "runtime", "network", "share, %", "spread over builds, %", "pairs", *heads, "builds for 3 %")
    row(*["---"] * (7 + len(GROWN)))
    for key, found in sorted(seen.items()):
        spread = float(np.sqrt(np.mean(spreads[key])))
        counts = [f"{100 * np.mean(found[grown]):.0f}" for grown in GROWN]
        pairs = str(len(found[GROWN[0]]))
        needed = builds_for(0.03, spread)
        row(
            *key,
            f"{100 * shares[key]:.0f}",
            f"{100 * spread:.2f}",
            pairs,
            *counts,
            str(needed or f"> {MOST}"),
        )
    print()


def class_shares(
    runs: Sequence[RunObservation], rules: Mapping[str, Rule]
) -> tuple[dict[Key, float], dict[Key, list[float]]]:
    """Return the median share of each class in the layer time, and the variances of its cost over builds.

    A variance is of the cost as a share of the mean layer time of its cell, one a cell and run.
    """
    shares: dict[Key, list[float]] = defaultdict(list)
    spreads: dict[Key, list[float]] = defaultdict(list)
    for run in runs:
        peaks = host_peaks([run])
        for group in grid_of(run).judged:
            for name in CLASSES:
                series = group_with_peaks(group, peaks).series(rules[name])
                if len(series.signed) < 2:
                    continue
                key = (name, group.cell.runtime, _network(group.cell.network))
                shares[key] += [float(str(one["time_share"])) for one in series.evidence]
                spreads[key].append(float(np.var(np.array(series.signed) / np.mean(series.totals), ddof=1)))
    return {key: float(np.median(found)) for key, found in shares.items()}, spreads


def builds_for(grown: float, spread: float) -> int | None:
    """Return the builds a side that show *grown* of the layer time in nine of ten pairs, None beyond MOST.

    :param spread: standard deviation of the cost over builds, of the layer time; two versions know it
    """
    for builds in range(2, MOST + 1):
        degrees, error = 2 * (builds - 1), spread * np.sqrt(2 / builds)
        limit = stats.t.ppf(0.5 + ALARM / 2, degrees)
        if stats.nct.sf(limit, degrees, (grown - MATERIAL) / error) >= POWER:
            return builds
    return None


def _verdicts(
    run: RunObservation, rules: Mapping[str, Rule], shares: Mapping[Key, float], grown: float
) -> list[Verdict]:
    arms = [found for found in run.cells if found.cell.repeat.startswith("aa")]
    places = {
        build.folder: (found.cell.runtime, _network(found.cell.network))
        for found in arms
        for build in found.builds
    }
    of = {
        name: SlowerClass(
            rules[name], grown, {key[1:]: share for key, share in shares.items() if key[0] == name}, places
        )
        for name in CLASSES
    }
    return [
        verdict
        for verdict in judge(grid_of(run), rules=of)
        if verdict.kind == "aa" and verdict.measured == SIDE_BY_SIDE and verdict.bottleneck in CLASSES
    ]


def _key(verdict: Verdict) -> Key:
    return verdict.bottleneck, verdict.runtime, _network(verdict.network)


def _network(name: str) -> str:
    """Return the network of a pair that ``pair_arms.py`` has numbered."""
    return name.partition(" pair ")[0]
