"""The additive fit: exact where nothing scatters, Huber's estimate where slices lie far out."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.analysis.statistics.additive_fit import Fit, Slices
from harness.analysis.statistics.levels import Values
from harness.analysis.statistics.lockstep import BETTER, CLIPS, process_values

SEEDS = st.integers(0, 2**32 - 1)
NONE: Values = np.zeros(0)


def scattered(seed: int, tails: float = 1.5, cycles: int = 30, processes: int = 8) -> Values:
    rng = np.random.default_rng(seed)
    levels = rng.normal(0, 0.1, cycles)[:, None] + rng.normal(0, 0.05, processes)
    noise = rng.normal(size=levels.shape) if math.isinf(tails) else rng.standard_t(tails, levels.shape)
    found: Values = levels + 0.02 * noise
    return found


def slices(table: Values) -> Slices:
    return Slices(table, np.zeros(table.shape[1], dtype=np.int_))


@settings(deadline=None, max_examples=30)
@given(SEEDS, st.sampled_from([0.5, 2.0]), st.floats(-0.3, 0.3))
def test_a_process_that_is_slower_by_so_much_is_found_slower_by_so_much(
    seed: int, clip: float, more: float
) -> None:
    table = scattered(seed)
    moved = table.copy()
    moved[:, 2] += more
    before, after = process_values(table, (clip,)).values, process_values(moved, (clip,)).values
    assert (after[2] - after[0]) - (before[2] - before[0]) == pytest.approx(more, abs=3e-4)


@pytest.mark.parametrize("tails", [math.inf, 2.0])
def test_scores_vary_as_they_make_values_vary(tails: float) -> None:
    seen, promised = [], []
    rng = np.random.default_rng(5)
    for _ in range(80):
        noise = rng.normal(size=(30, 8)) if math.isinf(tails) else rng.standard_t(tails, (30, 8))
        whole = slices(rng.normal(0, 1, 30)[:, None] + 0.02 * noise)
        found = whole.drawn_in(0.5, whole.plain())
        seen.append(np.var(found.values, ddof=1))
        promised.append(found.variance / 30)
    assert np.mean(promised) == pytest.approx(np.mean(seen), rel=0.35)


def test_slices_without_scatter_have_no_scores() -> None:
    table = np.arange(12.0)[:, None] + np.arange(4.0)
    found = slices(table).drawn_in(0.5, slices(table).plain())
    assert found.variance == pytest.approx(0, abs=1e-20)
    assert found.values == pytest.approx(np.arange(4.0) - 1.5)
    assert Fit(NONE, NONE, np.full((3, 2), np.nan)).variance == 0.0


def test_one_that_is_far_out_makes_a_narrow_clip_the_better_one() -> None:
    """Of slices that scatter normally the first is kept; of heavy tails one that draws in more."""
    normal, heavy = scattered(3, math.inf), scattered(3, 1.2)
    assert process_values(normal).values == pytest.approx(process_values(normal, CLIPS[:1]).values)
    found = process_values(heavy)
    assert min(
        np.abs(found.values - process_values(heavy, (clip,)).values).max() for clip in CLIPS[1:]
    ) == pytest.approx(0)
    assert found.cycle_variance < BETTER * 1.2 * process_values(heavy, CLIPS[:1]).cycle_variance
