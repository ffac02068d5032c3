"""Costs against earlier nights: what state they had, and what is said of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from harness.analysis.grid import grid_of
from harness.analysis.night_values import SeriesNights
from harness.analysis.nights import NightBaseline, judge_nights
from harness.analysis.table import State
from harness.analysis.verdict import LATENCY
from harness.analysis.wording import change_that_shows
from tests.analysis.test_nights import NIGHTS, RULES, TIMES, against, nights, tonight


@pytest.mark.parametrize(("scatter", "word"), [(0.06, "reduced"), (0.005, "removed")])
def test_a_cost_was_there_where_the_mean_over_nights_is_surely_above_the_limit(
    compose: Any, scatter: float, word: str
) -> None:
    """5.2 % over six nights: half the width is their scatter / sqrt(6) times Student's t."""
    by = np.array([-1, 1, -1, 1, -1, 1]) * scatter
    gone = grid_of(compose.run(tonight(compose, 1.0, 1.0, 1.0, times={**TIMES, "pointwise": 0.0})))
    found = against(gone, SeriesNights(nights(0.052, tuple(1 + by), total=1.0)), measure="pointwise")
    assert found.verdict == word
    half = 2.571 * 0.052 * float(np.std(by, ddof=1)) / 6**0.5
    assert (0.052 - half > 0.05) is (word == "removed")


def test_the_state_is_that_of_tonight_where_no_night_has_it(compose: Any) -> None:
    grid = grid_of(compose.run(tonight(compose, 1.0, 1.0, 1.0, times=TIMES)))
    rules = {"pointwise": RULES["pointwise"]}
    cost, latency = judge_nights(grid, NightBaseline("the last 14 nights"), rules=rules)
    assert (cost.bottleneck, cost.state, cost.reason) == (
        "pointwise",
        State.PRESENT,
        "no earlier night has it",
    )
    assert (latency.bottleneck, latency.state) == (LATENCY, None)
    few = against(grid, SeriesNights(nights(0.2, NIGHTS[:2], total=1.0)), measure="pointwise")
    assert (few.verdict, few.state) == ("indeterminate", State.PRESENT)


def test_a_cost_says_its_nights_and_what_could_have_been_shown_of_it(compose: Any) -> None:
    grid = grid_of(compose.run(tonight(compose, 1.0, 1.0, 1.0, times=TIMES)))
    level = nights(0.2, (0.9, 1.1, 1.0, 0.92, 1.08), total=1.0)
    found = against(
        grid, SeriesNights(level, differs=("driver 1 -> 2", "kernel 5 -> 6")), measure="pointwise"
    )
    assert found.verdict == "indeterminate"
    assert found.smallest_detectable is not None
    scatter = 100 * float(np.std([0.2 * by for by in (0.9, 1.1, 1.0, 0.92, 1.08)], ddof=1))
    assert (
        f"; tonight against 5 nights, which scatter by {scatter:.2f} %; no anchor; also differ: "
        in found.reason
    )
    assert "also differ: driver 1 -> 2, kernel 5 -> 6; " in found.reason
    assert found.reason.endswith(change_that_shows(found.smallest_detectable, "it"))
    assert found.evidence["anchor"] is None


@pytest.mark.parametrize(("tonight_ms", "word"), [(1.0216, "indeterminate"), (1.027, "regressed")])
def test_an_alarm_takes_an_interval_of_99_9_per_cent(compose: Any, tonight_ms: float, word: str) -> None:
    """Beyond the limit by 4.03 standard errors (99 % with 5 degrees of freedom), not by 6.87 (99.9 %)."""
    logs = np.log(NIGHTS)
    error = float(np.std(logs, ddof=1)) * (1 + 1 / 6) ** 0.5
    beyond = float(np.log(tonight_ms) - logs.mean() - np.log(1.01)) / error
    assert beyond > 4.03
    assert (beyond > 6.87) is (word == "regressed")
    grid = grid_of(compose.run(tonight(compose, *(tonight_ms,) * 3)))
    assert against(grid, SeriesNights(nights(1.0))).verdict == word


@pytest.mark.parametrize(("cost", "word"), [(0.111, "indeterminate"), (0.112, "regressed")])
def test_so_does_one_of_a_cost(compose: Any, cost: float, word: str) -> None:
    values = 0.1 * np.array(NIGHTS)
    error = float(np.std(values, ddof=1)) * (1 + 1 / 6) ** 0.5
    beyond = (cost - float(values.mean()) - 0.01) / error
    assert beyond > 4.03
    assert (beyond > 6.87) is (word == "regressed")
    times = {**TIMES, "pointwise": cost}
    grid = grid_of(compose.run(tonight(compose, 1.0, 1.0, 1.0, times=times)))
    assert against(grid, SeriesNights(nights(0.1, total=1.0)), measure="pointwise").verdict == word
