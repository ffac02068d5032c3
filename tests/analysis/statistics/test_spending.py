"""Where the budget goes: to the level that dominates, no further than asked, whatever the sign."""

from __future__ import annotations

import inspect
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs
from scipy import stats

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


def once(old: Repetitions, new: Repetitions, build: float | None = 1.0) -> Situation:
    return Situation(Components(build, 1.0, 1.0), old, new, degrees=4.0)


@pytest.mark.parametrize(
    ("parts", "step"),
    [
        (Components(1.0, 1e-12, 1e-12), Step(builds=1, seconds=2 * 60.0)),  # one a side
        (Components(None, 1.0, 1e-12), Step(processes=1, seconds=(2 + 3) * 50.0)),  # for each build
        (Components(None, 1e-12, 1.0), Step(cycles=10, seconds=10 * (2 * 2 + 3 * 4) * 0.5)),  # each process
    ],
)
def test_a_step_costs_what_its_parts_cost(parts: Components, step: Step) -> None:
    now = Situation(parts, Repetitions(2, 2, 20), Repetitions(3, 4, 20), degrees=20.0)
    assert next_step(now, 0.0, Costs(60.0, 50.0, 0.5), seconds=1e6) == step


@settings(deadline=None, max_examples=30)
@given(st.floats(0.1, 3), st.floats(0.1, 3), st.floats(0.1, 20), st.floats(0.002, 0.05))
def test_new_builds_are_given_what_the_others_then_have(
    build: float, process: float, cycle: float, width: float
) -> None:
    """A law: a step costs its builds with all their processes and slices, and what the others get more."""
    now = situation(build, process, cycle)
    found = what_would_settle(now, width, COSTS)
    if found is not None:
        each = found.processes * COSTS.process + found.cycles * (2 + found.processes) * COSTS.cycle
        builds = 2 * 3 + 2 * found.builds
        assert found.seconds == pytest.approx(2 * found.builds * COSTS.build + builds * each)


def test_of_single_steps_the_one_that_narrows_most_for_its_price_is_taken() -> None:
    """Cycles are half of those there are: of the side that has more."""
    few, many = Repetitions(2, 2, 10), Repetitions(2, 2, 20)
    now = Situation(Components(None, 1e-9, 1.0), few, many, degrees=20.0)
    step = next_step(now, 0.0, COSTS, seconds=1e6)
    assert step is not None
    assert (step.builds, step.processes, step.cycles) == (0, 0, 10)
    dear = next_step(now, 0.0, Costs(60.0, 0.01, 10.0), seconds=1e6)
    assert dear is not None
    assert (dear.processes, dear.cycles) == (1, 0)
    assert next_step(now, 0.0, COSTS, seconds=0.0) is None


def test_what_is_to_be_expected_after_a_step() -> None:
    now = once(Repetitions(2, 2, 20), Repetitions(3, 4, 10))
    after = now.after(Step(builds=1, processes=2, cycles=5))
    assert (after.old, after.new) == (Repetitions(3, 4, 25), Repetitions(4, 6, 15))
    assert after.degrees == 4.0 + 2.0
    of_engines = once(Repetitions(1, 2, 20), Repetitions(1, 4, 10), build=None)
    assert of_engines.after(Step(processes=3)).degrees == 4.0 + 3 * 2


def test_the_width_is_that_of_students_t_with_all_that_is_added() -> None:
    side = Repetitions(2, 2, 4)
    now = Situation(Components(8.0, 4.0, 16.0), side, side, degrees=5.0, joined=3.0)
    variance = 2 * (8.0 / 2 + 4.0 / 4 + 16.0 / 16) + 3.0
    assert now.half_width() == pytest.approx(stats.t.ppf(0.975, 5.0) * variance**0.5)
    assert now.half_width(0.9) == pytest.approx(stats.t.ppf(0.95, 5.0) * variance**0.5)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.2, "1 second"),
        (1.4, "1 second"),
        (1.6, "2 seconds"),
        (59.4, "59 seconds"),
        (60.0, "1 minute"),
        (89.0, "1 minute"),
        (91.0, "2 minutes"),
        (3600.0, "60 minutes"),
    ],
)
def test_a_duration_is_said_as_people_say_it(seconds: float, said: str) -> None:
    assert Step(cycles=1, seconds=seconds).words == f"about 1 more cycle, {said}"


@given(st.floats(0.1, 5.0), st.floats(1.05, 3.0))
def test_an_anchor_s_error_is_the_least_that_repeating_leaves(joined: float, more: float) -> None:
    """Above what the joined error alone makes of the interval there is a way; at it and below, none."""
    plain = situation(1e-4, 1e-4, 1e-4)
    now = structs.replace(plain, joined=(joined / 100) ** 2)
    least = float(stats.norm.ppf(0.975)) * joined / 100
    costs = replace(COSTS, process=float("inf"), cycle=float("inf"))
    assert what_would_settle(now, least, costs) is None
    assert what_would_settle(now, 0.9 * least, costs) is None
    assert what_would_settle(now, more * least, costs) is not None


@pytest.mark.parametrize("needed", range(1, 41))
def test_few_more_builds_are_asked_for_exactly_and_many_by_no_more_than_a_half(needed: int) -> None:
    """Where builds are all that varies, so many more of either side make the width."""
    parts, side = Components(1e-4, 0.0, 0.0), Repetitions(3)
    now = Situation(parts, side, side, degrees=1000.0)
    width = now.after(Step(builds=needed)).half_width()
    found = what_would_settle(now, width, Costs(60.0, float("inf"), float("inf")))
    assert found is not None
    assert (found.processes, found.cycles, found.seconds) == (0, 0, 120.0 * found.builds)
    assert found.builds == needed if needed <= 8 else needed <= found.builds <= min(1.45 * needed, 40)
    more = now.after(Step(builds=41)).half_width()
    assert what_would_settle(now, more, Costs(60.0, float("inf"), float("inf"))) is None


@pytest.mark.parametrize("needed", [1, 2, 3, 5, 8, 12, 20, 40])
def test_processes_of_one_engine_are_asked_for_up_to_forty(needed: int) -> None:
    now = Situation(Components(None, 1e-4, 0.0), Repetitions(1, 3), Repetitions(1, 3), degrees=1000.0)
    width = now.after(Step(processes=needed)).half_width()
    found = what_would_settle(now, width, Costs(60.0, 5.0, float("inf")))
    assert found == Step(0, needed, 0, 2 * 5.0 * needed)
    more = now.after(Step(processes=41)).half_width()
    assert what_would_settle(now, more, Costs(60.0, 5.0, float("inf"))) is None


@pytest.mark.parametrize("times", [0.5, 1.0, 3.0, 7.0, 15.0])
def test_cycles_are_asked_for_up_to_sixteen_times_those_there_are(times: float) -> None:
    now = Situation(Components(None, 0.0, 1e-2), Repetitions(1, 2, 20), Repetitions(1, 2, 20), degrees=1000.0)
    more = round(20 * times)
    width = now.after(Step(cycles=more)).half_width()
    found = what_would_settle(now, width, Costs(60.0, float("inf"), 0.5))
    assert found == Step(0, 0, more, 0.5 * 4 * more)
    beyond = now.after(Step(cycles=301)).half_width()
    assert what_would_settle(now, beyond, Costs(60.0, float("inf"), 0.5)) is None


@pytest.mark.parametrize(("degrees", "enough"), [(7.9, False), (8.0, True)])
def test_a_narrow_interval_is_enough_from_eight_degrees_of_freedom_on(degrees: float, enough: bool) -> None:
    side = Repetitions(3)
    now = Situation(Components(1e-6, 0.0, 0.0), side, side, degrees)
    assert (next_step(now, 0.05, COSTS, seconds=1e6) is None) is enough
