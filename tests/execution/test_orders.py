"""What a fleet is asked for, and what its nodes are sent: orders with all that a run has chosen, files."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.environments.docker.settings import NO_BUILD
from harness.execution.budget import Budget
from harness.execution.dispatch import Dispatch
from harness.execution.elsewhere import FleetSchedule
from harness.execution.fleet import GPU, Event, Lost, Order, Place, input_key, need_of
from harness.execution.measuring import settings_for
from harness.execution.placing import Group, choose, fitting, groups
from harness.matrix.treatment import COMMON
from harness.runtimes.onnxruntime.runtime import OnnxRuntime
from harness.store.documents.build import Build
from harness.store.documents.origin import Host
from tests.execution.composed_fleet import ComposedFleet, all_come, block, cell, order_of, place
from tests.execution.ground import Ground
from tests.execution.test_elsewhere import all_come as all_come_home
from tests.execution.test_elsewhere import came


class Noting(ComposedFleet):
    """Notes the files that are sent with each order."""

    def start(self, number: int, place: Place, order: Order, files: Mapping[str, Path]) -> None:
        """Note them as they are now."""
        assert all(path.is_file() for path in files.values())
        digests = {digest: hashlib.sha256(path.read_bytes()).hexdigest() for digest, path in files.items()}
        assert all(digest == content for digest, content in digests.items())
        self.files = set(files)
        super().start(number, place, order, files)


def ordered(
    ground: Ground, fleet: ComposedFleet, parts: Any = None, bundle: Any = None, **more: Any
) -> Order:
    """Have the cells of *ground* measured; return the first order."""
    settings = settings_for(ground.plan, 1)
    FleetSchedule(
        fleet, bundle or ground.bundle(), ground.cells, parts or ground.parts(), settings,
        say=ground.said.append, **{"rounds": 1, **more},
    ).run()  # fmt: skip
    return fleet.started[0][1]


def test_nodes_are_asked_for_what_the_cells_need_each_once() -> None:
    fleet = ComposedFleet([place("a")])
    waiting = groups([block("one"), block("two"), block("three", versions=["2", "3"])], {})
    list(Dispatch(fleet, waiting, order_of, [].append).run())
    assert fleet.needs[0] == [need_of(cell(version)) for version in "123"]
    assert need_of(cell("1")) == ("openvino", "1", "venv")


def test_an_order_has_all_that_was_chosen_for_the_run(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["trtmatrix", "run", "m.toml"])
    monkeypatch.setenv(NO_BUILD, "1")
    fleet = Noting([place("a", number=2)], all_come_home(ground.root))
    order = ordered(ground, fleet, check=False, budget=Budget(600.0, 0.03))
    assert fleet.needs[0] == [need_of(ground.cells[0])]
    assert (order.command, order.variables) == (["trtmatrix", "run", "m.toml"], {NO_BUILD: "1"})
    assert (order.check, order.precision, order.number, order.later) == (False, 0.03, 2, 0)
    assert order.seconds is not None
    assert 0 < order.seconds <= 600
    assert order.settings == settings_for(ground.plan, 1)
    assert order.caches == {}
    assert set(order.inputs) == {input_key(ground.cells[0])}
    assert fleet.files == {digest for files in order.inputs.values() for digest in files.values()}


def test_what_is_not_chosen_is_the_plain_case(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(NO_BUILD, raising=False)
    order = ordered(ground, Noting([place("a")], all_come_home(ground.root)))
    assert (order.variables, order.check, order.seconds, order.precision) == ({}, True, None, 0.01)


def test_a_build_that_begins_with_a_cache_is_sent_it(ground: Ground) -> None:
    cell = replace(ground.cells[0], treatment=replace(ground.cells[0].treatment, timing_cache="on"))

    class Caches(OnnxRuntime):
        treatment_fields = (*OnnxRuntime.treatment_fields, *(f for f in COMMON if f.name == "timing_cache"))

        def unsupported(self, _cell: Any) -> str | None:
            return None

    ground.plan = replace(ground.plan, cells=(cell,))
    bundle = ground.bundle()
    files = ground.root / "files"
    (files / "evidence").mkdir(parents=True)
    (files / "evidence" / "timing.cache").write_bytes(b"timed")
    here = Host(machine="a", device="cpu")
    bundle.put_build(files, Build(cell=cell.id, build=0, status="failed", host=here))
    fleet = Noting([place("a")], all_come_home(ground.root))
    parts = replace(ground.parts(), runtimes={"onnxruntime": Caches()})
    order = ordered(ground, fleet, parts, bundle, rounds=2)
    digest = hashlib.sha256(b"timed").hexdigest()
    assert {(build.cell, build.number): found for build, found in order.caches.items()} == {(cell, 1): digest}
    assert digest in fleet.files
    assert dict(order.numbers) == {cell: 2}


def test_builds_beyond_the_rounds_are_numbered_behind_all_that_are_there(ground: Ground) -> None:
    bundle = ground.bundle()
    one, other = ground.cells
    for number in (0, 6):
        files = ground.root / f"files-{number}"
        files.mkdir()
        here = Host(machine="a", device="cpu")
        bundle.put_build(files, Build(cell=one.id, build=number, status="failed", host=here))
    order = ordered(ground, Noting([place("a")], all_come_home(ground.root)), bundle=bundle, rounds=2)
    assert dict(order.numbers) == {one: 7, other: 2}


def test_lines_of_a_run_say_what_is_still_to_come(ground: Ground) -> None:
    """Blocks that have not begun are as slow as those that are over."""
    cells = [*ground.cells, *(replace(c, treatment=replace(c.treatment, batch=2)) for c in ground.cells)]
    ground.plan = replace(ground.plan, cells=tuple(cells))
    ordered(ground, Noting([place("a")], all_come_home(ground.root)))
    steps = [line for line in ground.said if line.startswith("[")]
    assert [line.partition("]")[0] for line in steps] == ["[1/4", "[2/4", "[3/4", "[4/4"]
    assert ["left" in line for line in steps] == [True, True, False, False]


def test_a_block_goes_to_another_host_where_its_own_is_not_there_or_was_lost() -> None:
    home = Host(machine="b", device="cpu")
    (group,) = groups([block("one")], {"one-fp32-b1": home})
    group.home.append(group.block.builds[0])
    group.refused.add(group.block.builds[-1].cell.id)
    group.begin_again("b", "gone")
    assert (group.host, group.home, group.refused, group.done) == (None, [], set(), 0)
    assert (group.lost, group.shunned) == (["gone"], {"b"})
    assert [p.node for p in fitting(group, [place("a"), place("b")])] == ["a"]
    assert [p.node for p in fitting(group, [place("b")])] == ["b"], "rather there than nowhere"


def test_builds_are_missing_until_they_come_or_are_refused() -> None:
    two = block("one", 1), block("one", 3)
    group = Group(two)
    assert (group.left, group.missing, group.kind) == (8, list(two[0].builds), "cpu")
    group.home.append(two[0].builds[0])
    assert group.missing == [two[0].builds[1]]
    group.refused.add(two[0].builds[1].cell.id)
    assert group.missing == []
    group.done = 1
    assert (group.block, group.left) == (two[1], 6)
    assert group.cells == [cell("1", "one"), cell("2", "one")]
    assert Group((block("one", device=GPU),)).kind == "gpu"
    assert Group((block("one", device="GPU-1f"),)).kind == "cpu", "a fleet's blocks wait for a kind"


def test_of_places_that_are_alike_the_first_by_name_and_number_is_taken() -> None:
    (group,) = groups([block("one", device=GPU)], {})
    places = [place("b", GPU, 0, 1), place("a", GPU, 1, 2), place("a", GPU, 0, 2), place("c", GPU, 0, 1)]
    taken: list[Place] = []
    order = []
    while (found := choose(group, places, taken)) is not None:
        taken.append(found)
        order.append((found.node, found.number))
    assert order == [("b", 0), ("c", 0), ("a", 0), ("a", 1)]
    assert choose(group, [], []) is None


def test_an_order_that_fails_is_over_for_its_fleet() -> None:
    """What is lost is not stopped once more, and its builds are given out again."""

    def plays(_place: Place, _order: Order) -> list[Event]:
        return [Lost("killed")] if len(fleet.started) == 1 else all_come(_place, _order)

    fleet = ComposedFleet([place("a"), place("b")], plays)
    list(Dispatch(fleet, groups([block("one")], {}), order_of, [].append).run())
    assert [node for node, _ in fleet.started] == ["a", "b"]
    assert fleet.stopped == []


def test_a_build_that_was_interrupted_on_its_node_ends_the_run(ground: Ground) -> None:
    def plays(place: Place, order: Order) -> list[Event]:
        home = came(ground.root, order.builds[0], place.node)
        return [replace(home, status="interrupted", reason="by the user of a")]

    bundle, fleet = ground.bundle(), ComposedFleet([place("a")], plays)
    with pytest.raises(KeyboardInterrupt):
        ordered(ground, fleet, bundle=bundle)
    cell = fleet.started[0][1].builds[0].cell
    assert ground.said[-1] == f"interrupted: {cell.id}: by the user of a"
    assert list(bundle.builds()) == []
    assert bundle.manifest.state == "interrupted"
    assert fleet.running == {}
