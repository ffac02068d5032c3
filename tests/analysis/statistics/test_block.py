"""A block as a whole, from slices to differences."""

from __future__ import annotations

import numpy as np
import pytest

from harness.analysis.statistics.block import Block, read_block
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
