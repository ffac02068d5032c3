"""A block as a whole: from its slices to the difference of any two of its cells, or of two of its engines."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harness.analysis.statistics.components import Repetitions, build_table, components
from harness.analysis.statistics.differences import Difference, difference, set_aside
from harness.analysis.statistics.joining import Joined, join
from harness.analysis.statistics.levels import Values
from harness.analysis.statistics.lockstep import CLIPS, ProcessValues, process_values, slice_table
from harness.analysis.statistics.slow_builds import slow_builds
from harness.analysis.statistics.spending import Situation
from harness.analysis.statistics.spreads import Spread, count_and_mean, spreads_by_kind, together
from harness.analysis.statistics.stretches import SLICES, stretches


@dataclass(frozen=True)
class Block:
    """The levels of one block, on one scale.

    :param processes: one value a process; :param joined: the same across sub-blocks
    :param by_build: process values by build, shape (builds, most processes of one)
    :param by_cell: build values (means over their processes) by cell, shape (cells, most builds of one), NaN
        where a cell has fewer or a build has no slice
    :param slow: builds that the rule for rare slow builds sets aside, shape of ``by_cell``
    :param processes_spread, builds_spread: of each kind of cells; the latter without the slow ones
    :param members: the builds of each cell, as rows of ``by_build``
    :param of_build: the processes of each build
    :param kinds: of each cell; :param build_kinds: of each build
    """

    processes: ProcessValues
    joined: Joined
    by_build: Values
    by_cell: Values
    slow: NDArray[np.bool_]
    processes_spread: dict[int, Spread]
    builds_spread: dict[int, Spread]
    members: Sequence[Sequence[int]]
    of_build: Sequence[Sequence[int]]
    kinds: NDArray[np.int_]
    build_kinds: NDArray[np.int_]

    @property
    def spread_of_processes(self) -> Spread:
        """What processes of one engine spread by, in each build."""
        return _whole(self.processes_spread, self.build_kinds)

    @property
    def spread_of_builds(self) -> Spread:
        """What builds of one cell spread by, in each cell."""
        return _whole(self.builds_spread, self.kinds)

    def cells(self, old: int, new: int) -> Difference | None:
        """Return cell *new* minus cell *old* over builds, None where no anchor joins them or a side is empty.

        Logarithms; slow builds are not in it and are to be told beside it (:attr:`slow`).
        """
        core = set_aside(self.by_cell, self.slow)
        error = self._joining(
            [b for i, b in enumerate(self.members[old]) if np.isfinite(core[old, i])],
            [b for i, b in enumerate(self.members[new]) if np.isfinite(core[new, i])],
        )
        if error is None:
            return None
        found = _shared(self.builds_spread, self.kinds, old, new)
        return difference(core, found, old, new, self._scaled(error))

    def engines(self, old: int, new: int) -> Difference | None:
        """Return build *new* minus build *old* over processes, None as for :meth:`cells`."""
        error = self._joining([old], [new])
        if error is None:
            return None
        found = _shared(self.processes_spread, self.build_kinds, old, new)
        return difference(self.by_build, found, old, new, self._scaled(error))

    def situation(self, old: int, new: int, found: Difference) -> Situation:
        """Return what :func:`harness.analysis.statistics.spending.next_step` has to know of two cells."""
        spread = _shared(self.builds_spread, self.kinds, old, new)
        variance = float(np.mean(spread.variance[[old, new]]))
        parts = components(self.processes, [list(x) for x in self.of_build], variance)
        error = self._joining(self.members[old], self.members[new]) or 0.0
        sides = [self._side(self.members[i]) for i in (old, new)]
        return Situation(parts, sides[0], sides[1], float(found.degrees), error * self._process_variance())

    def _side(self, builds: Sequence[int]) -> Repetitions:
        processes = [p for b in builds for p in self.of_build[b] if self.processes.cycles[p]]
        cycles = [int(self.processes.cycles[p]) for p in processes]
        return Repetitions(
            max(len(builds), 1),
            max(round(len(processes) / max(len(builds), 1)), 1),
            max(round(float(np.mean(cycles))) if cycles else 1, 1),
        )

    def _joining(self, old: Sequence[int], new: Sequence[int]) -> float | None:
        places = []
        for side in (old, new):
            found = [
                int(self.processes.component[p])
                for b in side
                for p in self.of_build[b]
                if self.processes.component[p] >= 0
            ]
            if not found:
                return None
            places.append(found)
        return self.joined.error(*places)

    def _scaled(self, error: float) -> tuple[float, float] | None:
        if error <= 1e-12:
            return None
        return error * self._process_variance(), max(float(self.spread_of_processes.pooled_degrees), 1.0)

    def _process_variance(self) -> float:
        """Return the variance of one process value; of one build value where no build has two processes."""
        found = float(self.spread_of_processes.pooled)
        return found if np.isfinite(found) else float(self.spread_of_builds.pooled)


def _whole(found: dict[int, Spread], kinds: NDArray[np.int_]) -> Spread:
    """Return the spread of all groups: of one kind as it is, of several that of each."""
    return next(iter(found.values())) if len(found) == 1 else together(found, kinds)


def _shared(found: dict[int, Spread], kinds: NDArray[np.int_], old: int, new: int) -> Spread:
    """Return what *old* and *new* are compared by: what their kind spreads by, of two kinds each its own."""
    return found[int(kinds[old])] if kinds[old] == kinds[new] else together(found, kinds)


def kinds_of(names: Sequence[str]) -> list[int]:
    """Return a number for each of *names*, such as the runtimes of cells: one for those that are the same."""
    numbers = {name: number for number, name in enumerate(dict.fromkeys(names))}
    return [numbers[name] for name in names]


def block_of_slices(
    slices: Sequence[Iterable[tuple[int, int, int, float]]],
    members: Sequence[Sequence[int]],
    kinds: Sequence[int] | None = None,
    stretch: int = SLICES,
    clips: Sequence[float] = CLIPS,
) -> Block:
    """Return the levels of a block from the slices of each of its builds.

    :param slices: of each build: process of the build, cycle, place in it and value
        (:func:`.lockstep.slice_value`, ms) of each; processes and cycles may be any numbers that rise, such
        as cycles counted over all passes
    :param members: the builds of each cell
    :param kinds: as for :func:`read_block`
    :param stretch: slices that share what is taken out (:func:`.stretches.stretches`)
    :param clips: as for :func:`.lockstep.process_values`
    """
    of_build: list[list[int]] = []
    rows: list[tuple[int, int, int, float]] = []
    for own in slices:
        mine, first = list(own), sum(map(len, of_build))
        place = {number: first + at for at, number in enumerate(sorted({row[0] for row in mine}))}
        of_build.append(list(place.values()))
        rows += [(place[process], cycle, at, value) for process, cycle, at, value in mine]
    process, cycle, in_cycle, value = (np.asarray(column) for column in zip(*rows, strict=True))
    return read_block(process, stretches(cycle, in_cycle, stretch), value, of_build, members, kinds, clips)


def read_block(
    process: ArrayLike,
    cycle: ArrayLike,
    value: ArrayLike,
    of_build: Sequence[Sequence[int]],
    members: Sequence[Sequence[int]],
    kinds: Sequence[int] | None = None,
    clips: Sequence[float] = CLIPS,
) -> Block:
    """Return the levels of a block from its slices.

    :param process, cycle, value: as for :func:`harness.analysis.statistics.lockstep.slice_table`, ms
    :param of_build: the processes of each build, every process once
    :param members: the builds of each cell, every build once (an anchor belongs to a cell too)
    :param kinds: a number for each cell: spreads are pooled, and slow builds looked for, among cells of the
        same; None: all are of one
    :param clips: as for :func:`.lockstep.process_values`
    """
    count = sum(len(mine) for mine in of_build)
    found = process_values(slice_table(process, cycle, value, count), clips)
    build = np.empty(count, dtype=np.int_)
    for number, mine in enumerate(of_build):
        build[list(mine)] = number
    joined = join(found.values, found.component, build)
    by_build = build_table(joined.values, [list(mine) for mine in of_build])
    by_cell = build_table(count_and_mean(by_build)[1], [list(mine) for mine in members])
    of_cells = np.zeros(len(members), dtype=np.int_) if kinds is None else np.asarray(kinds, dtype=np.int_)
    of_builds_kind = np.zeros(len(of_build), dtype=np.int_)
    for kind, mine in zip(of_cells, members, strict=True):
        of_builds_kind[list(mine)] = kind
    slow = np.zeros(by_cell.shape, dtype=np.bool_)
    for kind in np.unique(of_cells):
        slow |= slow_builds(np.where((of_cells == kind)[:, None], by_cell, np.nan))
    return Block(
        processes=found,
        joined=joined,
        by_build=by_build,
        by_cell=by_cell,
        slow=slow,
        processes_spread=spreads_by_kind(by_build, of_builds_kind, own=0.0),
        builds_spread=spreads_by_kind(set_aside(by_cell, slow), of_cells),
        members=members,
        of_build=of_build,
        kinds=of_cells,
        build_kinds=of_builds_kind,
    )
