"""Adaptive stopping on simulated pairs of cells (no measurement): what it spends, and how right it is."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

import numpy as np
from simulated_blocks import GRAPH, GRAPH_10, LAUNCHES, QUIET, Generator, Scenario, Values, row, slowness

from harness.analysis.material import ALARM, LIMIT, SHOWN
from harness.analysis.statistics.components import Components, Repetitions
from harness.analysis.statistics.differences import Difference, difference, set_aside
from harness.analysis.statistics.slow_builds import slow_builds
from harness.analysis.statistics.spending import DEGREES, FIRST, Costs, Situation, next_step
from harness.analysis.statistics.spreads import spread


@dataclass
class Growing:
    """A pair of cells that is repeated as the rule says; all randomness is drawn when it is needed."""

    rng: Generator
    of: Scenario
    truth: float
    processes: int
    builds: int = FIRST
    cycles: int = 20
    levels: Values = field(init=False)
    noise: Values = field(init=False)
    own: Values = field(init=False)

    def __post_init__(self) -> None:
        shape = (2, 60)
        of = self.of
        self.levels = (of.build or 0.0) * self.rng.normal(size=shape) + slowness(self.rng, of.slow, shape)
        self.levels[1] += self.truth
        self.own = of.process * self.rng.normal(size=(*shape, 60))
        self.noise = of.cycle / math.sqrt(self.cycles) * self.rng.normal(size=(*shape, 60))

    def more_cycles(self, count: int) -> None:
        """Measure *count* more cycles of every process."""
        late = self.of.cycle / math.sqrt(count) * self.rng.normal(size=self.noise.shape)
        self.noise = (self.cycles * self.noise + count * late) / (self.cycles + count)
        self.cycles += count

    def found(self) -> tuple[Difference, Components]:
        """Return the difference as it is, and the components that are seen."""
        processes = (self.own + self.noise)[:, : self.builds, : self.processes] + self.levels[
            :, : self.builds, None
        ]
        values = processes.mean(axis=2)
        core = set_aside(values, slow_builds(values))
        seen = spread(core)
        of_cycles = self.of.cycle**2
        between = of_cycles / self.cycles
        if self.processes > 1:
            between = float(spread(processes.reshape(-1, self.processes)).pooled)
        process = max(between - of_cycles / self.cycles, 0.0)
        build = max(float(np.mean(seen.variance)) - between / self.processes, 0.0)
        return difference(core, seen, 0, 1), Components(build, process, of_cycles)


STOPPING = (
    (QUIET, 1, Costs(build=3.0, process=3.0, cycle=0.04)),
    (QUIET, 2, Costs(build=3.0, process=3.0, cycle=0.04)),
    (GRAPH, 2, Costs(build=60.0, process=8.0, cycle=0.025)),
    (GRAPH_10, 2, Costs(build=60.0, process=8.0, cycle=0.025)),
)

SCATTERED = replace(LAUNCHES, name="GPU own launches, processes far apart", process=0.02)
WAYS = (
    (LAUNCHES, Costs(build=60.0, process=8.0, cycle=0.025), (0.01, 0.006)),
    (LAUNCHES, Costs(build=20.0, process=8.0, cycle=0.025), (0.01,)),
    (SCATTERED, Costs(build=60.0, process=8.0, cycle=0.025), (0.01,)),
)
"""Where engines are kept, so that one more process of each is a step of its own, and the widths asked for."""


def print_processes(draws: int, seed: int) -> None:
    """Stopping with and without more processes among the steps: coverage, alarms, and what it spends."""
    blocks = max(draws // 10, 100)
    print(f"{blocks} pairs each; 3 builds a side of 2 processes, 40 cycles at first; at most 30 minutes.\n")
    row(
        "scenario",
        "a build, a process, s",
        "half width asked, %",
        "steps",
        "coverage, % (±)",
        "alarms at 0 and at m, %",
        "half width, median and 95th centile, %",
        "builds, processes, cycles: mean",
        "seconds, median",
        "as narrow as asked, %",
    )
    row(*["---"] * 10)
    for of, costs, precisions in WAYS:
        for precision in precisions:
            for name, process in (("builds, cycles", math.inf), ("processes too", costs.process)):
                rng = np.random.default_rng([seed, 7, int(1e4 * precision)])
                priced = replace(costs, process=process)
                runs = [
                    grow(Growing(rng, of, truth, 2, cycles=40), priced, precision, DEGREES)
                    for truth in (0.0, LIMIT)
                    for _ in range(blocks)
                ]
                narrow = np.mean([float(x.half_width(SHOWN)) <= math.log1p(precision) for _, x, _ in runs])
                row(
                    of.name,
                    f"{costs.build:g}, {costs.process:g}",
                    f"{100 * precision:g}",
                    name,
                    *_stopped(runs, blocks),
                    f"{100 * narrow:.0f}",
                )


def print_stopping(draws: int, seed: int) -> None:
    """Adaptive stopping at a half width of 1 %: coverage, alarms, and what it spends."""
    blocks = max(draws // 10, 100)
    print(f"{blocks} pairs each; 3 builds a side, 20 cycles at first; at most 30 minutes.\n")
    heads = ("coverage, % (±)", "alarms at 0 and at m, %", "half width, median and 95th centile, %")
    row(
        "scenario",
        "half width asked, %",
        "degrees asked",
        *heads,
        "builds, processes, cycles: mean",
        "seconds, median",
    )
    row(*["---"] * 8)
    for of, processes, costs in STOPPING:
        for precision, degrees in ((0.01, 0.0), (0.01, DEGREES), (0.006, DEGREES)):
            rng = np.random.default_rng([seed, 6, int(1e4 * precision)])
            runs = [
                grow(Growing(rng, of, truth, processes), costs, precision, degrees)
                for truth in (0.0, LIMIT)
                for _ in range(blocks)
            ]
            row(
                f"{of.name}, {processes} a build",
                f"{100 * precision:g}",
                f"{degrees:g}",
                *_stopped(runs, blocks),
            )


def _stopped(runs: list[tuple[Growing, Difference, float]], blocks: int) -> list[str]:
    off = np.array([float(x.estimate) - grown.truth for grown, x, _ in runs])
    half = np.array([float(x.half_width(SHOWN)) for _, x, _ in runs])
    alarm = np.array([abs(float(x.estimate)) - float(x.half_width(ALARM)) > LIMIT for _, x, _ in runs])
    held = float(np.mean(np.abs(off) <= half))
    size = np.mean([(g.builds, g.processes, g.cycles) for g, _, _ in runs], axis=0)
    return [
        f"{100 * held:.1f} ({196 * math.sqrt(held * (1 - held) / len(runs)):.1f})",
        f"{100 * alarm[:blocks].mean():.2f}, {100 * alarm[blocks:].mean():.2f}",
        f"{100 * np.median(half):.2f}, {100 * np.quantile(half, 0.95):.2f}",
        f"{size[0]:.1f}, {size[1]:.1f}, {size[2]:.0f}",
        f"{np.median([spent for _, _, spent in runs]):.0f}",
    ]


def grow(
    pair: Growing, costs: Costs, precision: float, degrees: float, budget: float = 1800.0
) -> tuple[Growing, Difference, float]:
    """Spend on *pair* until its interval is narrow enough or the budget is gone."""
    left = budget
    while True:
        found, parts = pair.found()
        side = Repetitions(pair.builds, pair.processes, pair.cycles)
        step = next_step(
            Situation(parts, side, side, float(found.degrees)), precision, costs, left, degrees=degrees
        )
        if step is None or pair.builds + step.builds > 60 or pair.processes + step.processes > 60:
            return pair, found, budget - left
        pair.builds += step.builds
        pair.processes += step.processes
        if step.cycles:
            pair.more_cycles(step.cycles)
        left -= step.seconds
