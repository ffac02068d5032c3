"""What the machine did to all versions is told of none; what an anchor did by itself is told of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from harness.analysis.grid import Grid, grid_of
from harness.analysis.night_values import NightValue, SeriesNights
from harness.analysis.nights import NightBaseline, judge_nights, key_of
from harness.analysis.verdict import LATENCY, Verdict
from harness.written import change
from tests.analysis.test_nights import NIGHTS, RULES, TIMES, nights, tonight

ANCHOR = "tensorrt 1.0"


def beside(
    level: float, factors: Sequence[float] = NIGHTS, total: float | None = None
) -> tuple[NightValue, ...]:
    """Return nights of one series beside those of an anchor of 2 ms, which scatters by itself."""
    own = np.exp(np.random.default_rng(7).normal(0.0, 0.001, len(factors)))
    made = nights(level, tuple(factors * own))
    return tuple(
        NightValue(x.night, x.day, x.values, total, (2.0 * by,) * 2)
        for x, by in zip(made, factors, strict=True)
    )


def told(grid: Grid, measure: str = LATENCY, totals: tuple[float | None, float | None] = (None, None)) -> Any:
    """Return the verdicts on one measure by version: 1.0 is the anchor of the others."""
    series = {}
    for group in grid.judged:
        is_anchor = group.cell.version == "1.0"
        own = SeriesNights(nights(2.0), no_anchor="it is the anchor")
        series[key_of(group, LATENCY)] = own if is_anchor else SeriesNights(beside(1.0), anchor=ANCHOR)
        if measure != LATENCY:
            cost = nights(0.4, total=totals[0]) if is_anchor else beside(0.2, total=totals[1])
            found = SeriesNights(cost, anchor="" if is_anchor else ANCHOR)
            series[key_of(group, measure)] = found
    rules = {} if measure == LATENCY else {measure: RULES[measure]}
    verdicts: list[Verdict] = judge_nights(grid, NightBaseline("the last 14 nights", series), rules=rules)
    return {v.version: v for v in verdicts if v.bottleneck == measure}


def cells(compose: Any, anchor: float, *others: float, times: Any = TIMES) -> Grid:
    """Return a night in which the anchor takes 2 ms times *anchor*, and others 1 ms times theirs."""

    def row(ms: float, version: str) -> Any:
        layers = {name: ms * by for name, by in times.items()}
        return tonight(compose, *(ms,) * 3, version=version, times=layers)

    rows = [row(ms, f"{n}.0") for n, ms in enumerate(others, start=2)]
    return grid_of(compose.run(row(2.0 * anchor, "1.0"), *rows))


@pytest.mark.parametrize("factor", [1.27, 0.8])
def test_what_all_versions_did_is_told_of_the_machine(compose: Any, factor: float) -> None:
    found = told(cells(compose, factor, factor, factor))
    anchor = found["1.0"]
    assert (anchor.verdict, anchor.change, anchor.alarm) == ("indeterminate", None, False)
    said = change(factor)
    assert anchor.reason.startswith(
        f"the machine: the versions measured beside it moved by {said} with it, so"
    )
    assert anchor.evidence["machine"] == pytest.approx(factor, rel=0.002)
    assert "could have been shown" not in anchor.reason
    for version in ("2.0", "3.0"):
        assert found[version].verdict != "regressed"
        assert found[version].evidence["machine"] is None


@pytest.mark.parametrize("others", [(1.0,), (1.0, 1.0, 1.2)])
def test_an_anchor_that_most_versions_did_not_follow_changed_by_itself(compose: Any, others: Any) -> None:
    anchor = told(cells(compose, 1.2, *others))["1.0"]
    assert (anchor.verdict, anchor.evidence["machine"]) == ("regressed", None)
    assert told(cells(compose, 0.8, *others))["1.0"].verdict == "reduced"


@pytest.mark.parametrize(("others", "word"), [(1.08, "regressed"), (1.12, "indeterminate")])
def test_half_of_its_change_has_to_be_the_anchor_s_own(compose: Any, others: float, word: str) -> None:
    """Slower by 20 %, 0.182 on the logarithm, of which half is 1.095 times."""
    assert told(cells(compose, 1.2, others, others))["1.0"].verdict == word


def test_an_anchor_alone_in_its_network_is_held_against_its_nights(compose: Any) -> None:
    assert told(cells(compose, 1.2))["1.0"].verdict == "regressed"


def test_a_version_that_changed_says_nothing_of_the_anchor(compose: Any) -> None:
    found = told(cells(compose, 1.0, 0.7))
    assert found["1.0"].verdict in ("unchanged", "indeterminate")
    assert found["2.0"].verdict == "reduced"


def test_costs_are_held_against_those_of_earlier_nights_in_times_of_the_anchor(compose: Any) -> None:
    """Pointwise takes a fifth; the machine takes a quarter longer for everything."""
    found = told(cells(compose, 1.25, 1.25), "pointwise", (2.0, 1.0))
    assert found["2.0"].change not in ("regressed", "reduced")
    assert found["2.0"].difference == pytest.approx(0.0, abs=0.003)
    assert f"through {ANCHOR}, measured in each" in found["2.0"].reason
    assert found["2.0"].evidence["anchor"] == ANCHOR
    assert found["1.0"].verdict == "indeterminate"
    assert found["1.0"].reason.startswith("the machine: ")


def test_a_cost_that_grew_by_itself_is_told_through_the_anchor(compose: Any) -> None:
    grown = {**TIMES, "pointwise": 0.3}
    rows = (
        tonight(compose, 2.5, 2.5, version="1.0", times={name: 2.5 * by for name, by in TIMES.items()}),
        tonight(compose, 1.25, 1.25, times={name: 1.25 * by for name, by in grown.items()}),
    )
    found = told(grid_of(compose.run(*rows)), "pointwise", (2.0, 1.0))["2.0"]
    assert found.verdict == "regressed"
    assert found.difference == pytest.approx(0.1, abs=0.003)


def test_a_cost_of_the_anchor_that_grew_by_itself_is_told_of_it(compose: Any) -> None:
    rows = (
        tonight(compose, 2.0, 2.0, version="1.0", times={"pointwise": 0.6, "depthwise": 0.6, "other": 0.8}),
        tonight(compose, 1.0, 1.0, times=TIMES),
    )
    found = told(grid_of(compose.run(*rows)), "pointwise", (2.0, 1.0))["1.0"]
    assert (found.verdict, found.difference) == ("regressed", pytest.approx(0.1, abs=0.002))


def test_the_noise_of_the_anchor_is_in_a_cost_in_proportion(compose: Any) -> None:
    """Of a cost of a fifth, two anchor builds 0.05 above and below on the logarithm make (0.2 * 0.05)^2."""
    apart = 2.0 * float(np.exp(0.05)), 2.0 * float(np.exp(-0.05))

    def width(*anchor: float) -> float:
        rows = tonight(compose, *anchor, version="1.0"), tonight(compose, 1.0, 1.0, times=TIMES)
        found = told(grid_of(compose.run(*rows)), "pointwise", (2.0, 1.0))["2.0"].difference_interval
        return float(found[1] - found[0])

    assert width(*apart) > 1.5 * width(2.0, 2.0)


def test_slow_builds_are_named_and_do_not_hide_a_change(compose: Any) -> None:
    rows = tonight(compose, 2.0, 2.0, 2.4, version="1.0"), tonight(compose, 1.2, 1.2, 1.5)
    found = told(grid_of(compose.run(*rows)))["2.0"]
    assert found.verdict == "regressed"
    assert found.effect == pytest.approx(1.2, rel=0.01)
    assert "; tonight 1 of 3 builds is 25.0 % slower than the rest; " in found.reason
    assert "; of the anchor 1 of 3 builds is 20.0 % slower than the rest; " in found.reason
