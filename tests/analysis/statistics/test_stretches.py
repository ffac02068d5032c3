"""Cycles cut into stretches: what is shared for a moment is taken out, and nothing else changes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.analysis.statistics.block import Block, block_of_slices
from harness.analysis.statistics.stretches import LEAST, stretches

CYCLES = 24


@given(st.lists(st.integers(0, 40), min_size=LEAST, max_size=20), st.integers(1, 12))
def test_each_cycle_is_cut_by_time_into_parts_of_about_one_size(sizes: list[int], slices: int) -> None:
    sizes = [size + 1 for size in sizes]
    cycle = np.repeat(np.arange(len(sizes)), sizes)
    place = np.concatenate([np.arange(size) for size in sizes])
    found = stretches(cycle, place, slices)
    assert (np.diff(found) >= 0).all(), "in the order of time"
    for number, size in enumerate(sizes):
        mine = found[cycle == number]
        counts = np.unique(mine, return_counts=True)[1]
        assert len(counts) == max(1, round(size / slices))
        assert counts.max() - counts.min() <= 1
        assert not set(mine) & set(found[cycle != number])
    order = np.random.default_rng(0).permutation(cycle.size)
    assert (stretches(cycle[order], place[order], slices) == found[order]).all()


def test_few_cycles_and_places_that_do_not_tell_stay_whole() -> None:
    cycle = np.repeat(np.arange(LEAST), 12)
    assert np.unique(stretches(cycle, np.zeros(cycle.size))).size == LEAST
    few = cycle < LEAST - 1
    assert np.unique(stretches(cycle[few], np.tile(np.arange(12), LEAST)[few])).size == LEAST - 1


def block(seed: int, stretch: int, builds: int = 8) -> Block:
    """Four cells on a machine that is 30 % slower half of the time, for two seconds each; slices of 45 ms."""
    rng = np.random.default_rng(seed)
    count = 4 * builds
    slow = np.cumsum(rng.random(CYCLES * count) < 0.045 / 2) % 2
    slices: list[list[tuple[int, int, int, float]]] = [[] for _ in range(count)]
    for cycle in range(CYCLES):
        for place, build in enumerate(rng.permutation(count)):
            ms = 1.3 ** slow[cycle * count + place] * np.exp(0.05 * rng.normal())
            slices[build].append((0, cycle, place, float(ms)))
    members = [list(range(cell * builds, (cell + 1) * builds)) for cell in range(4)]
    return block_of_slices(slices, members, stretch=stretch)


def test_what_lasts_shorter_than_a_cycle_is_taken_out() -> None:
    spreads = {
        stretch: np.sqrt(np.mean([float(block(seed, stretch).spread_of_builds.pooled) for seed in range(6)]))
        for stretch in (6, 1000)
    }
    assert spreads[6] < 0.8 * spreads[1000]
    found = block(1, 6)
    assert (found.processes.cycles == CYCLES).all()
    expected = found.spread_of_builds.pooled
    assert found.processes.cycle_variance / CYCLES == pytest.approx(expected, rel=0.5)
