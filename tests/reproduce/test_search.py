"""The search for a piece that shows a change, on simulated measurers: what is found, and what it costs."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from harness.reproduce.search import Measured, Search
from harness.reproduce.whole import Nodes

LENGTH = 40


class Chain:
    """Pieces of a network whose nodes stand in a row."""

    def connected(self, nodes: Nodes) -> Nodes:
        """All from the first to the last."""
        return frozenset(range(min(nodes), max(nodes) + 1))

    def grown(self, nodes: Nodes, rings: int) -> Nodes:
        """As many more on both sides, where there are."""
        return frozenset(range(max(0, min(nodes) - rings), min(LENGTH, max(nodes) + rings + 1)))


def found(effect: float, width: float = 0.01) -> Measured:
    """A measurement with an interval of that width either way."""
    return Measured(effect, (effect * (1 - width), effect * (1 + width)), (3, 3), 1.0, effect)


def simulated(
    core: Nodes, change: float, most: int = 10_000
) -> tuple[Callable[[Nodes], Measured | None], list[Nodes]]:
    """A measurer for which a piece shows *change* where it holds *core*, and nothing else; and its calls."""
    calls: list[Nodes] = []

    def measure(piece: Nodes) -> Measured | None:
        if len(calls) == most:
            return None
        calls.append(piece)
        return found(change if core <= piece else 1.0)

    return measure, calls


spans = st.tuples(st.integers(0, LENGTH - 1), st.integers(1, 8)).map(
    lambda pair: frozenset(range(pair[0], min(LENGTH, sum(pair))))
)
changes = st.sampled_from([0.5, 0.9, 1.1, 2.0])


@given(core=spans, change=changes, data=st.data())
def test_finds_what_is_needed_and_nothing_more(core: Nodes, change: float, data: st.DataObject) -> None:
    carrier = frozenset(data.draw(st.sets(st.sampled_from(sorted(core)), min_size=1)))
    measure, calls = simulated(core, change)
    search = Search(Chain(), measure, change)
    assert search.find([carrier]) == core
    assert len(calls) == len(set(calls)), "nothing is measured twice"
    assert list(search.measured) == calls
    assert not search.stopped


@given(core=spans, others=st.lists(spans, max_size=4), change=changes)
def test_another_carrier_is_tried_where_the_largest_shows_nothing(
    core: Nodes, others: list[Nodes], change: float
) -> None:
    measure, calls = simulated(core, change)
    piece = Search(Chain(), measure, change).find([*others, core])
    assert piece is not None
    assert core <= piece
    alone = [one for one in others if not core <= one]
    assert calls[: len(dict.fromkeys(alone))] == list(dict.fromkeys(alone)) or any(
        core <= one for one in others
    )


@given(core=spans, change=changes, most=st.integers(0, 12))
def test_where_the_time_is_over_the_best_so_far_stays(core: Nodes, change: float, most: int) -> None:
    start = frozenset({min(core)})
    measure, calls = simulated(core, change, most)
    search = Search(Chain(), measure, change)
    piece = search.find([start])
    assert len(calls) <= most
    if piece is None:
        assert search.stopped
    else:
        assert search.measured[piece].shows(change)


@given(carriers=st.lists(spans, max_size=3))
def test_nothing_is_found_where_no_piece_shows_it(carriers: list[Nodes]) -> None:
    search = Search(Chain(), lambda _: found(1.0), 1.1)
    assert search.find(carriers) is None
    assert all(not one.shows(1.1) for one in search.measured.values())


def test_half_of_the_change_on_its_side_and_not_by_chance_is_enough() -> None:
    assert found(1.06).shows(1.1)
    assert not found(1.04).shows(1.1), "less than half"
    assert not found(1.06, 0.08).shows(1.1), "nothing may have happened"
    assert not found(0.9).shows(1.1), "the other way"
    assert found(0.8).shows(0.75)
    assert found(1.04, 0.02).confirms(1.1), "half of it is not left out"
    assert not found(1.03, 0.01).confirms(1.1), "less than half for sure"
    assert not found(1.06, 0.08).confirms(1.1)
    assert found(0.9, 0.04).confirms(0.75)
    assert not Measured(reason="failed").shows(1.1)
    assert not Measured(effect=1.3).shows(1.1), "one build has no interval"
