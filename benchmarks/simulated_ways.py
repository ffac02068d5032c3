"""The whole way from slices to an interval on simulated blocks (no measurement)."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from simulated_blocks import (
    BUSY,
    GRAPH,
    GRAPH_10,
    QUIET,
    Generator,
    Scenario,
    Values,
    bound,
    row,
    samples,
    slices,
    slowness,
)

from harness.analysis.material import ALARM, LIMIT, SHOWN
from harness.analysis.statistics.components import build_table
from harness.analysis.statistics.differences import Difference, difference, mean_difference, set_aside
from harness.analysis.statistics.joining import between_anchors, join
from harness.analysis.statistics.lockstep import process_values
from harness.analysis.statistics.slow_builds import slow_builds
from harness.analysis.statistics.spreads import spread

SUMMARIES: dict[str, Callable[[Values], float]] = {
    "median": lambda x: float(np.median(x)),
    "lower quartile": lambda x: float(np.quantile(x, 0.25)),
    "least": lambda x: float(x.min()),
    "mean": lambda x: float(x.mean()),
}
CELLS, BUILDS, CYCLES = 4, 4, 40


def print_slices(draws: int, seed: int) -> None:
    """What a slice is summed up by, and slices drawn in or not: the spread of processes that are alike."""
    blocks = max(draws // 500, 3)
    clips = (None, 4.0, 2.0)
    print(f"{blocks} blocks of 12 processes and 40 cycles; half of them 10 % slower, samples of 6 ms.\n")
    heads = ["plain mean" if c is None else f"drawn in at {c:g}" for c in clips]
    row("samples held up", "slice", *(f"{h}: slower by, SD of a process, %" for h in heads))
    row(*["---"] * (2 + len(clips)))
    levels = np.repeat([0.0, np.log(1.1)], 6)
    for share in (0.0, 0.1, 0.3, 0.5):
        found: dict[tuple[str, float | None], list[tuple[float, float]]] = {}
        rng = np.random.default_rng([seed, 4, int(100 * share)])
        for _ in range(blocks):
            tables = _summed(rng, levels, share)
            for name, table in tables.items():
                for clip in clips:
                    values = process_values(table, () if clip is None else (clip,)).values
                    one = (float(values[6:].mean() - values[:6].mean()), float(values[6:].var(ddof=1)))
                    found.setdefault((name, clip), []).append(one)
        for name in SUMMARIES:
            means = [np.mean(found[name, clip], axis=0) for clip in clips]
            cells = [f"{100 * np.expm1(m[0]):.2f}, {100 * np.sqrt(m[1]):.2f}" for m in means]
            row(f"{100 * share:.0f} %, every second cycle", name, *cells)


def _summed(rng: Generator, levels: Values, share: float) -> dict[str, Values]:
    tables = {name: np.empty((CYCLES, levels.size)) for name in SUMMARIES}
    for cycle in range(CYCLES):
        common, held = 0.05 * rng.normal(), share * (cycle % 2)
        for process, level in enumerate(levels):
            taken = samples(rng, float(level) + common, 0.02, held)
            for name, summary in SUMMARIES.items():
                tables[name][cycle, process] = math.log(summary(taken))
    return tables


def print_ways(draws: int, seed: int) -> None:
    """Coverage and alarms of the whole way from slices, in each way of measuring."""
    blocks = max(draws // 10, 100)
    print(
        f"{blocks} blocks each of {CELLS} cells, {BUILDS} builds, {CYCLES} cycles; the block drifts by 2 %.\n"
    )
    row("scenario", "way", "coverage, % (±)", "alarms at 0, % (bound)", "half width, median %", "seen 5 %")
    row(*["---"] * 6)
    ways = {
        "all alive": whole,
        "workers die, others come late": torn,
        "two sub-blocks, anchor of 3": split,
        "one after the other, anchor between": alone,
        "two blocks, one gone on with": gone_on,
    }
    for of in (QUIET, BUSY, GRAPH, GRAPH_10):
        for name, way in ways.items():
            rng = np.random.default_rng([seed, 5, len(name)])
            found = [way(rng, of, 0.0) for _ in range(blocks)]
            held = np.mean([abs(float(x.estimate)) <= float(x.half_width(SHOWN)) for x in found])
            wrong = sum(abs(float(x.estimate)) - float(x.half_width(ALARM)) > LIMIT for x in found)
            half = 100 * float(np.median([x.half_width(SHOWN) for x in found]))
            shift = math.log(1.05)
            power = np.mean([float(x.estimate + shift - x.half_width(ALARM)) > LIMIT for x in found])
            wide = 196 * math.sqrt(held * (1 - held) / blocks)
            alarmed = f"{100 * wrong / blocks:.2f} ({bound(wrong, blocks):.2f})"
            row(of.name, name, f"{100 * held:.1f} ({wide:.1f})", alarmed, f"{half:.2f}", f"{100 * power:.1f}")


def _levels(rng: Generator, of: Scenario, processes: int = 1) -> Values:
    """Return the logarithms of all processes of a block, those of one build together."""
    shape = (CELLS, BUILDS)
    builds = (of.build or 0.0) * rng.normal(size=shape) + slowness(rng, of.slow, shape)
    return np.asarray(
        (builds[..., None] + of.process * rng.normal(size=(*shape, processes))).ravel(), dtype=np.float64
    )


def _over_builds(values: Values, joined: tuple[float, float] | None = None) -> Difference:
    core = set_aside(values, slow_builds(values))
    return difference(core, spread(core), 0, 1, joined)


def whole(rng: Generator, of: Scenario, _: float) -> Difference:
    """All processes alive: every slice is there."""
    found = process_values(slices(rng, _levels(rng, of), of, CYCLES))
    return _over_builds(found.values.reshape(CELLS, BUILDS))


def torn(rng: Generator, of: Scenario, _: float) -> Difference:
    """One process in eight dies on the way, one in four was started after a third of the cycles."""
    levels = _levels(rng, of)
    table = slices(rng, levels, of, CYCLES)
    for process in range(levels.size):
        if rng.random() < 1 / 8:
            table[rng.integers(2, CYCLES) :, process] = np.nan
        elif rng.random() < 1 / 4:
            table[: CYCLES // 3, process] = np.nan
    return _over_builds(process_values(table).values.reshape(CELLS, BUILDS))


def split(rng: Generator, of: Scenario, _: float) -> Difference:
    """Even cells in one sub-block and odd ones in another; one more build has three processes in each."""
    levels = _levels(rng, of)
    place = np.repeat(np.arange(CELLS) % 2, BUILDS)
    component = np.concatenate([place, [0] * 3, [1] * 3])
    build = np.concatenate([np.arange(levels.size), [levels.size] * 6])
    table = np.full((2 * CYCLES, component.size), np.nan)
    every = np.concatenate([levels, of.process * rng.normal(size=6)])
    for number in (0, 1):
        mine = component == number
        table[number * CYCLES : (number + 1) * CYCLES, mine] = slices(rng, every[mine], of, CYCLES)
    found = process_values(table)
    joined = join(found.values, found.component, build)
    anchors = spread(
        build_table(
            joined.values, [list(range(levels.size + 3 * i, levels.size + 3 * i + 3)) for i in (0, 1)]
        )
    )
    old, new = (int(found.component[i * BUILDS]) for i in (0, 1))
    error = joined.error([old], [new])
    assert error is not None
    values = joined.values[: levels.size].reshape(CELLS, BUILDS)
    return _over_builds(values, (error * float(anchors.pooled), float(anchors.pooled_degrees)))


def alone(rng: Generator, of: Scenario, _: float) -> Difference:
    """One process at a time in random order, an anchor before and after each, a drift of 2 % over all."""
    levels = _levels(rng, of)
    order = rng.permutation(levels.size)
    count = 2 * levels.size + 1
    own = np.empty(count)
    own[1::2] = levels[order]
    own[0::2] = of.process * rng.normal(size=levels.size + 1)
    drift = np.linspace(0, 0.02, count) + 0.002 * np.cumsum(rng.normal(size=count)) / math.sqrt(count)
    seen = own + drift + of.cycle / math.sqrt(CYCLES) * rng.normal(size=count)
    relative = between_anchors(seen, np.arange(count), np.arange(count) % 2 == 0)
    values = np.empty(levels.size)
    values[order] = relative[1::2]
    return _over_builds(values.reshape(CELLS, BUILDS))


def gone_on(rng: Generator, of: Scenario, _: float) -> Difference:
    """Two blocks that share no build, half of the builds of each cell in either."""
    levels = _levels(rng, of).reshape(CELLS, BUILDS)
    found = []
    for own in np.split(levels, 2, axis=1):
        values = process_values(slices(rng, own.ravel(), of, CYCLES)).values
        found.append(_over_builds(values.reshape(own.shape)))
    return mean_difference(found, [1.0, 1.0])
