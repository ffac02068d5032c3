"""Variance components: how much of an interval's width each level of repetition is answerable for.

build > process > cycle. From the spreads that were seen, each less what the levels below put into it.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec
import numpy as np

from harness.analysis.statistics.levels import Values
from harness.analysis.statistics.lockstep import ProcessValues
from harness.analysis.statistics.spreads import spread


class Repetitions(NamedTuple):
    """How often one side is repeated.

    :param builds: engines built; :param processes: processes a build; :param cycles: slices a process
    """

    builds: int
    processes: int = 1
    cycles: int = 1


class Components(msgspec.Struct, frozen=True):
    """Variances of the logarithm (or of shares), each of its level alone.

    :param build: between builds; None where the question is about one engine
    :param process: between processes of one engine
    :param cycle: of one slice, as far as it does not belong to the whole cycle
    """

    build: float | None
    process: float
    cycle: float

    def variance(self, of: Repetitions) -> float:
        """Return the variance of the mean of a side that is repeated so often."""
        processes = of.builds * of.processes
        return (
            (self.build or 0.0) / of.builds + self.process / processes + self.cycle / (processes * of.cycles)
        )


def build_table(values: Values, builds: list[list[int]]) -> Values:
    """Return process values by build, shape (builds, most processes of one), NaN where a build has fewer.

    :param values: one a process; :param builds: the processes of each build
    """
    found = np.full((len(builds), max((len(mine) for mine in builds), default=0)), np.nan)
    for row, mine in enumerate(builds):
        found[row, : len(mine)] = values[mine]
    return found


def components(found: ProcessValues, builds: list[list[int]], build_variance: float | None) -> Components:
    """Return the components of a block.

    :param builds: the processes of each build, as columns of the block's table of slices
    :param build_variance: pooled variance of the builds' values as it was seen (:attr:`Spread.pooled`), None
        where the question is about one engine each
    """
    counts = found.cycles[found.cycles > 0]
    cycles = float(1.0 / np.mean(1.0 / counts)) if counts.size else 1.0
    between = float(spread(build_table(found.values, builds)).pooled)
    seen = between if np.isfinite(between) else found.cycle_variance / cycles
    process = max(seen - found.cycle_variance / cycles, 0.0)
    build = None
    if build_variance is not None:
        processes = float(np.mean([max(len(mine), 1) for mine in builds]))
        build = max(build_variance - (process + found.cycle_variance / cycles) / processes, 0.0)
    return Components(build, process, found.cycle_variance)
