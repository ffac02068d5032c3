"""Blocks measured side by side: every build alive, one slice of each a cycle, sub-blocks with an anchor."""

from __future__ import annotations

import math
import os
import signal
from collections import Counter
from collections.abc import Iterator

import psutil
import pytest

from harness.analysis.statistics.spending import Costs
from harness.execution import schedule
from harness.execution.budget import Budget
from harness.execution.memory import Room
from harness.execution.precision import Need
from harness.store.bundle import Bundle
from harness.store.documents.base import read_document
from harness.store.documents.result import Result
from harness.store.documents.samples import Slice, read_samples, read_whole
from harness.worker.alone import measure_alone
from harness.worker.drive import Driven
from harness.worker.lockstep import SLICE_SECONDS, cycles_of
from tests.execution.ground import Ground

CYCLES = 8


@pytest.fixture
def busy(ground: Ground) -> Ground:
    """A plan whose builds get eight cycles."""
    ground.plan = ground.make_plan(seconds=CYCLES * SLICE_SECONDS)
    return ground


@pytest.fixture(scope="module")
def block(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """A block of four builds that nothing disturbed."""
    ground = Ground(tmp_path_factory.mktemp("block"))
    ground.plan = ground.make_plan(seconds=CYCLES * SLICE_SECONDS)
    return measured(ground)


def measured(ground: Ground, rounds: int = 2) -> Bundle:
    bundle = ground.bundle()
    ground.schedule(bundle, rounds=rounds).run()
    return Bundle.open(bundle.root)


def slices_of(bundle: Bundle) -> dict[tuple[str, int], list[Slice]]:
    return {(b.cell_id, b.build): read_samples(b.folder) for b in bundle.builds() if b.status == "ok"}


def blocks_of(bundle: Bundle) -> set[str]:
    return {build.document.block for build in bundle.builds()}


def test_every_build_has_one_slice_a_cycle_in_a_new_order(block: Bundle) -> None:
    slices = slices_of(block)
    assert len(slices) == 4
    assert len(blocks_of(block)) == 1
    assert "" not in blocks_of(block)
    for own in slices.values():
        assert [one.cycle for one in own] == list(range(CYCLES))
    orders = []
    for cycle in range(CYCLES):
        place = {name: own[cycle].slice for name, own in slices.items()}
        assert sorted(place.values()) == [0, 1, 2, 3]
        orders.append(tuple(sorted(place, key=lambda name: place[name])))
        starts = sorted((own[cycle].slice, (own[cycle].start_ns or [0])[0]) for own in slices.values())
        assert [start for _, start in starts] == sorted(start for _, start in starts), "one at a time"
    assert len(set(orders)) > 1


def test_the_first_build_of_an_environment_measures_its_peaks(block: Bundle) -> None:
    results = [read_document(build.folder / "result.json", Result) for build in block.builds()]
    assert sorted("peaks" in result.facts for result in results) == [False, False, False, True]


def test_builds_for_a_cpu_are_made_at_once_and_measured_on_one(
    busy: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    allowed = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    if len(allowed) < 2:
        pytest.skip("this process may use one CPU only")
    inside: list[Driven] = []
    most = []
    build = Driven.build

    def counting(self: Driven) -> None:
        inside.append(self)
        most.append(len(inside))
        build(self)
        inside.remove(self)

    monkeypatch.setattr(Driven, "build", counting)
    bundle = measured(busy)
    assert (most[0], max(most)) == (1, min(len(allowed), 3)), "memory is learned from the first one"
    for one in bundle.builds():
        assert one.status == "ok"
        assert read_document(one.folder / "result.json", Result).facts["affinity"] == allowed[-1:]


def test_slices_are_spread_over_the_whole_of_the_block(block: Bundle) -> None:
    first_and_last = [
        ((own[0].start_ns or [0])[0], (own[-1].start_ns or [0])[0]) for own in slices_of(block).values()
    ]
    latest_begin, earliest_end = max(a for a, _ in first_and_last), min(b for _, b in first_and_last)
    assert latest_begin < earliest_end


def test_the_first_build_and_one_more_are_measured_on_their_own(block: Bundle) -> None:
    alone = {(b.cell_id, b.build): read_whole(b.folder).alone for b in block.builds()}
    before, after = sorted(
        (own for own in alone.values() if own), key=lambda own: (own[0].start_ns or [0])[0]
    )
    for own in (before, after):
        assert [(one.pass_name, one.process, one.cycle) for one in own] == [
            ("latency", 0, number) for number in range(CYCLES)
        ]
    beside = [start for own in slices_of(block).values() for one in own for start in one.start_ns or ()]
    assert max(start for one in before for start in one.start_ns or ()) < min(beside)
    assert min(start for one in after for start in one.start_ns or ()) > max(beside)


def test_what_does_not_fit_shares_an_anchor(busy: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: list[int] = []

    def counted(one: Driven) -> None:
        loaded.append(len(alive_workers()))
        measure_alone(one)

    monkeypatch.setattr("harness.worker.side_by_side.measure_alone", counted)

    class Small(Room):
        """Memory for two workers."""

        def for_one_more(self, _coming: int = 0) -> bool:
            return len(alive_workers()) < 2

    monkeypatch.setattr(schedule, "Room", Small)
    # Once the first builds are measured, one more of each cell is wanted, and then no more.
    asked: list[Costs] = []

    def wanted(_found: object, _precision: float, costs: Costs, _seconds: float) -> Need | None:
        asked.append(costs)
        return Need(dict.fromkeys(busy.cells, 1), {}, 0.05) if len(asked) == 1 else None

    monkeypatch.setattr("harness.execution.lockstep.next_need", wanted)
    bundle = busy.bundle()
    busy.schedule(bundle, rounds=2, budget=Plenty(None)).run()
    cycles = {name: {one.cycle for one in own} for name, own in slices_of(bundle).items()}
    assert len(cycles) == 6
    assert [(costs.process, costs.cycle) for costs in asked] == [(math.inf, math.inf)] * 2, "builds alone"
    assert all(0 < costs.build < 60 for costs in asked)
    together = Counter(cycle for own in cycles.values() for cycle in own)
    assert set(together.values()) == {2}, "two side by side in each cycle"
    (anchor,) = [name for name, own in cycles.items() if len(own) == 5 * CYCLES]
    assert all(own <= cycles[anchor] for own in cycles.values())
    assert len(blocks_of(bundle)) == 1
    assert loaded == [1, 1], "no other worker is there while one is measured on its own"


def alive_workers() -> list[psutil.Process]:
    return [
        child
        for child in psutil.Process().children(recursive=True)
        if "harness.worker" in child.cmdline() and child.status() != psutil.STATUS_ZOMBIE
    ]


def test_a_worker_that_dies_costs_its_own_slices_alone(busy: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[Driven] = []
    take = Driven.take

    def killing(self: Driven, *arguments: object) -> object:
        if len(taken) == 10:
            os.kill(alive_workers()[0].pid, signal.SIGKILL)
        taken.append(self)
        return take(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(Driven, "take", killing)
    bundle = measured(busy)
    states = Counter(build.status for build in bundle.builds())
    assert states == {"ok": 3, "failed": 1}
    (failed,) = [build for build in bundle.builds() if build.status == "failed"]
    assert failed.reason == "killed by signal 9 (SIGKILL)"
    assert {len(own) for own in slices_of(bundle).values()} == {CYCLES}
    assert not alive_workers()


def test_an_interrupted_block_leaves_no_build_and_no_process(
    busy: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    from harness.worker.lockstep import Lockstep

    def interrupted(_self: Lockstep, _builds: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Lockstep, "measure", interrupted)
    bundle = busy.bundle()
    with pytest.raises(KeyboardInterrupt):
        busy.schedule(bundle, rounds=2).run()
    assert list(Bundle.open(bundle.root).builds()) == []
    assert Bundle.open(bundle.root).manifest.state == "interrupted"
    assert not alive_workers()
    monkeypatch.undo()
    busy.schedule(bundle, rounds=2).run()
    assert len(list(Bundle.open(bundle.root).builds())) == 4


def test_a_build_without_a_partner_is_measured_alone(busy: Ground) -> None:
    bundle = busy.bundle()
    schedule_ = busy.schedule(bundle)
    schedule_._cells = schedule_._cells[:1]
    schedule_.run()
    assert blocks_of(bundle) == {""}
    (own,) = slices_of(bundle).values()
    assert {one.slice for one in own} == {0}


def test_a_pass_has_as_many_cycles_as_its_time_holds() -> None:
    from harness.worker.job import Measure

    def settings(seconds: float) -> Measure:
        values = {
            "warmup_seconds": 0.1, "minimum_samples": 1, "maximum_samples": 9, "maximum_seconds": seconds,
            "relative_half_width": 0.1, "windows": 5, "profile_iterations": 1, "passes": [],
        }  # fmt: skip
        return Measure(values)

    assert cycles_of(settings(1.0)) == round(1.0 / SLICE_SECONDS)
    assert cycles_of(settings(0.0)) == 5


class Share(Budget):
    """So many seconds for a block beyond its first builds, on a busy machine too."""

    seconds = 8.0

    def share(self, builds: int, took: float, later: int) -> float:
        assert (builds, later) == (4, 0)
        assert took > 0
        return self.seconds


class Plenty(Share):
    """Time for all that a test wants."""

    seconds = 600.0


def test_a_block_is_measured_on_where_its_comparisons_are_wide(busy: Ground) -> None:
    bundle = busy.bundle()
    busy.schedule(bundle, rounds=2, budget=Share(None, precision=1e-6)).run()
    bundle = Bundle.open(bundle.root)
    builds = list(bundle.builds())
    assert any(line.startswith("the widest comparison is") for line in busy.said)
    assert len(builds) > 4 or max(len(own) for own in slices_of(bundle).values()) > CYCLES
    assert len(blocks_of(bundle)) == 1
    for cell in busy.cells:
        numbers = sorted(build.build for build in builds if build.cell_id == cell.id)
        assert numbers == list(range(len(numbers))), "further builds are numbered on"
    assert all(len(own) >= CYCLES for own in slices_of(bundle).values())


def test_what_is_as_narrow_as_asked_is_left_alone(busy: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    # Which widths are enough is said of composed builds, in test_precision.py.
    asked: list[float] = []

    def narrow(_found: object, precision: float, _costs: Costs, _seconds: float) -> None:
        asked.append(precision)

    monkeypatch.setattr("harness.execution.lockstep.next_need", narrow)
    bundle = busy.bundle()
    busy.schedule(bundle, rounds=2, budget=Plenty(None, precision=0.25)).run()
    bundle = Bundle.open(bundle.root)
    assert asked == [0.25]
    assert len(list(bundle.builds())) == 4
    assert {len(own) for own in slices_of(bundle).values()} == {CYCLES}


def test_where_a_further_build_fails_no_more_are_made(busy: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    from harness.worker.lockstep import load

    loaded: list[Driven] = []

    def failing(build: Driven) -> None:
        loaded.append(build)
        if len(loaded) > 4:
            os.kill(alive_workers()[-1].pid, signal.SIGKILL)
        load(build)

    def wanted(_found: object, _precision: float, costs: Costs, _seconds: float) -> Need | None:
        return Need(dict.fromkeys(busy.cells, 1), {}, 0.05) if math.isfinite(costs.build) else None

    monkeypatch.setattr("harness.worker.side_by_side.load", failing)
    monkeypatch.setattr("harness.execution.lockstep.next_need", wanted)
    bundle = busy.bundle()
    busy.schedule(bundle, rounds=2, budget=Plenty(None)).run()
    states = Counter(build.status for build in Bundle.open(bundle.root).builds())
    assert states == {"ok": 4, "failed": 2}, "one step's builds"


@pytest.fixture(autouse=True)
def _no_worker_is_left() -> Iterator[None]:
    yield
    assert not alive_workers()


def test_room_learns_what_a_worker_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    gib = 1 << 30
    free = iter([100, 90, 70, 30, 13])
    monkeypatch.setattr(Room, "_free", lambda _self: [(next(free) * gib, 100 * gib)])
    room = Room("cpu")
    assert room.for_one_more(), "90 left, one takes 10"
    assert room.for_one_more(), "70 left, one takes 20"
    assert not room.for_one_more(), "30 left, one takes 40"
    assert not room.for_one_more()
