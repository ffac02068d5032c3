"""Builds measured side by side: the latency of each relative to the others of its block.

What all of them shared in a cycle is taken out (:mod:`harness.analysis.statistics.lockstep`); the level,
which that leaves open, is that of their medians, so that the latency is what a user sees.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from harness.analysis.statistics.lockstep import process_values, slice_table, slice_value
from harness.observations.records import BuildObservation, RunObservation

BlockKey = tuple[str, str, str]
"""Pool, host and name of a block."""

SETTLED = 0
"""Samples at the start of a recorded slice that are left out: the worker does not count its first ones."""


def with_block_latencies(run: RunObservation) -> RunObservation:
    """Return *run* with the latency in its block of each build that was measured side by side."""
    blocks: dict[BlockKey, list[BuildObservation]] = {}
    for build in (build for cell in run.cells for build in cell.builds):
        if build.block and build.status == "ok":
            blocks.setdefault(_key(build), []).append(build)
    if not blocks:
        return run
    latencies = dict(pair for builds in blocks.values() for pair in _latencies(builds))
    cells = tuple(
        replace(cell, builds=tuple(_placed(build, latencies) for build in cell.builds)) for cell in run.cells
    )
    return replace(run, cells=cells)


def _key(build: BuildObservation) -> BlockKey:
    return build.identity.pool, build.host, build.block


def _placed(build: BuildObservation, latencies: Mapping[int, Mapping[str, float]]) -> BuildObservation:
    return replace(build, in_block=latencies[id(build)]) if id(build) in latencies else build


def _latencies(builds: Sequence[BuildObservation]) -> Iterator[tuple[int, dict[str, float]]]:
    """Yield, for each of the *builds* of one block, its latencies by pass."""
    found: dict[int, dict[str, float]] = {id(build): {} for build in builds}
    for name in dict.fromkeys(name for build in builds for name in build.slices):
        members = [build for build in builds if build.slices.get(name)]
        for build, latency in zip(members, _pass_latencies(members, name), strict=True):
            if latency is not None:
                found[id(build)][name] = latency
    yield from found.items()


def _pass_latencies(builds: Sequence[BuildObservation], name: str) -> list[float | None]:
    """Return the latency in its block of each of *builds*, ms, in their order."""
    rows = [
        (number, one.cycle, slice_value(one.samples, SETTLED))
        for number, build in enumerate(builds)
        for one in build.slices[name]
    ]
    numbers, cycles, values = (np.asarray(column) for column in zip(*rows, strict=True))
    fitted = process_values(slice_table(numbers, cycles, values, len(builds)))
    medians = [build.median_of(name) for build in builds]
    levels = {
        int(component): _level(fitted.values, medians, np.flatnonzero(fitted.component == component))
        for component in np.unique(fitted.component)
    }
    return [
        None if math.isnan(value) else math.exp(value + levels[int(component)])
        for value, component in zip(fitted.values, fitted.component, strict=True)
    ]


def _level(values: Iterable[float], medians: Sequence[float | None], members: Iterable[int]) -> float:
    """Return what the logarithms of the medians of *members* have in common beyond their *values*."""
    relative = list(values)
    differences = [math.log(ms) - relative[i] for i in members if (ms := medians[i]) is not None]
    return float(np.median(differences)) if differences else 0.0
