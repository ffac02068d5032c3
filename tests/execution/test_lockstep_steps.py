"""What a block does step by step, and what it reckons with: workers answer by a script and a set clock."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from harness.analysis.statistics.spending import Costs
from harness.execution import lockstep
from harness.execution.base import Block, EndedBuild, PlannedBuild, failed_build
from harness.execution.lockstep import BlockMeasurement, Further, closing_seconds
from harness.execution.precision import Comparison, Need
from harness.matrix.cell import Cell
from tests.execution.composed_block import A, B, C, Job, Machine, job_file, set_clock

CYCLES = 4


@dataclass
class Run:
    """A block of composed builds, and what was asked about it."""

    machine: Machine
    folder: Path
    needs: list[Need] = field(default_factory=list)
    asked: list[tuple[Sequence[Comparison], float, Costs, float]] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    slots: list[int] = field(default_factory=list)
    took: list[float] = field(default_factory=list)
    seconds: float = 100.0
    most: int = 99
    fails: Callable[[PlannedBuild], bool] = lambda _planned: False
    job: dict[str, Any] = field(default_factory=dict)
    made: Callable[[Job], None] = lambda _job: None
    inside: int = 0

    def open(self, planned: PlannedBuild, slot: int) -> Any:
        """Start a build; one that cannot be started is over."""
        self.slots.append(slot)
        if self.fails(planned):
            return failed_build(planned, "no worker", self.folder)
        job = Job(self.machine, planned, self.folder / "job.json", **self.job)
        self.made(job)
        return job

    def room(self, _coming: int) -> bool:
        """Say whether memory holds one more."""
        processes = [one for job in self.machine.alive for one in job.processes]
        return len(processes) < self.most

    def share(self, took: float) -> float:
        """Return what may be spent."""
        self.took.append(took)
        return self.seconds

    def measured(self, builds: Sequence[PlannedBuild], **more: Any) -> list[EndedBuild]:
        """Measure *builds*; needs are those that are wanted, one after the other."""
        numbers = dict.fromkeys((A, B, C), 10)

        def number(cell: Cell) -> int:
            numbers[cell] += 1
            return numbers[cell] - 1

        further = Further(self.share, 0.01, number)
        measurement = BlockMeasurement(
            self.open, self.room, 1, self.said.append, further, check=False, **more
        )
        return list(measurement.run(Block(tuple(builds), "cpu")))


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    made = Run(set_clock(monkeypatch), tmp_path)
    job_file(tmp_path, cycles=CYCLES)

    def wanted(found: Any, precision: float, costs: Costs, seconds: float) -> Need | None:
        made.asked.append((found, precision, costs, seconds))
        return made.needs.pop(0) if made.needs else None

    monkeypatch.setattr(lockstep, "next_need", wanted)
    return made


def planned(*cells: Cell, rounds: int = 2) -> list[PlannedBuild]:
    return [PlannedBuild(cell, number) for number in range(rounds) for cell in cells]


def of(run: Run, cell: Cell, number: int) -> Job:
    (found,) = [job for job in run.machine.jobs if job.planned == PlannedBuild(cell, number)]
    return found


def test_builds_are_made_one_after_the_other_and_measured_in_the_same_cycles(run: Run) -> None:
    ended = run.measured(planned(A, B))
    assert [one.planned for one in ended] == planned(A, B)
    assert run.said[:4] == [f"building {one.cell.id}, build {one.number + 1}" for one in planned(A, B)]
    assert run.slots == [0, 0, 0, 0]
    assert all(job.cycles() == list(range(CYCLES)) for job in run.machine.jobs)
    (name,) = {one.result.document.block for one in ended}
    assert len(name) == 8


def test_a_long_pass_says_how_far_it_is(run: Run) -> None:
    job_file(run.folder, cycles=10)
    run.measured(planned(A, B))
    assert run.said[4:] == [f"latency: cycle {n} of 10, 4 side by side" for n in (2, 4, 6, 8, 10)]


def test_each_block_has_a_name_of_its_own_and_a_build_alone_has_none(run: Run) -> None:
    names = {run.measured(planned(A, B, rounds=1))[0].result.document.block for _ in range(3)}
    assert len(names) == 3
    (alone,) = run.measured([PlannedBuild(C, 0)])
    assert alone.result.document.block == ""
    assert len(run.took) == 3, "of one build there is nothing to measure on"


def test_what_a_block_may_spend_is_asked_with_all_that_its_first_builds_take(run: Run) -> None:
    """Their profiles are still to be taken: three inferences for each, and the ends of workers."""
    job_file(run.folder, cycles=CYCLES, profile_iterations=5)
    run.measured(planned(A, B))
    building, slices = 4 * 4.0, 4 * CYCLES * 0.05
    closing = 4 * (0.5 + 3 * 5 * 0.002)
    assert run.took == [pytest.approx(building + slices + closing)]
    ((_, precision, _, left),) = run.asked
    assert (precision, left) == (0.01, pytest.approx(100.0 - closing))


@pytest.mark.parametrize("seconds", [0.0, -1.0])
def test_without_time_nothing_more_is_asked_for(run: Run, seconds: float) -> None:
    run.seconds = seconds
    run.measured(planned(A, B))
    assert run.asked == []


def test_one_more_build_costs_what_one_took_and_its_slices_beside_another(run: Run) -> None:
    job_file(run.folder, cycles=CYCLES, profile_iterations=5)
    run.job = {"passes": ("latency", "cold_l2")}
    run.measured(planned(A, B))
    ((found, _, costs, _),) = run.asked
    assert [(one.old, one.new) for one in found] == [(A, B)]
    closing = 0.5 + 3 * 5 * 0.002
    assert costs.cycle == pytest.approx(0.05)
    assert costs.build == pytest.approx(4.0 + 2 * 0.05 * CYCLES * 2 + closing)
    assert costs.process == math.inf, "none was loaded, so nobody knows what it costs"


def test_one_more_process_costs_loading_it_and_its_slices_beside_another(run: Run) -> None:
    run.measured(planned(A, B), processes=lambda cell: 2 if cell == A else 1)
    ((_, _, costs, _),) = run.asked
    # Loading takes as long as building here; those of two processes have twice the slices.
    assert costs.process == pytest.approx(4.0 + 2 * 0.05 * CYCLES)
    assert costs.build == pytest.approx(8.0 + 2 * 0.05 * 2 * CYCLES + closing_seconds([]) + 0.5)


def test_more_cycles_are_those_of_the_cells_that_need_them(run: Run) -> None:
    run.needs = [Need({}, {A: 2, B: 3}, 0.0123)]
    run.measured(planned(A, B, C), processes=lambda cell: 2 if cell == A else 1)
    assert "the widest comparison is \u00b11.23 %: 3 more cycles" in run.said
    first = list(range(CYCLES))
    for number in (0, 1):
        assert of(run, A, number).cycles() == of(run, A, number).cycles(1) == [*first, 4, 5]
        assert of(run, B, number).cycles() == [*first, 4, 5, 6]
        assert of(run, C, number).cycles() == first
    assert len(run.asked) == 2, "asked again, until nothing is needed"


def test_more_builds_are_measured_beside_one_of_their_cell_that_is_alive(run: Run) -> None:
    run.needs = [Need({A: 2, B: 1}, {}, 0.01)]
    ended = run.measured(planned(A, B, C))
    more = [PlannedBuild(A, 10), PlannedBuild(B, 10), PlannedBuild(A, 11)]
    assert [job.planned for job in run.machine.jobs] == [*planned(A, B, C), *more]
    assert {one.planned for one in ended} == {*planned(A, B, C), *more}
    again = list(range(CYCLES, 2 * CYCLES))
    for one in more:
        assert of(run, one.cell, one.number).cycles() == again
    assert [of(run, cell, 1).cycles()[CYCLES:] for cell in (A, B)] == [again, again]
    assert [of(run, cell, 0).cycles()[CYCLES:] for cell in (A, B, C)] == [[], [], []]
    assert math.isfinite(run.asked[1][2].build), "all that were wanted were made"


@pytest.mark.parametrize("why", ["fails", "memory"])
def test_where_a_further_build_is_not_to_be_had_no_more_are_reckoned_with(run: Run, why: str) -> None:
    run.needs = [Need({A: 1, B: 1}, {}, 0.01)]
    if why == "fails":
        run.fails = lambda one: one == PlannedBuild(B, 10)
    else:
        run.most = 4
    ended = run.measured(planned(A, B))
    assert len(ended) == (6 if why == "fails" else 4)
    costs = [costs for _, _, costs, _ in run.asked]
    assert [math.isinf(one.build) for one in costs] == [False, True]
    assert [math.isinf(one.cycle) for one in costs] == [False, False], "cycles are"


def test_more_processes_load_the_engines_of_their_cells_and_are_kept_to_later(run: Run) -> None:
    run.needs = [Need({}, {}, 0.01, {A: 1}), Need({A: 1, B: 1}, {}, 0.01)]
    run.measured(planned(A, B), processes=lambda _cell: 2)
    first, second, third = (list(range(n * CYCLES, (n + 1) * CYCLES)) for n in range(3))
    for number, beside_the_new in ((0, []), (1, third)):
        assert [len(of(run, cell, number).processes) for cell in (A, B)] == [3, 2]
        found = [of(run, A, number).cycles(process) for process in range(3)]
        assert found == [
            [*first, *second, *beside_the_new],
            [*first, *beside_the_new],
            [*second, *beside_the_new],
        ]
    assert of(run, B, 0).cycles() == list(range(CYCLES)), "it was not asked for"
    assert [len(of(run, cell, 10).processes) for cell in (A, B)] == [3, 2], "as many as their cells have"
    assert math.isfinite(run.asked[1][2].process)


def test_processes_that_memory_does_not_hold_are_not_reckoned_with(run: Run) -> None:
    run.needs = [Need({}, {}, 0.01, {A: 2})]
    run.most = 9
    run.measured(planned(A, B), processes=lambda _cell: 2)
    assert sorted(len(of(run, A, number).processes) for number in (0, 1)) == [2, 3]
    assert math.isinf(run.asked[1][2].process)


def test_a_build_that_could_not_be_started_is_over_and_the_others_are_measured(run: Run) -> None:
    run.fails = lambda one: one == PlannedBuild(B, 0)
    ended = run.measured(planned(A, B))
    (failed,) = [one for one in ended if one.result.document.status == "failed"]
    assert (failed.planned, failed.result.document.reason) == (PlannedBuild(B, 0), "no worker")
    assert len(ended) == 4
    assert all(job.cycles() == list(range(CYCLES)) for job in run.machine.jobs)


def test_a_worker_that_dies_while_its_engine_is_built_is_measured_no_more(run: Run) -> None:
    def dying(job: Job) -> None:
        job.talk.dies = "build" if job.planned == PlannedBuild(A, 0) else None

    run.made = dying
    ended = run.measured(planned(A, B))
    assert ended[0].planned == PlannedBuild(A, 0)
    assert ended[0].result.document.block == ""
    assert of(run, A, 0).cycles() == []
    assert len(run.asked) == 1


def test_what_does_not_fit_into_memory_is_measured_beside_the_first_build(run: Run) -> None:
    run.most = 2
    run.needs = [Need({A: 1, B: 1}, {}, 0.01)]
    ended = run.measured(planned(A, B))
    assert [job.planned for job in run.machine.jobs] == [
        *planned(A, B), PlannedBuild(A, 10), PlannedBuild(B, 10),
    ]  # fmt: skip
    cycles = [job.cycles() for job in run.machine.jobs]
    assert cycles[0] == list(range(5 * CYCLES)), "it stays"
    assert cycles[1:] == [list(range(n * CYCLES, (n + 1) * CYCLES)) for n in range(5)]
    assert len({one.result.document.block for one in ended}) == 1
    costs = [costs for _, _, costs, _ in run.asked]
    assert all((one.process, one.cycle) == (math.inf, math.inf) for one in costs), "builds alone"
    assert costs[0].build == pytest.approx(4.0 + 2 * 0.05 * CYCLES + 0.5)


def test_builds_that_are_made_at_once_have_places_of_their_own(run: Run) -> None:
    run.measured(planned(A, B, rounds=2), at_once=3)
    assert sorted(run.slots) == [0, 0, 1, 2], "the first one alone, by which memory is known"


def test_an_interrupted_block_tells_its_builds_and_gives_one_of_them_back(run: Run) -> None:
    def interrupting(job: Job) -> None:
        job.talk.raises = KeyboardInterrupt if job.planned == PlannedBuild(B, 1) else None

    run.made = interrupting
    ended = run.measured(planned(A, B))
    assert [one.planned for one in ended] == [PlannedBuild(A, 0)]
    assert all(job.ended for job in run.machine.jobs)
    assert all(job.talk.stopped == ["interrupted: interrupted by the user"] for job in run.machine.jobs)


def test_who_stops_asking_ends_all_builds(run: Run) -> None:
    measurement = BlockMeasurement(run.open, run.room, 1, run.said.append, check=False)
    asked = measurement.run(Block(tuple(planned(A, B)), "cpu"))
    next(asked)
    assert len(run.machine.alive) == 3
    asked.close()  # type: ignore[attr-defined]
    assert run.machine.alive == []


def test_closing_is_reckoned_by_how_long_inferences_took_last(run: Run) -> None:
    job_file(run.folder, profile_iterations=7)
    job, over, fresh = (Job(run.machine, PlannedBuild(A, n), run.folder / "job.json") for n in range(3))
    for one in (job, over):
        for ms in (9.0, 4.0):
            one.driven.samples.add("latency", {"latency_ms": [2 * ms, ms, 3 * ms]})
    over.driven.over = True
    further = job.start_further(1)
    further.samples.add("latency", {"latency_ms": [1.0]})
    found = closing_seconds([job.driven, further, over.driven, fresh.driven])
    assert found == pytest.approx(0.5 + 3 * 7 * 0.004)
    assert closing_seconds([]) == 0.0
