"""Where the budget goes: to the level that dominates, no further than asked, whatever the sign."""

from __future__ import annotations

import inspect

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.analysis.statistics import spending
from harness.analysis.statistics.components import Components, Repetitions
from harness.analysis.statistics.spending import Costs, Situation, Step, next_step, what_would_settle

COSTS = Costs(build=60.0, process=5.0, cycle=0.03)


def situation(build: float | None, process: float, cycle: float, builds: int = 3) -> Situation:
    """Return one whose components are given as standard deviations in per cent."""
    parts = Components(
        None if build is None else (build / 100) ** 2, (process / 100) ** 2, (cycle / 100) ** 2
    )
    side = Repetitions(builds, 2, 20)
    return Situation(parts, side, side, degrees=2.0 if build is None else 2.0 * builds - 2)


@pytest.mark.parametrize(
    ("now", "level"),
    [
        (situation(1.0, 0.1, 0.1), "builds"),
        (situation(None, 1.0, 0.1, builds=1), "processes"),
        (situation(None, 0.2, 20.0, builds=1), "cycles"),
        (situation(0.3, 0.3, 20.0), "cycles"),
    ],
)
def test_the_level_that_dominates_gets_the_budget(now: Situation, level: str) -> None:
    found = what_would_settle(now, 0.008, COSTS)
    assert found is not None
    spent = {name: getattr(found, name) for name in ("builds", "processes", "cycles")}
    assert spent[level] > 0
    step = next_step(now, 0.008, COSTS, seconds=1e6)
    assert step is not None
    assert getattr(step, level) > 0


def test_nothing_is_known_without_degrees_of_freedom() -> None:
    now = situation(None, 0.1, 0.1, builds=1)
    now = Situation(now.components, Repetitions(1, 1, 20), Repetitions(1, 1, 20), degrees=0.0)
    assert now.half_width() == float("inf")
    step = next_step(now, 0.01, COSTS, seconds=1e6)
    assert step is not None
    assert step.processes > 0


def test_narrow_by_chance_is_looked_at_once_more() -> None:
    now = situation(0.1, 0.1, 0.1)
    assert now.half_width() < 0.01
    step = next_step(now, 0.01, COSTS, seconds=1e6)
    assert step is not None
    assert step.builds == 1
    assert what_would_settle(now, 0.01, COSTS) == Step()
    assert next_step(now, 0.01, Costs(float("inf"), 5.0, 0.03), seconds=0.0) is None


def test_narrow_enough_is_enough() -> None:
    now = situation(0.1, 0.1, 0.1, builds=5)
    assert next_step(now, 0.01, COSTS, seconds=1e6) is None
    assert what_would_settle(now, 0.01, COSTS) == Step()


@settings(deadline=None, max_examples=30)
@given(st.floats(0.1, 3), st.floats(0.1, 3), st.floats(0.1, 20), st.floats(0.002, 0.05))
def test_what_is_promised_is_narrow_enough(build: float, process: float, cycle: float, width: float) -> None:
    now = situation(build, process, cycle)
    found = what_would_settle(now, width, COSTS)
    if found is not None:
        assert now.after(found).half_width() <= width


@settings(deadline=None, max_examples=30)
@given(st.floats(0.1, 3), st.floats(0.1, 3), st.floats(0.1, 20), st.floats(1, 1000))
def test_no_step_is_dearer_than_what_is_left(build: float, process: float, cycle: float, left: float) -> None:
    now = situation(build, process, cycle)
    step = next_step(now, 0.001, COSTS, seconds=left)
    if step is not None:
        assert 0 < step.seconds <= left
        assert now.after(step).half_width() < now.half_width()


def test_steps_lead_to_the_width_asked_for() -> None:
    now, left, count = situation(1.0, 0.3, 2.0), 1e6, 0
    while (step := next_step(now, 0.006, COSTS, left)) is not None:
        now, left, count = now.after(step), left - step.seconds, count + 1
    assert now.half_width() <= 0.006
    assert now.degrees >= 8
    assert count < 12


def test_nothing_settles_what_lies_at_the_margin_or_hangs_on_the_anchor() -> None:
    now = situation(1.0, 0.3, 2.0)
    assert what_would_settle(now, 0.0, COSTS) is None
    anchored = Situation(now.components, now.old, now.new, now.degrees, joined=0.01**2)
    assert what_would_settle(anchored, 0.01, COSTS) is None


def test_a_build_that_cannot_be_made_is_not_asked_for() -> None:
    found = what_would_settle(situation(0.5, 0.3, 2.0), 0.008, Costs(float("inf"), 5.0, 0.03))
    assert found is None or found.builds == 0


def test_nothing_here_is_given_an_estimate() -> None:
    for function in (next_step, what_would_settle, Situation):
        assert not {"estimate", "difference", "found", "ratio"} & set(inspect.signature(function).parameters)
    assert "material" not in inspect.getsource(spending)


@pytest.mark.parametrize(
    ("step", "words"),
    [
        (Step(builds=4, seconds=360), "about 4 more builds a side, 6 minutes"),
        (
            Step(builds=1, processes=2, seconds=59),
            "about 1 more build a side and 2 more processes a build, 59 seconds",
        ),
        (Step(cycles=40, seconds=61), "about 40 more cycles, 1 minute"),
    ],
)
def test_a_step_is_told_in_words(step: Step, words: str) -> None:
    assert step.words == words
