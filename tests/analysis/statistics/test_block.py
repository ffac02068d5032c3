"""A block as a whole, from slices to differences."""

from __future__ import annotations

import numpy as np
import pytest

from harness.analysis.statistics.block import Block, block_of_slices, read_block
from harness.analysis.statistics.spending import Costs, next_step

OF_BUILD = [[2 * i, 2 * i + 1] for i in range(8)]
MEMBERS = [[0, 1, 2, 3], [4, 5, 6, 7]]


def measured(
    seed: int, *, change: float = 0.0, build: float = 0.003, lost: float = 0.0, slow: float = 0.0
) -> Block:
    """Return two cells of 4 builds of 2 processes and 20 cycles, the second cell slower by *change*."""
    rng = np.random.default_rng(seed)
    levels = np.repeat(build * rng.normal(size=8) + np.repeat([0.0, change], 4), 2)
    levels[4:6] += slow
    levels += 0.001 * rng.normal(size=16)
    logs = levels + 0.1 * rng.normal(size=20)[:, None] + 0.005 * rng.normal(size=(20, 16))
    there = rng.random(logs.shape) >= lost
    cycle, process = np.nonzero(there)
    order = rng.permutation(cycle.size)
    values = np.exp(logs[there])
    return read_block(process[order], cycle[order], values[order], OF_BUILD, MEMBERS)


@pytest.mark.parametrize("lost", [0.0, 0.3])
def test_the_change_of_a_cell_is_found(lost: float) -> None:
    off = []
    for seed in range(40):
        found = measured(seed, change=0.05, lost=lost).cells(0, 1)
        assert found is not None
        interval = found.interval(0.95)
        off.append(interval.low <= 0.05 <= interval.high)
        assert interval.estimate == pytest.approx(0.05, abs=0.015)
    assert sum(off) >= 34


def two_kinds(noise: float, kinds: list[int] | None) -> Block:
    """Return four cells of 4 builds; those of the second kind spread by *noise*."""
    rng = np.random.default_rng(5)
    levels = np.repeat([0.01, noise], 8) * rng.normal(size=16) + np.repeat([0.0, 0.05, 0.0, 0.05], 4)
    cycle, process = np.divmod(np.arange(16 * 10), 16)
    values = np.exp(levels[process] + 0.1 * rng.normal(size=10)[cycle])
    cells = [list(range(4 * cell, 4 * cell + 4)) for cell in range(4)]
    return read_block(process, cycle, values, [[build] for build in range(16)], cells, kinds)


def test_what_another_runtime_scatters_changes_no_answer() -> None:
    calm, wild = two_kinds(0.02, [0, 0, 1, 1]).cells(0, 1), two_kinds(0.2, [0, 0, 1, 1]).cells(0, 1)
    assert calm is not None
    assert wild is not None
    assert float(wild.half_width(0.99)) == pytest.approx(float(calm.half_width(0.99)))
    assert float(wild.degrees) == pytest.approx(6.0)
    mixed = two_kinds(0.02, None).cells(0, 1)
    assert mixed is not None
    assert float(mixed.degrees) > 6.0


def test_cells_of_two_runtimes_are_compared_by_the_spread_of_each() -> None:
    block = two_kinds(0.05, [0, 0, 1, 1])
    found = block.cells(0, 2)
    assert found is not None
    each = [float(block.builds_spread[kind].pooled) / 4 for kind in (0, 1)]
    assert float(found.variance) == pytest.approx(sum(each))
    assert 1.0 <= float(found.degrees) <= 12.0


def test_engines_are_compared_over_processes() -> None:
    found = measured(1, build=0.02)
    one = found.engines(0, 1)
    assert one is not None
    assert float(one.estimate) == pytest.approx(found.by_build[1].mean() - found.by_build[0].mean())
    assert float(one.degrees) == pytest.approx(8.0)
    assert float(one.half_width(0.95)) < 0.01


def test_a_slow_build_is_beside_the_comparison() -> None:
    found = measured(2, slow=0.2)
    assert np.argwhere(found.slow).tolist() == [[0, 2]]
    rest = found.cells(0, 1)
    assert rest is not None
    assert abs(float(rest.estimate)) < 0.01


def test_what_never_met_is_not_compared() -> None:
    cycle = np.repeat([0, 1, 2, 3], 2)
    process = np.array([0, 1, 0, 1, 2, 3, 2, 3])
    found = read_block(process, cycle, np.ones(8), [[0], [1], [2], [3]], [[0, 1], [2, 3]])
    assert found.cells(0, 1) is None
    assert found.engines(0, 1) is not None
    assert found.engines(0, 2) is None


def test_sub_blocks_are_joined_by_their_anchor() -> None:
    rng = np.random.default_rng(3)
    levels = np.array([0.0, 0.0, 0.01, 0.02, 0.0, 0.0, 0.03, 0.05])
    of_build = [[0, 1, 4, 5], [2], [3], [6], [7]]
    rows = [(c, p) for c in range(10) for p in (range(4) if c < 5 else range(4, 8))]
    shared = rng.normal(0, 0.5, 10)
    values = [np.exp(levels[p] + shared[c] + 1e-6 * rng.normal()) for c, p in rows]
    found = read_block([p for _, p in rows], [c for c, _ in rows], values, of_build, [[0], [1, 2], [3, 4]])
    across = found.cells(1, 2)
    assert across is not None
    assert float(across.estimate) == pytest.approx(0.04 - 0.015, abs=1e-4)
    variance = float(found.spread_of_processes.pooled)
    assert float(across.variance) >= variance


def test_a_build_without_a_slice_is_no_build() -> None:
    cycle, process = np.divmod(np.arange(30), 3)
    found = read_block(process, cycle, np.exp(0.01 * process), [[0], [1], [2], [3]], [[0, 1], [2, 3]])
    one = found.cells(0, 1)
    assert one is not None
    assert float(one.estimate) == pytest.approx(0.015)
    assert np.isnan(found.by_cell[1, 1])


def test_a_block_says_what_comes_next() -> None:
    found = measured(4, build=0.02)
    difference = found.cells(0, 1)
    assert difference is not None
    situation = found.situation(0, 1, difference)
    assert (situation.old.builds, situation.old.processes, situation.old.cycles) == (4, 2, 20)
    assert situation.half_width() == pytest.approx(float(difference.half_width(0.95)), rel=0.05)
    step = next_step(situation, 0.01, Costs(60.0, 8.0, 0.03), seconds=3600)
    assert step is not None
    assert step.builds > 0


def test_what_joins_two_sub_blocks_counts_as_often_as_their_anchor_was_repeated() -> None:
    """The anchor has three processes in each of two sub-blocks: 1/3 + 1/3 of the variance of a process."""
    rng = np.random.default_rng(3)
    of_build = [[0, 1, 2, 6, 7, 8], [3], [4], [9], [10], [5]]
    rows = [(c, p) for c in range(10) for p in (range(6) if c < 5 else range(6, 11))]
    levels = 0.01 * rng.normal(size=11)
    levels[[3, 4, 9, 10]] = 0.01, -0.01, 0.02, 0.0  # builds of two cells, which spread alike
    values = [np.exp(levels[p] + 0.001 * rng.normal()) for _, p in rows]
    cells = [[0], [1, 2], [3, 4], [5]]
    found = read_block([p for _, p in rows], [c for c, _ in rows], values, of_build, cells)
    within, across = found.cells(1, 1), found.cells(1, 2)
    assert within is not None
    assert across is not None
    process = float(found.spread_of_processes.pooled)
    assert float(across.variance) == pytest.approx(float(within.variance) + 2 / 3 * process)
    free = float(found.spread_of_processes.pooled_degrees)
    part = 2 / 3 * process / float(across.variance)
    own = 1 - part
    degrees = 1 / (part**2 / (free + 2) + own**2 / (float(found.spread_of_builds.pooled_degrees) + 2)) - 2
    assert float(across.degrees) == pytest.approx(degrees)
    situation = found.situation(1, 2, across)
    assert situation.joined == pytest.approx(2 / 3 * process)
    assert found.situation(1, 1, within).joined == 0.0


def test_the_spread_of_a_block_of_two_kinds_is_the_mean_of_theirs() -> None:
    block = two_kinds(0.05, [0, 0, 1, 1])
    kinds = [block.builds_spread[kind] for kind in (0, 1)]
    assert float(block.spread_of_builds.pooled) == pytest.approx(np.mean([float(x.pooled) for x in kinds]))
    assert float(block.spread_of_builds.pooled_degrees) == 12.0
    assert block.spread_of_builds.own.all()
    assert not two_kinds(0.05, None).spread_of_builds.own.all()


def test_slow_builds_are_looked_for_among_their_own_kind() -> None:
    """What is 5 % slower is nothing beside cells that scatter by a tenth, and slow among its like."""
    rng = np.random.default_rng(8)
    levels = np.repeat([0.0005, 0.0005, 0.1, 0.1], 5) * rng.normal(size=20)
    levels[2] += 0.05
    cycle, process = np.divmod(np.arange(20 * 10), 20)
    members = [list(range(5 * cell, 5 * cell + 5)) for cell in range(4)]
    for kinds, slow in (([0, 0, 1, 1], [[0, 2]]), (None, [])):
        found = read_block(process, cycle, np.exp(levels[process]), [[b] for b in range(20)], members, kinds)
        assert np.argwhere(found.slow).tolist() == slow


def test_numbers_of_processes_and_cycles_only_have_to_rise() -> None:
    """As they are written: processes of each build from any number on, cycles counted over all passes."""
    rng = np.random.default_rng(4)
    logs = 0.01 * rng.normal(size=(3, 2)) + 0.001 * rng.normal(size=(12, 3, 2))
    plain = [[(p, c, 2 * b + p, np.exp(logs[c, b, p])) for c in range(12) for p in (0, 1)] for b in range(3)]
    odd = [[(7 * p + 5 * b + 1, 10 * c + 3, at, ms) for p, c, at, ms in own] for b, own in enumerate(plain)]
    one, two = block_of_slices(plain, [[0], [1, 2]]), block_of_slices(odd, [[0], [1, 2]])
    assert two.of_build == one.of_build == [[0, 1], [2, 3], [4, 5]]
    assert two.by_build == pytest.approx(one.by_build)
    truth = logs.mean(axis=0)
    assert one.by_build - one.by_build[0, 0] == pytest.approx(truth - truth[0, 0], abs=0.001)
    turned = block_of_slices([own[::-1] for own in plain], [[0], [1, 2]])
    assert turned.by_build == pytest.approx(one.by_build)
    whole, cut = (block_of_slices(plain, [[0], [1, 2]], stretch=n).processes.common.size for n in (6, 2))
    assert (whole, cut) == (12, 36)


def test_a_side_is_repeated_as_often_as_its_builds_have_processes_and_slices() -> None:
    """Builds of three and of one process; one process lost half of its ten slices."""
    of_build = [[0, 1, 2], [3], [4], [5]]
    rows = [(c, p) for c in range(10) for p in range(6) if not (p == 1 and c >= 5)]
    found = read_block(
        [p for _, p in rows],
        [c for c, _ in rows],
        [1.0 + p / 1e3 for _, p in rows],
        of_build,
        [[0, 1], [2, 3]],
    )
    across = found.cells(0, 1)
    assert across is not None
    situation = found.situation(0, 1, across)
    assert situation.old == (2, 2, 9), "4 processes of 2 builds; 10, 5, 10 and 10 slices"
    assert situation.new == (2, 1, 10)
    assert situation.degrees == pytest.approx(float(across.degrees))
