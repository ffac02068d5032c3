"""Simulated blocks with known truth: what the statistics of lockstep are tried on before a measurement.

Nothing here is measured. The spreads are those that prototypes found on one 2-core machine (MobileNet v2 on
onnxruntime: processes spread by 1.2 % after 15 slices of 40 ms, by 0.8 % after 60, by 1.3 to 4.8 % with
neighbours after 30) and on one H200 (one engine as a graph 0.092 % after 32 slices, 0.067 % after 110; by own
launches 0.78 and 0.74 %; rebuilt 0.36 % without slow builds: two of twenty, 2.3 and 22.7 % slower). Slow
builds are drawn 2 to 25 % slower, log-uniformly.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Values = NDArray[np.float64]
Generator = np.random.Generator
SLOW = (0.02, 0.25)


@dataclass(frozen=True)
class Scenario:
    """How a machine scatters, as standard deviations of the logarithm.

    :param build: between builds, None where one engine each is compared and processes are repeated
    :param process: between processes of one engine; :param cycle: of one slice
    :param slow: share of slow builds; :param tail: Student's t degrees of the tails, None for normal ones
    :param material: what the policy calls material there
    """

    name: str
    build: float | None
    process: float
    cycle: float
    slow: float = 0.0
    tail: float | None = None
    material: float = 0.01


@dataclass(frozen=True)
class Size:
    """A block: *cells* with *builds* each, *processes* a build, *cycles* a process."""

    cells: int
    builds: int
    processes: int
    cycles: int

    @property
    def words(self) -> str:
        """The size for a table."""
        return f"{self.cells} x {self.builds} x {self.processes} x {self.cycles}"


QUIET = Scenario("CPU, quiet", 0.0, 0.006, 0.04)
BUSY = Scenario("CPU, neighbours", 0.0, 0.009, 0.065, tail=4.0)
BUSIER = Scenario("CPU, heavy neighbours", 0.0, 0.03, 0.20, tail=4.0)
GRAPH = Scenario("GPU graph, rebuilt", 0.0036, 0.00054, 0.0042)
GRAPH_5 = Scenario("GPU graph, rebuilt, 5 % slow", 0.0036, 0.00054, 0.0042, slow=0.05)
GRAPH_10 = Scenario("GPU graph, rebuilt, 10 % slow", 0.0036, 0.00054, 0.0042, slow=0.10)
LAUNCHES = Scenario("GPU own launches, rebuilt, 5 % slow", 0.0036, 0.0072, 0.0166, slow=0.05)
ONE_GRAPH = Scenario("GPU graph, one engine", None, 0.00054, 0.0042, material=0.002)
ONE_LAUNCHES = Scenario("GPU own launches, one engine", None, 0.0072, 0.0166, material=0.002)
SCENARIOS = (QUIET, BUSY, BUSIER, GRAPH, GRAPH_5, GRAPH_10, LAUNCHES, ONE_GRAPH, ONE_LAUNCHES)


def units(rng: Generator, of: Scenario, size: Size, draws: int, truth: float, wide: float = 1.0) -> Values:
    """Return the repetitions that are compared: builds, or processes of one engine each.

    :param truth: how much slower cell 1 is, on the logarithm; :param wide: how much more its builds scatter
    :return: logarithms, shape (draws, cells, repetitions)
    """
    if of.build is None:
        shape: tuple[int, ...] = (draws, size.cells, size.processes)
        values = of.process * _noise(rng, of, shape) + of.cycle / np.sqrt(size.cycles) * rng.normal(
            size=shape
        )
    else:
        shape = (draws, size.cells, size.builds)
        below = np.sqrt(of.cycle**2 / size.cycles / size.processes)
        values = of.build * rng.normal(size=shape) + below * rng.normal(size=shape)
        values += of.process / np.sqrt(size.processes) * _noise(rng, of, shape)
        values[:, 1] *= wide
        values += slowness(rng, of.slow, shape)
    values[:, 1] += truth
    return np.asarray(values, dtype=np.float64)


def slowness(rng: Generator, share: float, shape: tuple[int, ...]) -> Values:
    """Return how much slower each build is, on the logarithm: nothing for most of them."""
    sizes = np.exp(rng.uniform(np.log(SLOW[0]), np.log(SLOW[1]), shape))
    return np.asarray(np.where(rng.random(shape) < share, np.log1p(sizes), 0.0), dtype=np.float64)


def slices(
    rng: Generator, levels: Values, of: Scenario, cycles: int, drift: float = 0.02, wander: float = 0.5
) -> Values:
    """Return the table of slices of processes whose own logarithms are *levels*.

    The block drifts by *drift* from end to end and jumps from cycle to cycle by as much as a slice scatters;
    of the noise of a slice the part *wander* stays for 5 cycles.

    :return: shape (cycles, processes)
    """
    shared = np.linspace(0, drift, cycles) + of.cycle * rng.normal(size=cycles)
    steps = np.repeat(rng.normal(size=(-(-cycles // 5), levels.size)), 5, axis=0)[:cycles]
    own = np.sqrt(1 - wander**2) * rng.normal(size=(cycles, levels.size)) + wander * steps
    return np.asarray(levels + shared[:, None] + of.cycle * own, dtype=np.float64)


def samples(rng: Generator, level: float, noise: float, preempted: float, count: int = 6) -> Values:
    """Return the samples of one slice, ms, around 6 ms; the share *preempted* waits for 4 ms more."""
    values = 6 * np.exp(level + noise * rng.normal(size=count))
    values += np.where(rng.random(count) < preempted, rng.exponential(4.0, count), 0.0)
    return np.asarray(values, dtype=np.float64)


def bound(count: int, draws: int) -> float:
    """Return the 95 % upper bound of a share (Clopper and Pearson), %."""
    return 100 * float(stats.beta.ppf(0.95, count + 1, draws - count))


def row(*cells: str) -> None:
    """Print a row of a table."""
    print("| " + " | ".join(cells) + " |")


def _noise(rng: Generator, of: Scenario, shape: tuple[int, ...]) -> Values:
    if of.tail is None:
        return np.asarray(rng.normal(size=shape), dtype=np.float64)
    return np.asarray(rng.standard_t(of.tail, shape) / np.sqrt(of.tail / (of.tail - 2)), dtype=np.float64)
