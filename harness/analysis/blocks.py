"""Builds measured side by side: the levels of each block, read once a run, and the latency of its builds.

What all of them shared in a cycle is taken out (:mod:`harness.analysis.statistics.lockstep`); the level,
which that leaves open, is that of their medians, so that the latency is what a user sees.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from harness.analysis.groups import BuildGroup, counts
from harness.analysis.profile_rounds import centred
from harness.analysis.statistics.block import Block, block_of_slices, kinds_of
from harness.analysis.statistics.differences import Difference
from harness.analysis.statistics.lockstep import SETTLED, slice_value
from harness.analysis.table import MINIMUM_BUILDS
from harness.attribution.engine import AttributedEngine
from harness.matrix.cell import Cell
from harness.observations.identity import Group
from harness.observations.records import BuildObservation, RunObservation

BlockKey = tuple[str, str, str]
"""Pool, host and name of a block."""

CellKey = tuple[Cell, Group]
"""What the builds of a block have to share to be repetitions of each other."""


@dataclass(frozen=True)
class BlockPass:
    """One pass of one block.

    :param levels: slices, processes and builds on one scale
    :param cells: place of each cell in ``levels.members``
    :param slice_seconds: inference time of a slice, mean over all
    """

    levels: Block
    cells: Mapping[CellKey, int]
    slice_seconds: float

    def count(self, cell: int) -> int:
        """Return how many builds of the cell at that place have a value."""
        return int(np.isfinite(self.levels.by_cell[cell]).sum())


@dataclass(frozen=True)
class SharedPass:
    """Two groups of builds in one pass of one block: where they stand in it, how many builds are there.

    :param name: of the block
    :param others: the same of further blocks that say something of both (a run that was gone on with)
    """

    name: str
    levels: Block
    old: int
    new: int
    builds: tuple[int, int]
    slice_seconds: float
    others: tuple[SharedPass, ...] = ()

    @cached_property
    def difference(self) -> Difference | None:
        """New minus old in this block, None where it does not say how sure that is."""
        found = self.levels.cells(self.old, self.new)
        return found if found is not None and np.isfinite(found.variance) else None

    @property
    def in_all(self) -> tuple[int, int]:
        """Builds of either side in all of these blocks."""
        every = (self, *self.others)
        return sum(one.builds[0] for one in every), sum(one.builds[1] for one in every)


@dataclass(frozen=True)
class Blocks:
    """The blocks of a run, by key; none where nothing was measured side by side.

    :param passes: each by its name; :param seconds: what a build took, its share of the block's whole time
    """

    passes: Mapping[BlockKey, Mapping[str, BlockPass]] = field(default_factory=dict)
    seconds: Mapping[BlockKey, float] = field(default_factory=dict)

    def shared(self, old: BuildGroup, new: BuildGroup) -> SharedPass | None:
        """Return the block that *old* and *new* were measured in side by side, None where there is none.

        Of several (a run that was gone on with) the one with the most builds of the side that has fewer, with
        the others that have an answer: a side of one build may be a slow one, and nothing tells. None also
        where builds outside of them would say more: fewer than two of a side are in them.
        """
        most = sorted(self._both(old, new), key=lambda one: (min(one.builds), sum(one.builds)), reverse=True)
        if len(most) > 1:
            most = [
                one for one in most if min(one.builds) >= MINIMUM_BUILDS and one.difference is not None
            ] or most[:1]
        if not most:
            return None
        found = replace(most[0], others=tuple(most[1:]))
        return found if self._says_more(found, old, new) else None

    def one_a_side(self, old: BuildGroup, new: BuildGroup) -> bool:
        """Say whether all builds of both were measured in blocks that hold one of either."""
        sides = [one.builds for one in self._both(old, new)]
        return set(sides) == {(1, 1)} and len(sides) == len(old.builds) == len(new.builds)

    def seconds_of(self, build: BuildObservation) -> float | None:
        """Return what *build* took with everything, None where that is not known."""
        if (shared := self.seconds.get(key_of(build))) is not None:
            return shared
        started, ended = build.identity.started, build.identity.ended
        return None if started is None or ended is None else (ended - started).total_seconds()

    def _both(self, old: BuildGroup, new: BuildGroup) -> Iterator[SharedPass]:
        keys = [(group.cell, group.builds[0].identity.group) for group in (old, new) if group.builds]
        if len(keys) < 2:
            return
        for (_, _, name), passes in self.passes.items():
            found = passes.get(new.builds[0].latency_pass)
            if found is None or any(key not in found.cells for key in keys):
                continue
            one, other = (found.cells[key] for key in keys)
            sides = found.count(one), found.count(other)
            if min(sides):
                yield SharedPass(name, found.levels, one, other, sides, found.slice_seconds)

    @staticmethod
    def _says_more(one: SharedPass, old: BuildGroup, new: BuildGroup) -> bool:
        return min(one.in_all) >= MINIMUM_BUILDS or one.in_all == (len(old.builds), len(new.builds))


def with_blocks(run: RunObservation) -> tuple[RunObservation, Blocks]:
    """Return *run*, latency and layer times of builds of a block relative to it, and the blocks."""
    blocks: dict[BlockKey, list[tuple[Cell, BuildObservation]]] = {}
    for cell, build in ((seen.cell, build) for seen in run.cells for build in seen.builds):
        if build.block and build.status == "ok":
            blocks.setdefault(key_of(build), []).append((cell, build))
    if not blocks:
        return run, Blocks()
    read = {key: _read(builds) for key, builds in blocks.items()}
    latencies: dict[int, dict[str, float]] = {}
    for key, builds in blocks.items():
        for name, found in read[key].items():
            for build, ms in _latencies(builds, name, found):
                latencies.setdefault(id(build), {})[name] = ms
    engines: dict[int, AttributedEngine] = {}
    for builds in blocks.values():
        engines.update(centred([build for _, build in builds]))
    cells = tuple(
        replace(
            seen,
            builds=tuple(
                replace(b, in_block=latencies.get(id(b), b.in_block), engine=engines.get(id(b), b.engine))
                for b in seen.builds
            ),
        )
        for seen in run.cells
    )
    took = {key: _seconds(builds) for key, builds in blocks.items()}
    return replace(run, cells=cells), Blocks(read, {key: s for key, s in took.items() if s is not None})


def key_of(build: BuildObservation) -> BlockKey:
    """Return the key of the block that *build* was measured in."""
    return build.identity.pool, build.host, build.block


def _seconds(builds: Sequence[tuple[Cell, BuildObservation]]) -> float | None:
    started = [b.identity.started for _, b in builds if b.identity.started is not None]
    ended = [b.identity.ended for _, b in builds if b.identity.ended is not None]
    return (max(ended) - min(started)).total_seconds() / len(builds) if started and ended else None


def _read(builds: Sequence[tuple[Cell, BuildObservation]]) -> dict[str, BlockPass]:
    names = dict.fromkeys(name for _, build in builds for name, slices in build.slices.items() if slices)
    return {name: _read_pass([(c, b) for c, b in builds if b.slices.get(name)], name) for name in names}


def _read_pass(builds: Sequence[tuple[Cell, BuildObservation]], name: str) -> BlockPass:
    members: dict[CellKey, list[int]] = {}
    for number, (cell, build) in enumerate(builds):
        # One whose outputs are wrong, say, took its turns and is no repetition of those that are compared.
        if counts(build):
            members.setdefault((cell, build.identity.group), []).append(number)
    taken = [
        [(x.process, x.cycle, x.place, slice_value(x.samples, SETTLED)) for x in build.slices[name]]
        for _, build in builds
    ]
    kinds = kinds_of([cell.runtime for cell, _ in members])
    levels = block_of_slices(taken, list(members.values()), kinds)
    slices = [one.samples.sum() for _, build in builds for one in build.slices[name]]
    return BlockPass(levels, {key: at for at, key in enumerate(members)}, float(np.mean(slices)) / 1000)


def _latencies(
    builds: Sequence[tuple[Cell, BuildObservation]], name: str, found: BlockPass
) -> Iterator[tuple[BuildObservation, float]]:
    """Yield the builds that have the pass *name*, each with its latency in the block, ms."""
    levels = found.levels
    mine = [build for _, build in builds if build.slices.get(name)]
    values = [_mean(levels, number) for number in range(len(mine))]
    scales = [_scale(levels, number) for number in range(len(mine))]
    for scale in set(scales):
        members = [number for number, own in enumerate(scales) if own == scale]
        beyond = [
            math.log(ms) - values[number]
            for number in members
            if (ms := mine[number].median_of(name)) is not None
        ]
        level = float(np.median(beyond)) if beyond else 0.0
        for number in members:
            yield mine[number], math.exp(values[number] + level)


def _mean(levels: Block, build: int) -> float:
    return float(np.nanmean(levels.by_build[build]))


def _scale(levels: Block, build: int) -> int:
    """Return which sub-blocks that are set against each other *build* was measured in."""
    component = next(int(levels.processes.component[p]) for p in levels.of_build[build])
    return int(levels.joined.group[component])
