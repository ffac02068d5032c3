"""Simulated years of nightly series with known truth: what varies between nights, and steps that are real.

Nothing here is measured on a machine. Spreads are of the logarithm; the scatter of nights is drawn for each
series, since a CUDA graph on a GPU repeats to a few tenths of a percent and a shared CPU to two percent.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from harness.analysis.statistics.levels import Values

NIGHTS = 365


@dataclass(frozen=True)
class Year:
    """What a year of nights does to one series.

    :param scatter: median over series of the standard deviation of a night; :param unlike: how far series lie
        apart in it, standard deviation of its logarithm
    :param weekly: how much faster Saturdays and Sundays are; :param drift: of the whole year, either way
    :param busy: share of nights on which a spell of neighbours begins; :param spell: its nights, at most
    :param slower: what such a night adds, at most
    :param missing: share of nights that are not measured; :param gap: length of the one long gap
    """

    scatter: float = 0.005
    unlike: float = 0.5
    weekly: float = 0.003
    drift: float = 0.005
    busy: float = 0.02
    spell: int = 2
    slower: float = 0.15
    missing: float = 0.04
    gap: int = 7


@dataclass(frozen=True)
class Simulated:
    """One series. :param values: logarithms, one a measured night; :param step: its first night, or None"""

    values: Values
    step: int | None
    scatter: float


def one_series(random: Generator, year: Year, step: float = 0.0) -> Simulated:
    """Return one series of a year. :param step: relative, 0 for none; up or down by chance"""
    scatter = year.scatter * float(np.exp(random.normal(0.0, year.unlike)))
    days = np.arange(NIGHTS)
    values = random.normal(0.0, scatter, NIGHTS)
    values -= year.weekly * np.isin(days % 7, (5, 6))
    values += year.drift * random.choice((-1.0, 0.0, 1.0)) * days / NIGHTS
    for day in np.flatnonzero(random.random(NIGHTS) < year.busy):
        length = int(random.integers(1, year.spell + 1))
        values[day : day + length] += np.log1p(random.uniform(0.02, year.slower))
    at = int(random.integers(60, NIGHTS - 60))
    values[at:] += np.log1p(step * float(random.choice((-1.0, 1.0)))) if step else 0.0
    there = random.random(NIGHTS) >= year.missing
    begin = int(random.integers(0, NIGHTS - year.gap))
    there[begin : begin + year.gap] = False
    return Simulated(values[there], int(there[:at].sum()) if step else None, scatter)


def years(seed: int, count: int, step: float = 0.0, year: Year | None = None) -> list[Simulated]:
    """Return *count* series, the same ones for the same *seed*."""
    random = np.random.default_rng(seed)
    return [one_series(random, year or Year(), step) for _ in range(count)]
