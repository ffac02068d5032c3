"""A run whose blocks are measured by a composed fleet: what comes home is kept, what is lost is set aside."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from harness.execution.base import PlannedBuild
from harness.execution.dispatch import TRIES
from harness.execution.elsewhere import FleetSchedule
from harness.execution.fleet import GPU, Came, Event, Lost, Order, Over, Place, Refused, need_of
from harness.execution.measuring import settings_for
from harness.execution.sending import packed
from harness.matrix.cell import Cell
from harness.store.bundle import Bundle
from harness.store.documents.base import write_document
from harness.store.documents.build import Build
from harness.store.documents.origin import Host
from tests.execution.composed_fleet import ComposedFleet, place
from tests.execution.ground import Ground

Plays = Callable[[Place, Order], list[Event]]


def document(planned: PlannedBuild, node: str) -> Build:
    host = Host(machine=node, device="cpu")
    return Build(
        cell=planned.cell.id, build=planned.number, status="failed", reason=f"seen on {node}", host=host
    )


def came(root: Path, planned: PlannedBuild, node: str) -> Came:
    """Return a build that ended on *node*, with its files."""
    folder = root / f"{node}-{planned.cell.id}-{planned.number}"
    folder.mkdir(exist_ok=True)
    write_document(folder / "build.json", document(planned, node))
    (folder / "note").write_text(node, encoding="utf-8")
    return Came(planned.cell.id, planned.number, "ok", "", packed(folder))


def all_come(root: Path) -> Plays:
    return lambda place, order: [*(came(root, build, place.node) for build in order.builds), Over()]


def run(ground: Ground, fleet: ComposedFleet, bundle: Bundle, rounds: int = 1, seed: int = 1) -> Bundle:
    """Measure the cells of *ground* with *fleet*; return what is stored."""
    settings = settings_for(ground.plan, seed)
    FleetSchedule(
        fleet, bundle, ground.cells, ground.parts(), settings, rounds=rounds, say=ground.said.append
    ).run()
    return Bundle.open(bundle.root)


def nodes_of(bundle: Bundle) -> Sequence[tuple[str, int, str]]:
    return [(b.cell_id, b.build, b.document.host.machine) for b in bundle.builds()]


def cut_once(root: Path, home: int) -> Plays:
    """Return what loses node ``a`` once *home* builds have come from it."""

    def plays(place: Place, order: Order) -> list[Event]:
        if place.node != "a":
            return all_come(root)(place, order)
        there = [came(root, build, "a") for build in order.builds[:home]]
        return [*there, Lost("its machine is gone")]

    return plays


def test_builds_that_come_home_are_builds_of_the_run(ground: Ground) -> None:
    bundle = ground.bundle()
    stored = run(ground, ComposedFleet([place("a")], all_come(ground.root)), bundle, rounds=2)
    assert nodes_of(stored) == [(cell.id, number, "a") for cell in ground.cells for number in (0, 1)]
    for build in stored.builds():
        found = build.document
        assert (found.run, found.pool, found.round) == ("test", "test", build.build)
        assert (build.folder / "note").read_text(encoding="utf-8") == "a"
    lines = [line for line in ground.said if line.startswith("[")]
    assert [line.partition("]")[0] for line in lines] == ["[1/4", "[2/4", "[3/4", "[4/4"]
    assert all(" on a" in line for line in lines)
    assert [record.reason for record in stored.cells()] == ["seen on a"] * 2


def test_an_order_says_what_is_left_and_which_numbers_are_free(ground: Ground) -> None:
    fleet = ComposedFleet([place("a", number=1)], all_come(ground.root))
    run(ground, fleet, ground.bundle(), rounds=3)
    ((_, order),) = fleet.started
    assert (order.kind, order.number, order.rounds, order.later, order.seconds) == ("cpu", 1, 3, 0, None)
    assert dict(order.numbers) == dict.fromkeys(ground.cells, 3)
    assert {build.cell for build in order.builds} == set(ground.cells)
    (files,) = order.inputs.values()
    assert {"network.json", "weights.npz", "inputs.npz"} <= set(files)


def test_the_order_of_builds_is_drawn_from_the_run_s_seed(ground: Ground) -> None:
    """Anew in each round: twelve rounds of two cells are hardly ever in one order by chance."""
    orders = []
    for seed in (1, 1, 2):
        fleet, bundle = ComposedFleet([place("a")], lambda *_: [Lost("at once")]), ground.bundle()
        run(ground, fleet, bundle, rounds=12, seed=seed)
        orders.append([build.cell.id for build in fleet.started[0][1].builds])
        bundle.root.rename(bundle.root.with_name(f"run-{len(orders)}"))
    assert orders[0] == orders[1]
    assert orders[0] != orders[2]
    rounds = [tuple(orders[0][at : at + 2]) for at in range(0, 24, 2)]
    assert {frozenset(one) for one in rounds} == {frozenset(cell.id for cell in ground.cells)}
    assert len(set(rounds)) == 2


def test_what_came_from_a_node_that_is_lost_is_set_aside_and_measured_on_another(ground: Ground) -> None:
    bundle = ground.bundle()
    stored = run(ground, ComposedFleet([place("a"), place("b")], cut_once(ground.root, 1)), bundle)
    assert {node for _, _, node in nodes_of(stored)} == {"b"}
    aside = list((bundle.root / "set-aside").glob("*/*/note"))
    assert [path.read_text(encoding="utf-8") for path in aside] == ["a"]
    (line,) = [line for line in ground.said if "is lost" in line]
    assert line == (
        "a is lost (its machine is gone): its block is measured again; 1 that came home are set aside"
    )


def test_a_node_that_is_lost_with_nothing_home_is_said_so(ground: Ground) -> None:
    run(ground, ComposedFleet([place("a"), place("b")], cut_once(ground.root, 0)), ground.bundle())
    (line,) = [line for line in ground.said if "is lost" in line]
    assert line == "a is lost (its machine is gone): its block is measured again"


def test_what_no_node_brings_to_an_end_failed(ground: Ground) -> None:
    fleet = ComposedFleet([place("a")], lambda *_: [Lost("out of memory")])
    stored = run(ground, fleet, ground.bundle())
    assert len(fleet.started) == TRIES
    reason = "its node was lost 3 times; the last time: out of memory"
    assert [(b.cell_id, b.status, b.document.reason) for b in stored.builds()] == [
        (cell.id, "failed", reason) for cell in ground.cells
    ]


def test_a_cell_that_its_node_refuses_says_why_and_the_other_is_measured(ground: Ground) -> None:
    one, other = ground.cells

    def plays(place: Place, order: Order) -> list[Event]:
        rest = [came(ground.root, build, place.node) for build in order.builds if build.cell == other]
        return [Refused(one.id, "unavailable", "no wheel for it"), *rest, Over()]

    stored = run(ground, ComposedFleet([place("a")], plays), ground.bundle())
    assert nodes_of(stored) == [(other.id, 0, "a")]
    refused, _ = stored.cells()
    assert (refused.status, refused.reason) == ("unavailable", "no wheel for it")


def test_cells_that_no_node_can_measure_are_refused_before_anything_is_sent(ground: Ground) -> None:
    fleet = ComposedFleet([place("a", GPU, gpus=1)], all_come(ground.root))
    stored = run(ground, fleet, ground.bundle())
    reason = "no node of the cluster has a CPU to measure on"
    assert [(record.status, record.reason) for record in stored.cells()] == [("unavailable", reason)] * 2
    assert fleet.started == []


def test_a_node_that_cannot_run_a_cell_says_why(ground: Ground) -> None:
    needs = [need_of(cell) for cell in ground.cells]
    stored = run(ground, ComposedFleet([place("a", without=needs)]), ground.bundle())
    assert [record.reason for record in stored.cells()] == ["no wheel"] * 2


def begun(ground: Ground, node: str) -> Bundle:
    """Return a bundle that holds the first build of each cell, measured on *node*."""
    bundle = ground.bundle()
    return run(ground, ComposedFleet([place(node)], all_come(ground.root)), bundle)


def test_a_run_goes_on_where_it_has_builds(ground: Ground) -> None:
    bundle = begun(ground, "b")
    stored = run(ground, ComposedFleet([place("a"), place("b")], all_come(ground.root)), bundle, rounds=2)
    assert {node for _, _, node in nodes_of(stored)} == {"b"}


def test_where_its_host_is_gone_all_is_measured_anew_on_one(ground: Ground) -> None:
    """Versions are compared on one host alone."""
    bundle = begun(ground, "b")
    stored = run(ground, ComposedFleet([place("a")], all_come(ground.root)), bundle, rounds=2)
    assert nodes_of(stored) == [(cell.id, number, "a") for cell in ground.cells for number in (0, 1)]
    assert len(list((bundle.root / "set-aside").glob("*/*/note"))) == 2
    name = Host(machine="b", device="cpu").name
    assert any(
        line.endswith(f"measured anew, since {name} is not in the cluster now") for line in ground.said
    )


def test_where_nothing_is_missing_what_a_host_that_is_gone_measured_stays(ground: Ground) -> None:
    bundle = begun(ground, "b")
    fleet = ComposedFleet([place("a")], all_come(ground.root))
    assert {node for _, _, node in nodes_of(run(ground, fleet, bundle))} == {"b"}
    assert fleet.started == []


def test_a_second_look_elsewhere_keeps_the_first(ground: Ground) -> None:
    bundle = begun(ground, "b")
    bundle.update(confirming={cell.id: 1 for cell in ground.cells})
    stored = run(ground, ComposedFleet([place("a")], all_come(ground.root)), bundle, rounds=2)
    assert [node for _, _, node in nodes_of(stored)] == ["b", "a"] * 2


def test_a_cell_is_measured_on_a_gpu_where_it_would_use_one(ground: Ground) -> None:
    class OnBoth(type(ground.parts().runtimes["onnxruntime"])):  # type: ignore[misc]
        def measures_on_gpu(self, _version: str) -> bool:
            return True

    parts = ground.parts()
    parts.runtimes["onnxruntime"] = OnBoth()  # type: ignore[index]
    cell: Cell = ground.cells[0]
    for places, kind in (([place("a")], "cpu"), ([place("a"), place("a", GPU)], "gpu")):
        schedule = FleetSchedule(
            ComposedFleet(places), ground.bundle(), [cell], parts, settings_for(ground.plan, 1), rounds=1
        )
        assert schedule._kind(cell) == kind
        (ground.root / "run").rename(ground.root / f"run-{kind}")
