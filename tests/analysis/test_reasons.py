"""Reasons in words: each says its numbers, its sides, and what could not be told."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from harness.analysis.comparison import Found
from harness.analysis.grid import grid_of
from harness.analysis.groups import BuildGroup
from harness.analysis.reasons import (
    builds_in_words,
    differences_besides,
    no_total,
    reason_of,
    state_in_words,
    too_few,
    with_notes,
)
from harness.analysis.rules.builtin import trtmatrix_bottlenecks
from harness.analysis.series import Series
from harness.analysis.table import Answer, Change, State
from harness.observations.identity import Identity
from harness.store.documents.origin import Host, Software

RULE = trtmatrix_bottlenecks()[0]
NOTHING = "costs less than 0.1 % of the layer time"
SIDES = Series((0.05, 0.05)), Series((0.1, 0.1))
COSTS = "0.0500 -> 0.1000 ms (2.000 times)"


@pytest.mark.parametrize(
    ("change", "nothing", "said"),
    [
        (Change.REGRESSED, (False, False), f"said; {COSTS}"),
        (None, (False, False), f"said; {COSTS}; a change of 2.0 % of it could have been shown"),
        (Change.REGRESSED, (True, False), f"said; {COSTS}; the old {NOTHING} and is counted as that much"),
        (Change.REGRESSED, (False, True), f"said; {COSTS}; the new {NOTHING} and is counted as that much"),
        (Change.UNCHANGED, (True, True), f"{NOTHING} on both sides"),
        (None, (True, True), f"said; {COSTS}; a change of 2.0 % of it could have been shown"),
    ],
)
def test_a_cost_says_both_sides_and_what_could_have_been_shown(
    change: Change | None, nothing: tuple[bool, bool], said: str
) -> None:
    found = Found(smallest=0.02)
    assert reason_of(RULE, Answer(change, "said"), SIDES, found, nothing) == said


def test_a_latency_says_what_could_have_been_shown_of_itself() -> None:
    found, nothing = Found(smallest=0.02), (False, False)
    unclear = reason_of(None, Answer(None, "said"), SIDES, found, nothing)
    assert unclear == "said; a change of 2.0 % could have been shown"
    assert reason_of(None, Answer(None, "said"), SIDES, Found(), nothing) == "said"
    assert reason_of(None, Answer(Change.REDUCED, "said"), SIDES, found, nothing) == "said"


def test_builds_are_counted_in_words() -> None:
    assert [builds_in_words(n) for n in (0, 1, 2)] == ["no build", "one build", "2 builds"]
    assert too_few((1, 3)) == (
        "one build of the old and 3 builds of the new: with fewer than 2 on a side "
        "no change of any size can be shown"
    )


@pytest.mark.parametrize(
    ("values", "shares", "state", "said"),
    [
        ((0.1,), (0.1,), None, ("indeterminate", "one build: fewer than 2 show no spread")),
        ((), (), None, ("indeterminate", "no build: fewer than 2 show no spread")),
        (
            (0.1, 0.1),
            None,
            None,
            ("indeterminate", "the profile covers a part of the network: no share of the whole"),
        ),
        ((0.0, 0.0), (0.0, 0.0), State.ABSENT, ("absent", NOTHING)),
        ((0.0, 0.0), (0.0, 0.0), None, ("indeterminate", NOTHING)),
        (
            (0.1, 0.1),
            (0.1, 0.1),
            State.PRESENT,
            ("present", "costs 10.0 % of the layer time (10.0 to 10.0)"),
        ),
    ],
)
def test_a_state_says_the_share_or_why_there_is_none(
    values: tuple[float, ...], shares: tuple[float, ...] | None, state: State | None, said: tuple[str, str]
) -> None:
    assert state_in_words(Series(values, shares=shares), state) == said


def test_a_share_on_both_sides_of_the_line_is_no_state() -> None:
    word, reason = state_in_words(Series((0.04, 0.06), shares=(0.04, 0.06)), None)
    assert word == "indeterminate"
    assert reason.startswith("costs 4.9 % of the layer time (")
    assert reason.endswith("), neither wholly above nor below 5 %")


def test_a_share_needs_a_whole_on_both_sides() -> None:
    whole = Series((0.1, 0.2), totals=(1.0, 1.0), shares=(0.1, 0.2))
    part = replace(whole, shares=None)
    assert no_total(whole, whole) == ""
    said = "the profile covers a part of the network: what a change is worth of the whole cannot be told"
    assert no_total(part, whole) == no_total(whole, part) == said
    assert no_total(replace(whole, totals=(1.0,)), part) == "the old builds have no total layer time"


def test_notes_name_their_side_where_they_differ() -> None:
    assert with_notes("r", ("a", "b"), ("a", "b")) == "r; a; b"
    assert with_notes("r", ("a", "b"), ()) == "r; old: a; b"
    assert with_notes("r", (), ("a",)) == "r; new: a"
    assert with_notes("r", ("a",), ("b", "c")) == "r; old: a; new: b; c"
    assert with_notes("r", (), ()) == "r"


FIRST = Identity(
    "one", "one", digest="sha256:11", host=Host(machine="m", device="GPU-1"),
    software=Software(version="8.6.0", environment="venv", fingerprint="sha256:aa", driver="535.1"),
)  # fmt: skip


def of(compose: Any, identity: Identity | None) -> BuildGroup:
    (group,) = grid_of(compose.run(compose.cell("8.6.0", [compose.build(0, 1.0)]))).groups
    return replace(group, identity=identity)


def test_what_differs_besides_is_neither_what_is_compared_nor_what_a_run_varies(compose: Any) -> None:
    software = Software(version="8.7", environment="docker", fingerprint="sha256:bb", driver="550.2")
    other = replace(FIRST, pool="two", run="two", software=software)
    old, new = of(compose, FIRST), of(compose, other)
    environment, driver = "environment docker against venv", "driver 550.2 against 535.1"
    run = "run two against one"
    assert differences_besides(old, new, "version") == (environment, driver, run)
    told = differences_besides(old, new, "run")
    assert told[1:3] == (environment, driver)
    assert told[0] == "version 8.7 against 8.6.0"
    assert len(told) == 4
    assert differences_besides(of(compose, None), new, "version") == ()
    assert differences_besides(old, of(compose, None), "version") == ()
    same_pool = of(compose, replace(other, pool="one"))
    assert differences_besides(old, same_pool, "version") == (), "of one run all is as the matrix says"
    assert environment in differences_besides(old, same_pool, "run")
