"""Latencies of builds that were measured side by side: what their cycles share is taken out."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.analysis.blocks import Blocks, with_blocks
from harness.analysis.grid import grid_of
from harness.analysis.verdict import ONE_AFTER_THE_OTHER, SIDE_BY_SIDE
from harness.matrix.cell import Cell, Treatment
from harness.observations.identity import Identity
from harness.observations.records import (
    BuildObservation,
    CellObservation,
    OutputCheck,
    RunObservation,
    Slice,
    judged_by,
)
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
    found = [one.latency_ms for cell in with_blocks(run)[0].cells for one in cell.builds]
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
    assert with_blocks(run) == (run, Blocks())
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
    (cell,) = with_blocks(run_of(tuple(both)))[0].cells
    assert [one.in_block["cuda_graph"] for one in cell.builds] == [pytest.approx(0.5), pytest.approx(1.0)]


def pair(*sides: tuple[BuildObservation, ...], name: str = "latency") -> tuple[int, int] | None:
    """The builds by which the second version is compared with the first one side by side."""
    grid = grid_of(judged_by(run_of(*sides), name))
    (row,) = grid.rows
    old, new = row.groups
    found = grid.blocks.shared(old, new)
    return None if found is None else found.in_all


def some(count: int, ms: float, *, block: str = "b", first: int = 0) -> tuple[BuildObservation, ...]:
    return tuple(build(first + n, ms + n / 100, np.ones(CYCLES), block=block) for n in range(count))


def test_versions_of_one_block_are_compared_in_it() -> None:
    assert pair(some(3, 1.0), some(2, 2.0)) == (3, 2)
    assert pair(some(1, 1.0), some(2, 2.0)) == (1, 2), "few as they are"
    assert pair(some(3, 1.0), some(2, 2.0), name="cuda_graph") is None


def test_versions_of_two_blocks_are_not() -> None:
    assert pair(some(3, 1.0, block="a"), some(3, 2.0, block="b")) is None
    assert pair(some(3, 1.0), some(3, 2.0, block="")) is None


def test_several_blocks_are_looked_at_one_by_one() -> None:
    more = some(4, 1.0, block="c", first=3), some(3, 2.0, block="c", first=2)
    old, new = (*some(3, 1.0), *more[0]), (*some(2, 2.0), *more[1])
    assert pair(old, new) == (7, 5)
    row = grid_of(run_of(old, new))
    found = row.blocks.shared(*row.rows[0].groups)
    assert found is not None
    assert [(one.name, one.builds) for one in (found, *found.others)] == [("c", (4, 3)), ("b", (3, 2))]
    assert pair((*some(1, 1.0), *some(3, 1.0, block="", first=1)), some(3, 2.0)) is None, "four, and not one"


def test_a_block_that_does_not_say_how_sure_it_is_adds_nothing() -> None:
    single = some(1, 1.0, block="c", first=3), some(1, 2.0, block="c", first=2)
    assert pair((*some(3, 1.0), *single[0]), (*some(2, 2.0), *single[1])) == (3, 2)


def test_a_build_that_is_not_judged_takes_its_turns_and_is_no_repetition() -> None:
    wrong = replace(some(1, 9.0, first=3)[0], outputs=OutputCheck(False, 0.3, 0.01))
    assert pair((*some(3, 1.0), wrong), some(3, 2.0)) == (3, 3)


def test_processes_of_one_build_are_its_repetitions() -> None:
    first = build(0, 1.0, np.ones(CYCLES))
    again = tuple(Slice(one.cycle, one.samples * 1.02, 1) for one in first.slices["latency"])
    both = replace(first, slices={"latency": (*first.slices["latency"], *again)})
    grid = grid_of(run_of((both,), some(1, 2.0)))
    old, new = grid.rows[0].groups
    found = grid.blocks.shared(old, new)
    assert found is not None
    assert [len(processes) for processes in found.levels.of_build] == [2, 1]
    assert old.latency.middle is not None
    assert new.latency.middle is not None
    assert old.latency.middle / new.latency.middle == pytest.approx(1.02**0.5 / 2)


def test_sub_blocks_are_set_against_each_other_by_the_build_they_share() -> None:
    # The second half is of another time, twice as slow: what was alive in both says by how much.
    shared = np.repeat([1.0, 2.0], CYCLES // 2)
    anchor = build(0, 1.0, shared)
    early = build(1, 1.5, shared, cycles=range(CYCLES // 2))
    late = build(0, 1.5, shared, cycles=range(CYCLES // 2, CYCLES))
    one, other, third = latencies(run_of((anchor, early), (late,)))
    assert other == pytest.approx(third) == pytest.approx(1.5 * one)


def test_builds_of_two_runtimes_are_of_two_kinds_and_are_told_to_be_measured_side_by_side() -> None:
    run = run_of(some(3, 1.0), some(2, 2.0), some(2, 3.0))
    cells = [
        replace(seen, cell=replace(seen.cell, runtime=runtime))
        for seen, runtime in zip(run.cells, ("r", "other", "r"), strict=True)
    ]
    grid = grid_of(replace(run, cells=tuple(cells)))
    (passes,) = grid.blocks.passes.values()
    found = passes["latency"]
    assert found.levels.kinds.tolist() == [0, 1, 0]
    assert sorted(found.cells.values()) == [0, 1, 2]
    assert [found.count(at) for at in range(3)] == [3, 2, 2]
    assert {group.measured for group in grid.groups} == {SIDE_BY_SIDE}
    alone = grid_of(run_of((*some(1, 1.0), *some(1, 1.0, block="", first=1)), some(2, 2.0)))
    assert [group.measured for group in alone.groups] == [ONE_AFTER_THE_OTHER, SIDE_BY_SIDE]


def test_the_time_of_a_slice_and_of_a_build_are_what_the_block_took() -> None:
    start = datetime(2026, 11, 1, tzinfo=UTC)

    def timed(found: BuildObservation, began: int, took: int) -> BuildObservation:
        ended = start + timedelta(seconds=began + took)
        return replace(found, identity=Identity(started=start + timedelta(seconds=began), ended=ended))

    one, two = some(1, 1.0)[0], some(1, 3.0, first=1)[0]
    sides = (timed(one, 10, 20),), (timed(two, 0, 60), timed(some(1, 9.0, block="", first=2)[0], 0, 7))
    grid = grid_of(run_of(*sides))
    (passes,) = grid.blocks.passes.values()
    assert passes["latency"].slice_seconds == pytest.approx(5 * (1.0 + 3.0) / 2 / 1000)
    assert [grid.blocks.seconds_of(build) for build in (*sides[0], *sides[1])] == [30.0, 30.0, 7.0]
    assert Blocks().seconds_of(sides[1][0]) == 60.0
    assert Blocks().seconds_of(one) is None
    unknown = grid_of(run_of((one,), (two,)))
    assert unknown.blocks.seconds == {}
