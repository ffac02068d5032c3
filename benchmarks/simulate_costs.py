"""Which way of taking out what builds share in a round of the profile narrows a bottleneck's cost most.

    python benchmarks/simulate_costs.py [--draws 300] [--measured RUN...]

Simulated: builds of one version, profiled in rounds, each build once a round. Printed is the spread of d (the
cost of a class over the mean layer time of all builds) over builds, in %, for each way. With ``--measured``
the same is read from runs, of each cell of which all builds must be of one block.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.random import Generator

from benchmarks.simulated_blocks import row
from harness.analysis.profile_rounds import common_of
from harness.analysis.statistics.levels import Values
from harness.analysis.statistics.lockstep import process_values

SHARE = 0.75
LAYERS = 50
BUILDS = 6


@dataclass(frozen=True)
class Moment:
    """What a machine does to times of layers; spreads are of the logarithm.

    :param common: what all builds share in a round; :param own: what a build has of a round for itself
    :param inference: of one inference; :param layer: of one layer in one inference
    :param preempted: interruptions a ms; :param away: their length, ms
    """

    name: str
    common: float
    own: float
    inference: float
    layer: float
    preempted: float = 0.0
    away: float = 4.0


MOMENTS = (
    Moment("quiet", 0.01, 0.005, 0.005, 0.02),
    Moment("clocks drift", 0.10, 0.005, 0.01, 0.02),
    Moment("neighbours", 0.05, 0.03, 0.05, 0.10, 0.05),
    Moment("heavy neighbours", 0.15, 0.12, 0.15, 0.20, 0.15),
)

Way = Callable[[list[Values]], Values]
"""From one array a build, of shape (rounds, inferences, layers), ms, NaN for a round that a build has not, to
the times of its layers, shape (builds, layers), ms."""


def medians(builds: list[Values]) -> Values:
    """Return the median of each layer over all inferences."""
    return np.stack([np.nanmedian(one, axis=(0, 1)) for one in builds])


def quartiles(builds: list[Values]) -> Values:
    """Return the lower quartile of each layer over all inferences."""
    return np.stack([np.nanquantile(one, 0.25, axis=(0, 1)) for one in builds])


def totals(builds: list[Values]) -> Values:
    """Return the sum over layers of their medians in each round, shape (rounds, builds)."""
    return np.stack([np.median(one, axis=1).sum(axis=-1) for one in builds], axis=1)


def lowest(builds: list[Values]) -> Values:
    """Return the sum over layers of their lower quartiles in each round, shape (rounds, builds)."""
    return np.stack([np.quantile(one, 0.25, axis=1).sum(axis=-1) for one in builds], axis=1)


def inferences(builds: list[Values]) -> Values:
    """Return the median inference of each round, shape (rounds, builds)."""
    return np.stack([np.median(one.sum(axis=-1), axis=1) for one in builds], axis=1)


def scaled(of: Callable[[list[Values]], Values]) -> Way:
    """Return the way that scales a build's shares to its total relative to the others of its rounds."""

    def way(builds: list[Values]) -> Values:
        found, shares = process_values(np.log(of(builds))), medians(builds)
        shares = shares / shares.sum(axis=1, keepdims=True)
        times: Values = shares * np.exp(found.values + np.nanmedian(found.common))[:, None]
        return times

    return way


def divided(of: Callable[[list[Values]], Values]) -> Way:
    """Return the way that takes what a round has in common out of each sample, and then medians."""

    def way(builds: list[Values]) -> Values:
        common = process_values(np.log(of(builds))).common
        factor = np.exp(common - np.nanmedian(common))[:, None, None]
        return medians([one / factor for one in builds])

    return way


def levelled(of: Callable[[list[Values]], Values]) -> Way:
    """Return the way that keeps a build's shares and takes its total from :func:`divided`."""

    def way(builds: list[Values]) -> Values:
        plain = medians(builds)
        level = divided(of)(builds).sum(axis=1) / plain.sum(axis=1)
        times: Values = plain * level[:, None]
        return times

    return way


def by_layers(builds: list[Values]) -> Values:
    """Return what is wired: samples without the common part of their round, and then medians."""
    factor = np.exp(common_of(builds))[:, None, None]
    return medians([one / factor for one in builds])


WAYS: Mapping[str, Way] = {
    "medians over all": medians,
    "lower quartiles over all": quartiles,
    "shares x centred total of medians": scaled(totals),
    "shares x centred total of quartiles": scaled(lowest),
    "shares x centred median inference": scaled(inferences),
    "round divided out by medians": divided(totals),
    "round divided out by quartiles": divided(lowest),
    "shares x total with the round divided out": levelled(lowest),
    "round divided out by inference": divided(inferences),
    "round divided out by ratios of layers": by_layers,
}


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--draws", type=int, default=300)
    parser.add_argument("--seed", type=int, default=20261128)
    parser.add_argument("--measured", nargs="*", type=Path, default=[])
    arguments = parser.parse_args()
    if arguments.measured:
        print_measured(arguments.measured)
        return
    for title, rounds, per, lost in (
        ("5 rounds of 4", 5, 4, 0),
        ("20 rounds of 1", 20, 1, 0),
        ("20 rounds of 3", 20, 3, 0),
        ("5 rounds of 4, half of the builds without the last two", 5, 4, 2),
    ):
        print(f"\n{title}: spread of d over builds, %\n")
        row("way", *(moment.name for moment in MOMENTS))
        row(*["---"] * (1 + len(MOMENTS)))
        found = [_spreads(m, rounds, per, lost, arguments.draws, arguments.seed) for m in MOMENTS]
        for name in WAYS:
            row(name, *(f"{100 * spreads[name]:.2f}" for spreads in found))


def _spreads(moment: Moment, rounds: int, per: int, lost: int, draws: int, seed: int) -> dict[str, float]:
    rng = np.random.default_rng([seed, rounds, per, lost])
    squares = dict.fromkeys(WAYS, 0.0)
    for _ in range(draws):
        builds = _drawn(rng, moment, rounds, per)
        for one in builds[::2] if lost else ():
            one[rounds - lost :] = np.nan
        for name, way in WAYS.items():
            squares[name] += float(_d(way(builds)).var(ddof=1))
    return {name: float(np.sqrt(total / draws)) for name, total in squares.items()}


def _drawn(rng: Generator, of: Moment, rounds: int, per: int) -> list[Values]:
    layers = np.exp(rng.normal(size=LAYERS))
    layers *= 10.0 / layers.sum()
    shape = (BUILDS, rounds, per, LAYERS)
    log = of.common * rng.normal(size=(1, rounds, 1, 1)) + of.own * rng.normal(size=(BUILDS, rounds, 1, 1))
    log = log + of.inference * np.abs(rng.normal(size=(*shape[:3], 1)))
    times = layers * np.exp(log + of.layer * np.abs(rng.normal(size=shape)))
    hits = rng.poisson(of.preempted * times)
    return list(times + hits * of.away * rng.exponential(size=shape))


def _d(times: Values) -> Values:
    """Return the cost of a class that has :data:`SHARE` of the layers, over the mean layer time."""
    mine: Values = times[:, : round(SHARE * times.shape[1])].sum(axis=1) / times.sum(axis=1).mean()
    return mine


def print_measured(runs: list[Path]) -> None:
    """Print the spreads of the classes of *runs*, cell by cell."""
    from harness.plugins.reading import observe

    for path in runs:
        for seen in observe([path]).cells:
            good = [b for b in seen.good if b.engine is not None and b.evidence is not None]
            good = [b for b in good if b.evidence is not None and b.evidence.profile is not None]
            if len(good) < 3:
                continue
            builds = [_by_round(b.evidence) for b in good]
            engine = good[0].engine
            assert engine is not None
            classes = np.array([str(layer.op_class) for layer in engine.layers])
            print(f"\n{path.name}: {seen.cell.id}, {len(good)} builds, {builds[0].shape[:2]} inferences\n")
            row("way", "layer time, %", "pointwise, %", "depthwise, %")
            row(*["---"] * 4)
            for name, way in WAYS.items():
                times = way(builds)
                total = times.sum(axis=1)
                of = [times[:, classes == kind].sum(axis=1) for kind in ("pointwise", "depthwise")]
                cells = [100 * float(np.std(x, ddof=1)) / total.mean() for x in (total, *of)]
                row(name, *(f"{cell:.2f}" for cell in cells))


def _by_round(evidence: object) -> Values:
    """Return the samples of a build by round, shape (rounds, inferences, layers), ms."""
    from harness.evidence.records import Evidence

    assert isinstance(evidence, Evidence)
    assert evidence.profile is not None
    sizes = [len(one.inference_ms) for one in evidence.profile.rounds]
    samples = np.array([time.samples_ms for time in evidence.times]).T
    least = min(sizes)
    starts = np.cumsum([0, *sizes[:-1]])
    return np.stack([samples[start : start + least] for start in starts])


if __name__ == "__main__":
    main()
