"""What made the times of a run scatter: of its machine, of its GPUs, and time spent waiting."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from msgspec import structs

from harness.analysis.figures.conditions import conditions, waited, waiting
from harness.analysis.grid import grid_of
from harness.observations.records import RunObservation
from harness.plugins.reading import observe
from harness.store.documents.machine import Machine, Neighbours
from tests.observations import composed


@pytest.fixture
def run(tmp_path: Path) -> RunObservation:
    found = observe([composed.bundle(tmp_path / "run")])
    return replace(found, manifest=structs.replace(found.manifest, machine=Machine()))


def having(run: RunObservation, *facts: dict[str, object]) -> RunObservation:
    (cell,) = run.cells
    builds = tuple(replace(cell.builds[0], build=n, facts=own) for n, own in enumerate(facts))
    return replace(run, cells=(replace(cell, builds=builds),))


def test_a_clock_that_is_not_locked_and_a_low_power_state_are_told(run: RunObservation) -> None:
    assert conditions(run) == ()
    still = having(run, {"gpu_sm_mhz_measured": [1980, 1980], "gpu_power_states": [0]}, {})
    assert conditions(still) == ()
    moving = having(
        run,
        {"gpu_sm_mhz_measured": [1500, 1980], "gpu_power_states": [0]},
        {"gpu_sm_mhz_measured": [1410, 1755], "gpu_power_states": [0, 2]},
    )
    clocks, state = conditions(moving)
    assert clocks.what.startswith("the GPU's clock went from 1410 to 1980 MHz")
    assert "`nvidia-smi -lgc 1410`" in clocks.remedy
    assert "power state P2" in state.what


def test_each_thing_is_told_once(run: RunObservation) -> None:
    machine = Machine(load_1_minute=3.0)
    manifest = structs.replace(
        run.manifest, machines=(machine, machine), neighbours=Neighbours(others=0.5, steal=None)
    )
    found = conditions(replace(run, manifest=manifest))
    assert [one.what.split()[0:2] for one in found] == [["other", "programs"]] * 2
    assert len(set(found)) == 2


def test_wall_time_materially_above_cpu_time_is_said_and_which_is_believed(run: RunObservation) -> None:
    def told(share: float | None) -> str:
        (cell,) = run.cells
        builds = tuple(replace(build, waited=share) for build in cell.builds)
        return waiting(grid_of(replace(run, cells=(replace(cell, builds=builds),))).groups, 0.01)

    assert waited(grid_of(run).groups[0]) is None
    assert told(None) == ""
    assert told(0.009) == ""
    assert told(0.012).startswith("1 cell took over 1 % more wall time than CPU time (waited): ")
    assert "wall time is judged" in told(0.012)
