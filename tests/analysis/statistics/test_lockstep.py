"""From slices to process values: the laws that hold for any block, and the promise about cycles."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from scipy.sparse import csgraph

from harness.analysis.statistics.levels import Values
from harness.analysis.statistics.lockstep import QUANTILE, connected, process_values, slice_table, slice_value

SEEDS = st.integers(0, 2**32 - 1)


def block(seed: int, *, noise: float = 0.01, missing: float = 0.0) -> Values:
    """Return logarithms of a block of 12 cycles and 6 processes, each with its first slice."""
    rng = np.random.default_rng(seed)
    table: Values = rng.normal(0, 0.1, 12)[:, None] + rng.normal(0, 0.05, 6) + rng.normal(0, noise, (12, 6))
    lost = rng.random(table.shape) < missing
    lost[0] = False
    table[lost] = np.nan
    return table


def test_first_samples_of_a_slice_do_not_count() -> None:
    assert slice_value([9.0, 5.0, 1.0, 2.0, 3.0, 4.0, 5.0]) == 2.0
    assert slice_value([9.0, 3.0], dropped=1) == 3.0
    assert np.isnan(slice_value([9.0, 5.0]))


def test_a_slice_is_counted_once() -> None:
    with pytest.raises(ValueError, match="two slices"):
        slice_table([0, 1, 0], [0, 0, 0], [1.0, 1.0, 2.0], processes=2)


@pytest.mark.parametrize("value", [0.0, -1.0, float("inf")])
def test_slices_without_a_logarithm_are_refused(value: float) -> None:
    with pytest.raises(ValueError, match="positive and finite"):
        slice_table([0], [0], [value], processes=1)


def test_a_table_has_what_was_measured_and_nothing_else() -> None:
    table = slice_table([0, 2, 0], [0, 0, 1], [1.0, np.e, np.nan], processes=4)
    assert table.shape == (2, 4)
    assert np.isfinite(table).sum() == 2
    assert (table[0, 0], table[0, 2]) == (0.0, pytest.approx(1.0))
    assert slice_table([], [], [], processes=3).shape == (0, 3)


@settings(deadline=None, max_examples=40)
@given(SEEDS, st.floats(0.0, 0.6))
def test_without_noise_the_processes_are_exact(seed: int, missing: float) -> None:
    rng = np.random.default_rng(seed)
    truth = rng.normal(0, 0.05, 6)
    table = block(seed, noise=0.0, missing=missing)
    table = np.where(np.isfinite(table), rng.normal(0, 1, 12)[:, None] + truth, np.nan)
    found = process_values(table)
    assert found.values - found.values[0] == pytest.approx(truth - truth[0], abs=1e-9)
    assert found.cycle_variance == pytest.approx(0.0, abs=1e-18)
    assert np.nanmax(np.abs(found.common[:, None] + found.values - table)) < 1e-9


@settings(deadline=None, max_examples=40)
@given(SEEDS, st.floats(0.0, 0.4))
def test_what_a_cycle_shares_changes_nothing(seed: int, missing: float) -> None:
    table = block(seed, missing=missing)
    shared = np.random.default_rng(seed + 1).normal(0, 0.3, 12)[:, None]
    one, two = process_values(table), process_values(table + shared)
    assert two.values == pytest.approx(one.values, abs=1e-9)
    assert two.cycle_variance == pytest.approx(one.cycle_variance)


@settings(deadline=None, max_examples=40)
@given(SEEDS, st.floats(0.0, 0.4))
def test_the_order_of_processes_changes_nothing(seed: int, missing: float) -> None:
    table = block(seed, missing=missing)
    order = np.random.default_rng(seed + 2).permutation(6)
    one, two = process_values(table), process_values(table[:, order])
    assert two.values == pytest.approx(one.values[order], abs=1e-9)
    assert (two.cycles == one.cycles[order]).all()


@settings(deadline=None, max_examples=40)
@given(SEEDS, st.floats(1e-3, 1e3))
def test_the_unit_changes_nothing(seed: int, factor: float) -> None:
    table = block(seed, missing=0.2)
    assert process_values(table + np.log(factor)).values == pytest.approx(
        process_values(table).values, abs=1e-9
    )


@settings(deadline=None, max_examples=40)
@given(SEEDS)
def test_with_every_slice_a_difference_is_the_mean_over_cycles(seed: int) -> None:
    table = block(seed)
    found = process_values(table, clips=()).values
    assert found - found[0] == pytest.approx((table - table[:, :1]).mean(axis=0), abs=1e-12)


def test_a_worker_that_dies_costs_its_own_slices_only() -> None:
    table = block(7)
    whole = process_values(table, clips=()).values
    table[4:, 2] = np.nan
    table[:, 5] = np.nan
    found = process_values(table, clips=())
    others = [0, 1, 3, 4]
    assert found.values[others] - found.values[0] == pytest.approx(whole[others] - whole[0], abs=0.002)
    assert found.cycles.tolist() == [12, 12, 4, 12, 12, 0]
    assert np.isnan(found.values[5])
    assert found.component.tolist() == [0, 0, 0, 0, 0, -1]
    assert found.errors()[2] == pytest.approx(3 * found.errors()[0])
    assert np.isinf(found.errors()[5])


def test_a_slice_that_was_held_up_weighs_little() -> None:
    table = block(8)
    calm = process_values(table).values
    table[3, 1] += 2.0
    assert process_values(table).values == pytest.approx(calm, abs=0.01)
    assert abs(process_values(table, clips=()).values[1] - calm[1]) > 0.1


def test_processes_that_share_no_cycle_are_of_two_components() -> None:
    table = block(9)
    table[:6, :3] = np.nan
    table[6:, 3:] = np.nan
    found = process_values(table)
    assert found.component.tolist() == [0, 0, 0, 1, 1, 1]
    assert np.median(found.values[:3]) == np.median(found.values[3:]) == pytest.approx(0.0)


def test_a_process_that_wanders_is_known_less_well_than_its_slices_say() -> None:
    rng = np.random.default_rng(4)
    still = rng.normal(0, 0.01, (8, 80, 8))
    steps = np.repeat(rng.normal(0, 0.01, (8, 8)), 10, axis=0)
    assert np.mean([process_values(one).cycle_variance for one in still]) == pytest.approx(1e-4, rel=0.2)
    assert process_values(still[0] + steps, clips=()).cycle_variance > 5e-4


def test_the_error_from_cycles_is_as_large_as_it_says() -> None:
    rng = np.random.default_rng(5)
    found = [process_values(rng.normal(0, 0.02, (16, 8))) for _ in range(150)]
    seen = np.mean([np.var(x.values, ddof=1) for x in found])
    promised = np.mean([x.errors()[0] for x in found])
    assert promised == pytest.approx(seen, rel=0.15)


@given(arrays(np.float64, st.integers(1, 40), elements=st.floats(1e-6, 1e6)), st.integers(0, 3))
def test_the_value_of_a_slice_is_numpys_quantile(samples: Values, dropped: int) -> None:
    kept = samples[dropped:]
    if kept.size:
        assert slice_value(samples, dropped) == float(np.quantile(kept, QUANTILE))
    else:
        assert np.isnan(slice_value(samples, dropped))


@given(arrays(np.bool_, st.tuples(st.integers(1, 7), st.integers(1, 7))))
def test_sets_that_are_linked_are_those_of_scipy(there: NDArray[np.bool_]) -> None:
    links = there.T.astype(np.int_) @ there.astype(np.int_)
    assert connected(links).tolist() == csgraph.connected_components(links, directed=False)[1].tolist()


@settings(deadline=None, max_examples=30)
@given(SEEDS, st.integers(2, 8), st.integers(2, 6))
def test_what_cycles_leave_is_the_residual_variance_of_two_ways(
    seed: int, cycles: int, processes: int
) -> None:
    """Each slice is a batch of its own up to eight cycles: the classical analysis without repetition."""
    table = np.random.default_rng(seed).normal(0, 0.01, (cycles, processes))
    found = process_values(table, clips=())
    rest = table - table.mean(axis=1)[:, None] - table.mean(axis=0) + table.mean()
    free = (cycles - 1) * (processes - 1)
    assert found.cycle_degrees == pytest.approx(free)
    assert found.cycle_variance == pytest.approx((rest**2).sum() / free)
    assert found.errors() == pytest.approx([found.cycle_variance / cycles] * processes)


def test_a_process_of_one_slice_is_known_by_that_one() -> None:
    table = block(3)
    table[1:, 5] = np.nan
    found = process_values(table)
    assert found.errors()[5] == pytest.approx(12 * found.errors()[0]) == pytest.approx(found.cycle_variance)


def test_how_far_out_a_slice_lies_does_not_matter() -> None:
    """The fit is made again until it stands still."""
    far = []
    for off in (0.5, 2.0, 5.0):
        table = block(8)
        table[3, 1] += off
        far.append(process_values(table).values)
    for one in far[1:]:
        assert one == pytest.approx(far[0], abs=0.004)


@given(SEEDS, st.integers(9, 60))
def test_many_cycles_are_cut_into_eight_batches(seed: int, cycles: int) -> None:
    """Steps as long as a batch count as often as there are slices in one."""
    rng = np.random.default_rng(seed)
    sizes = [len(part) for part in np.array_split(np.arange(cycles), 8)]
    table = np.repeat(rng.normal(0, 0.01, (8, 3)), sizes, axis=0)
    found = process_values(table, clips=())
    rest = table - table.mean(axis=1)[:, None] - table.mean(axis=0) + table.mean()
    free = 3 * 7 * (1 - 1 / 3)
    assert found.cycle_degrees == pytest.approx(free)
    assert found.cycle_variance == pytest.approx((rest**2).sum() / free)
