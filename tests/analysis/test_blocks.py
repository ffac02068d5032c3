"""Latencies of builds that were measured side by side: what their cycles share is taken out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.analysis.blocks import with_block_latencies
from harness.analysis.grid import grid_of
from harness.matrix.cell import Cell, Treatment
from harness.observations.records import BuildObservation, CellObservation, RunObservation, Slice
from harness.store.documents.manifest import Manifest

CYCLES = 12


def build(
    number: int, ms: float, shared: np.ndarray, *, block: str = "b", cycles: range = range(CYCLES)
) -> BuildObservation:
    """A build of *ms*, each cycle longer by what the cycle shares."""
    slices = tuple(Slice(cycle, np.full(5, ms * shared[cycle])) for cycle in cycles)
    samples = np.concatenate([one.samples for one in slices])
    return BuildObservation(
        number, "ok", "host", passes={"latency": samples}, slices={"latency": slices}, block=block
    )


def run_of(*sides: tuple[BuildObservation, ...]) -> RunObservation:
    cells = tuple(
        CellObservation(Cell("m", Treatment(), "r", f"{version}.0", "venv"), "measured", "", builds)
        for version, builds in enumerate(sides, start=1)
    )
    return RunObservation((), Manifest(run="r"), cells)


def latencies(run: RunObservation) -> list[float]:
    found = [one.latency_ms for cell in with_block_latencies(run).cells for one in cell.builds]
    assert None not in found
    return [ms for ms in found if ms is not None]


@given(
    st.lists(st.floats(0.5, 3.0), min_size=CYCLES, max_size=CYCLES),
    st.lists(st.floats(0.2, 20.0), min_size=2, max_size=5),
)
def test_what_all_share_in_a_cycle_does_not_count(shared: list[float], ms: list[float]) -> None:
    factor = np.asarray(shared)
    found = latencies(run_of(tuple(build(i, one, factor) for i, one in enumerate(ms))))
    np.testing.assert_allclose(np.asarray(found) / found[0], np.asarray(ms) / ms[0], rtol=1e-9)


@given(st.lists(st.floats(0.2, 20.0), min_size=2, max_size=5))
def test_the_level_is_that_of_the_medians(ms: list[float]) -> None:
    builds = tuple(build(i, one, np.ones(CYCLES)) for i, one in enumerate(ms))
    np.testing.assert_allclose(latencies(run_of(builds)), ms, rtol=1e-9)


def test_builds_of_several_versions_are_of_one_block() -> None:
    # The machine got twice as slow: a build that lost its last half looks faster and is not.
    shared = np.repeat([1.0, 2.0], CYCLES // 2)
    run = run_of((build(0, 1.0, shared),), (build(0, 1.0, shared, cycles=range(CYCLES // 2)),))
    one, other = latencies(run)
    assert one == pytest.approx(other)
    medians = [b.median_of("latency") for cell in run.cells for b in cell.builds]
    assert medians == [pytest.approx(1.5), pytest.approx(1.0)]


def test_another_block_has_a_level_of_its_own() -> None:
    first, second = np.ones(CYCLES), np.full(CYCLES, 3.0)
    run = run_of((build(0, 1.0, first),), (build(0, 1.0, second, block="other"),))
    assert latencies(run) == [pytest.approx(1.0), pytest.approx(3.0)]


def test_what_was_measured_alone_keeps_its_median() -> None:
    alone = replace(build(0, 2.0, np.ones(CYCLES)), block="", slices={})
    run = run_of((alone,))
    assert with_block_latencies(run) is run
    assert alone.latency_ms == 2.0


def test_the_grid_is_made_of_latencies_in_their_block() -> None:
    shared = np.repeat([1.0, 2.0], CYCLES // 2)
    run = run_of((build(0, 1.0, shared),), (build(0, 1.0, shared, cycles=range(CYCLES // 2)),))
    (row,) = grid_of(run).rows
    first, second = (group.latency.middle for group in row.groups)
    assert first == pytest.approx(second)


def test_another_pass_is_relative_to_the_same_pass() -> None:
    both = []
    for number, ms in enumerate((1.0, 2.0)):
        plain = build(number, ms, np.ones(CYCLES))
        graph = build(number, ms / 2, np.ones(CYCLES))
        both.append(
            replace(
                plain,
                passes={**plain.passes, "cuda_graph": graph.passes["latency"]},
                slices={**plain.slices, "cuda_graph": graph.slices["latency"]},
            )
        )
    (cell,) = with_block_latencies(run_of(tuple(both))).cells
    assert [one.in_block["cuda_graph"] for one in cell.builds] == [pytest.approx(0.5), pytest.approx(1.0)]
