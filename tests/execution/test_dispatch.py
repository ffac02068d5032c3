"""The law of placement and redo, on composed nodes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from harness.execution.base import Block, PlannedBuild
from harness.execution.dispatch import TRIES, Became, Cut, Dispatch, GivenUp, Home
from harness.execution.fleet import GPU, Event, Lost, Order, Over, Place, Refused, Said, need_of
from harness.execution.placing import Group, choose, fitting, groups
from harness.store.documents.origin import Host
from tests.execution.composed_fleet import ComposedFleet, all_come, block, came, cell, order_of, place


def run(fleet: ComposedFleet, waiting: Sequence[Group], said: list[str] | None = None) -> list[Became]:
    return list(Dispatch(fleet, waiting, order_of, [].append if said is None else said.append).run())


def kept(became: Sequence[Became]) -> dict[PlannedBuild, str]:
    """Return the builds that are in the bundle at the end, and the node of each."""
    found: dict[PlannedBuild, str] = {}
    for one in became:
        if isinstance(one, Home):
            assert one.planned not in found, "measured twice"
            found[one.planned] = one.place.node
        elif isinstance(one, Cut):
            for planned in one.home:
                del found[planned]
    return found


@given(
    st.lists(st.integers(0, 3), min_size=1, max_size=6),
    st.integers(1, 4),
    st.lists(st.integers(0, 5), max_size=4),
)
def test_whatever_is_lost_each_build_is_there_once_and_a_block_on_one_node(
    builds: list[int], nodes: int, losses: list[int]
) -> None:
    """Places lose their block after some builds came home; machines stay."""
    left = list(losses)

    def plays(_place: Place, order: Order) -> list[Event]:
        if not left:
            return all_come(_place, order)
        return [*(came(build) for build in order.builds[: left.pop()]), Lost("the process was killed")]

    blocks = [block(f"net{number}", count + 1) for number, count in enumerate(builds)]
    fleet = ComposedFleet([place(f"node{number}") for number in range(nodes)], plays)
    became = run(fleet, groups(blocks, {}))
    found = kept(became)
    given_up = {build for one in became if isinstance(one, GivenUp) for build in one.builds}
    asked = Counter(build for one in blocks for build in one.builds)
    assert Counter([*found, *given_up]) == asked
    assert all(len({found[b] for b in one.builds if b in found}) <= 1 for one in blocks)
    assert set(fleet.most_at_once.values()) == {1}


def test_a_node_that_dies_costs_its_block_which_is_measured_elsewhere() -> None:
    def plays(place: Place, order: Order) -> list[Event]:
        if place.node == "a":
            return [came(order.builds[0]), Lost("its machine is gone")]
        return all_come(place, order)

    fleet, said = ComposedFleet([place("a"), place("b")], plays), list[str]()
    became = run(fleet, groups([block("one")], {}), said)
    (cut,) = (one for one in became if isinstance(one, Cut))
    assert (cut.place.node, list(cut.home)) == ("a", [block("one").builds[0]])
    assert kept(became) == dict.fromkeys(block("one").builds, "b")
    assert said == ["a: a block of 4 builds: one-fp32-b1", "b: a block of 4 builds: one-fp32-b1"]


def test_what_kills_each_node_that_gets_it_is_given_up() -> None:
    fleet = ComposedFleet([place("a")], lambda _place, _order: [Lost("out of memory")])
    became = run(fleet, groups([block("one")], {}))
    assert len(fleet.started) == TRIES
    (last,) = (one for one in became if isinstance(one, GivenUp))
    assert set(last.builds) == set(block("one").builds)
    assert last.reason == "its node was lost 3 times; the last time: out of memory"


def test_a_block_whose_builds_do_not_all_come_is_lost() -> None:
    plays = iter(
        [
            [came(block("one").builds[0]), Over()],
            all_come(place("a"), order_of(block("one"), place("a"), 0)[0]),
        ]
    )
    became = run(ComposedFleet([place("a")], lambda *_: next(plays)), groups([block("one")], {}))
    assert any(isinstance(one, Cut) for one in became)
    assert set(kept(became)) == set(block("one").builds)


def test_blocks_of_one_subject_go_to_one_host_one_after_the_other() -> None:
    """A build that begins with another's timing cache waits for it."""
    two = [block("one", 1), replace(block("one", 2), builds=block("one", 2).builds[1::2])]
    fleet = ComposedFleet([place("a"), place("b")])
    run(fleet, groups([*two, block("other")], {}))
    assert [node for node, order in fleet.started if order.builds[0].cell.network == "one"] == ["a", "a"]
    assert fleet.most_at_once == {"a": 1, "b": 1}


def test_a_block_goes_where_most_of_its_cells_can_run_and_waits_for_that() -> None:
    (group,) = groups([block("one")], {})
    poor, good = place("a", without=[need_of(cell("2"))]), place("b")
    assert choose(group, [poor, good], []) == good
    assert choose(group, [poor, good], [good]) is None
    assert choose(group, [poor], []) == poor


def test_a_block_goes_to_the_host_that_has_builds_of_it() -> None:
    home = Host(machine="b", device="cpu")
    (group,) = groups([block("one")], {"one-fp32-b1": home})
    assert [p.node for p in fitting(group, [place("a"), place("b")])] == ["b"]
    assert [p.node for p in fitting(group, [place("a"), place("c")])] == ["a", "c"]


def test_gpus_of_a_node_are_places_of_their_own_and_a_cpu_has_the_node_to_itself() -> None:
    node = [place("a", GPU, 0, gpus=2), place("a", GPU, 1, gpus=2), place("a", gpus=2)]
    on_gpu, on_cpu = groups([block("one", device=GPU), block("two")], {})
    assert choose(on_gpu, node, [node[0]]) == node[1]
    assert choose(on_gpu, node, node[:2]) is None
    assert choose(on_gpu, node, node[2:]) is None
    assert choose(on_cpu, node, node[:1]) is None
    assert choose(on_cpu, [*node, place("b")], []) == place("b"), "GPUs are left to those who need them"


def test_cells_that_no_node_can_run_are_refused_in_a_node_s_words() -> None:
    without = [need_of(cell("1")), need_of(cell("2"))]
    fleet = ComposedFleet([place("a", without=without)])
    became = run(fleet, groups([block("one"), block("two", device=GPU)], {}))
    assert fleet.started == []
    assert {(one.cell, one.reason) for one in became if isinstance(one, Refused)} == {
        *((cell(version, "one").id, "no wheel") for version in "12"),
        *((cell(version, "two").id, "no node of the cluster has a GPU to measure on") for version in "12"),
    }


def test_cells_refused_on_the_node_cost_the_others_nothing() -> None:
    def plays(_place: Place, order: Order) -> list[Event]:
        refused = order.builds[0].cell
        rest = [build for build in order.builds if build.cell != refused]
        return [Said("installing"), Refused(refused.id, "unavailable", "no"), *map(came, rest), Over()]

    became, said = list[Became](), list[str]()
    became = run(ComposedFleet([place("a")], plays), groups([block("one")], {}), said)
    assert [one.cell for one in became if isinstance(one, Refused)] == [cell("1", "one").id]
    assert len(kept(became)) == 2
    assert said[1] == "a: installing"


def test_a_place_is_sent_the_files_that_its_order_names() -> None:
    sent: list[Mapping[str, Path]] = []

    class Sending(ComposedFleet):
        def start(self, number: int, place: Place, order: Order, files: Mapping[str, Path]) -> None:
            sent.append(files)
            super().start(number, place, order, files)

    def order(block: Block, place: Place, later: int) -> tuple[Order, Mapping[str, Path]]:
        return order_of(block, place, later)[0], {"network": Path(block.builds[0].cell.network)}

    waiting = groups([block("one"), block("two")], {})
    list(Dispatch(Sending([place("a")]), waiting, order, [].append).run())
    assert sent == [{"network": Path("one")}, {"network": Path("two")}]


def test_each_order_says_how_many_builds_may_follow_on_its_place() -> None:
    """Those of its own group, and its share of those that wait for any place."""
    two = [block("one", 1), replace(block("one", 2), builds=block("one", 2).builds[1::2])]
    alone = ComposedFleet([place("a")])
    run(alone, groups([*two, block("other"), block("last", 3)], {}))
    assert [(order.builds[0].cell.network, order.later) for _, order in alone.started] == [
        ("one", 2 + 4 + 6), ("one", 4 + 6), ("other", 6), ("last", 0),
    ]  # fmt: skip
    shared = ComposedFleet([place("a"), place("b")])
    run(shared, groups([*two, block("other"), block("last", 3)], {}))
    assert [(order.builds[0].cell.network, order.later) for _, order in shared.started][:2] == [
        ("one", 2 + (4 + 6) // 2), ("other", 6 // 2),
    ]  # fmt: skip


def test_a_second_block_on_a_place_reckons_with_what_waits_for_that_place() -> None:
    """Other places may be gone by then: the first of two blocks shared what waits, the second does not."""
    two = [block("one", 1), replace(block("one", 2), builds=block("one", 2).builds[1::2])]
    fleet = ComposedFleet([place("a"), place("b")])
    run(fleet, groups([*two, block("other", 6), block("last", 3)], {}))
    later = {
        order.builds[0].number: order.later for _, order in fleet.started if "one" in order.builds[0].cell.id
    }
    assert later == {0: 2 + (12 + 6) // 2, 1: 6}


def test_one_build_is_said_to_be_one_and_a_place_without_a_word_is_a_lost_one() -> None:
    fleet, said = ComposedFleet([place("a")], lambda *_: [Over()]), list[str]()
    became = run(fleet, groups([block("one", 1, ["1"])], {}), said)
    assert said == ["a: a block of one build: one-fp32-b1"] * TRIES
    assert [one.reason for one in became if isinstance(one, Cut)] == [
        "it gave builds up without a word"
    ] * TRIES
    (last,) = (one for one in became if isinstance(one, GivenUp))
    assert last.reason.endswith("the last time: it gave builds up without a word")


def test_what_lost_its_place_comes_before_what_waits() -> None:
    plays = iter([[Lost("gone")], *[None] * 9])

    def play(place: Place, order: Order) -> list[Event]:
        return next(plays) or all_come(place, order)

    fleet = ComposedFleet([place("a")], play)
    run(fleet, groups([block("one"), block("two")], {}))
    assert [order.builds[0].cell.network for _, order in fleet.started] == ["one", "one", "two"]


def test_a_build_beyond_those_asked_for_comes_home_as_its_cell_s() -> None:
    """A block may build once more for a second look."""
    asked = block("one", 1)

    def plays(place: Place, order: Order) -> list[Event]:
        return [came(PlannedBuild(cell("2", "one"), 7)), *all_come(place, order)]

    found = kept(run(ComposedFleet([place("a")], plays), groups([asked], {})))
    assert set(found) == {*asked.builds, PlannedBuild(cell("2", "one"), 7)}


def test_who_stops_asking_leaves_nothing_running() -> None:
    fleet = ComposedFleet([place("a"), place("b")])
    dispatch = Dispatch(fleet, groups([block("one"), block("two"), block("three")], {}), order_of, [].append)
    asked = dispatch.run()
    next(asked)
    assert dispatch.later == 4, "one block waits"
    asked.close()
    assert fleet.running == {}
    assert sorted(fleet.stopped) == [1, 2]
