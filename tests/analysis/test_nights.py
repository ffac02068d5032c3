"""Tonight against earlier nights that are given as records: what is compared, and what is said of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pytest
from scipy import stats

from harness.analysis.accepted import Accepted
from harness.analysis.grid import Grid, grid_of
from harness.analysis.night_values import NightValue, SeriesNights, anchor_values
from harness.analysis.nights import NightBaseline, judge_nights, key_of
from harness.analysis.rules.builtin import trtmatrix_bottlenecks
from harness.analysis.table import State
from harness.analysis.verdict import LATENCY, Verdict
from harness.analysis.wording import change_that_shows

RULES = {rule.name: rule for rule in trtmatrix_bottlenecks()}
NIGHTS = (1.0, 1.002, 0.998, 1.001, 0.999, 1.003)
"""What nights scatter, times their level."""
TIMES = {"pointwise": 0.2, "depthwise": 0.3, "other": 0.5}


def nights(level: float, factors: Sequence[float] = NIGHTS, **more: Any) -> tuple[NightValue, ...]:
    return tuple(
        NightValue(f"night-{n}", f"2026-02-0{n + 1}", (level * by,) * 3, **more)
        for n, by in enumerate(factors)
    )


def tonight(compose: Any, *latencies: float, version: str = "2.0", **more: Any) -> Any:
    return compose.cell(version, [compose.build(n, ms, **more) for n, ms in enumerate(latencies)])


def against(
    grid: Grid, found: SeriesNights, *, measure: str = LATENCY, version: str = "2.0", **more: Any
) -> Verdict:
    """Return the verdict on one measure of a version, whose earlier nights are *found*."""
    (group,) = [one for one in grid.judged if one.cell.version == version]
    baseline = NightBaseline("the last 14 nights", {key_of(group, measure): found})
    more.setdefault("rules", {} if measure == LATENCY else {measure: RULES[measure]})
    (said,) = [
        v
        for v in judge_nights(grid, baseline, **more)
        if (v.bottleneck, v.version, v.host) == (measure, version, group.host)
    ]
    return said


def test_a_latency_that_left_its_level_is_a_change(compose: Any) -> None:
    grid = grid_of(compose.run(tonight(compose, 1.1, 1.1, 1.1)))
    found = against(grid, SeriesNights(nights(1.0), differs=("driver 1 -> 2",)))
    assert (found.verdict, found.kind, found.measured) == ("regressed", "night", "on other nights")
    assert (found.against, found.against_cell) == ("the last 14 nights", found.cell)
    assert found.builds == (6, 3)
    assert found.effect == pytest.approx(1.1 / np.exp(np.mean(np.log(NIGHTS))))
    assert found.interval is not None
    assert found.interval[0] < found.effect < found.interval[1]
    scatter = float(np.std(np.log(NIGHTS), ddof=1))
    assert found.evidence == {
        "material": 0.01,
        "scatter_of_nights": pytest.approx(scatter),
        "nights": [f"night-{n}" for n in range(6)],
        "set_aside": [],
        "anchor": None,
        "machine": None,
        "also_differ": ["driver 1 -> 2"],
    }
    assert f"tonight against 6 nights, which scatter by {100 * scatter:.2f} %; no anchor" in found.reason
    assert found.reason.endswith("; also differ: driver 1 -> 2")


def test_what_did_not_leave_its_level_is_unchanged_and_what_is_known_of_it_is_said(compose: Any) -> None:
    grid = grid_of(compose.run(tonight(compose, 1.0, 1.0, 1.0)))
    same = against(grid, SeriesNights(nights(1.0)), material=0.05)
    assert (same.verdict, same.evidence["material"]) == ("unchanged", 0.05)
    assert same.smallest_detectable is not None
    unclear = against(grid, SeriesNights(nights(1.0, (0.9, 1.1, 1.0, 0.92, 1.08))))
    assert (unclear.verdict, unclear.change) == ("indeterminate", None)
    assert unclear.smallest_detectable is not None
    assert unclear.smallest_detectable > same.smallest_detectable
    assert unclear.reason.endswith(f"; {change_that_shows(unclear.smallest_detectable, '')}")


@pytest.mark.parametrize(("count", "said"), [(1, "1 earlier night"), (2, "2 earlier nights")])
def test_of_fewer_than_three_nights_the_scatter_is_not_known(compose: Any, count: int, said: str) -> None:
    """Those of an earlier level say how nights scatter, too."""
    grid = grid_of(compose.run(tonight(compose, 2.0, 2.0)))
    found = against(grid, SeriesNights(nights(1.0, NIGHTS[:count])))
    assert found.verdict == "indeterminate"
    assert found.reason == f"{said}: with fewer than 3 what nights scatter is not known"
    more = against(grid, SeriesNights(nights(1.0, NIGHTS[:count]), nights(5.0)))
    assert (more.verdict, more.builds[0]) == ("regressed", count)


def test_what_no_night_has_or_nobody_can_look_at_is_told(compose: Any) -> None:
    grid = grid_of(compose.run(tonight(compose, 1.0, 1.0), compose.cell("3.0", status="unavailable")))
    new, gone = judge_nights(grid, NightBaseline("the last 14 nights"), rules={})
    assert (new.verdict, new.reason) == ("indeterminate", "no earlier night has it")
    assert (gone.verdict, gone.reason) == ("unsupported", "the cell is unavailable here")


def test_one_night_that_was_asked_for_is_compared_with_and_all_say_how_they_scatter(compose: Any) -> None:
    grid = grid_of(compose.run(tonight(compose, 1.0, 1.0, 1.0)))
    found = against(grid, SeriesNights(nights(1.0), chosen=(2,)))
    assert found.builds == (1, 3)
    assert found.effect == pytest.approx(1 / NIGHTS[2])
    assert "tonight against 1 night, which scatter by" in found.reason


def test_a_bad_night_is_set_aside_by_its_day(compose: Any) -> None:
    grid = grid_of(compose.run(tonight(compose, 1.0, 1.0, 1.0)))
    found = against(grid, SeriesNights(nights(1.0, (*NIGHTS[:4], 1.4, NIGHTS[5]))))
    assert "set aside: 2026-02-05" in found.reason
    assert found.evidence["set_aside"] == ["night-4"]
    assert found.builds[0] == 5


def test_a_machine_that_is_slower_is_no_change_where_an_anchor_is_slower_too(compose: Any) -> None:
    """The anchor took 2 ms on each night, and takes 2.2 now."""
    rows = tonight(compose, 1.1, 1.1), tonight(compose, 2.2, 2.2, version="1.0")
    grid = grid_of(compose.run(*rows))
    level = nights(1.0, anchor=(2.0, 2.0))
    assert against(grid, SeriesNights(level)).verdict == "regressed"
    through = against(grid, SeriesNights(level, anchor="tensorrt 1.0"))
    assert (through.verdict, through.effect) == ("unchanged", pytest.approx(1.0, abs=0.01))
    assert "through tensorrt 1.0, measured in each" in through.reason
    same = against(grid, SeriesNights(level, anchor="tensorrt 1.0", same_engines=True))
    assert "through tensorrt 1.0, the same engines in each" in same.reason
    assert "it is lost" in against(grid, SeriesNights(level, no_anchor="it is lost")).reason


def test_an_anchor_is_of_the_same_host_and_no_repetition(compose: Any) -> None:
    own = tonight(compose, 1.0, 1.0)
    anchor = tonight(compose, 2.0, 2.1, version="1.0")
    here = grid_of(compose.run(own, anchor))
    (group,) = [one for one in here.judged if one.cell.version == "2.0"]
    assert anchor_values(here, group, "tensorrt 1.0") == (2.0, 2.1)
    assert anchor_values(here, group, "openvino 1.0") == ()
    assert anchor_values(here, group, "") == ()
    elsewhere = tonight(compose, 2.0, 2.1, version="1.0", host="host-b")
    repeated = replace(anchor, cell=replace(anchor.cell, repeat="aa"))
    for other in (elsewhere, repeated):
        assert anchor_values(grid_of(compose.run(own, other)), group, "tensorrt 1.0") == ()


def test_a_night_whose_builds_scatter_or_are_few_is_known_less_well(compose: Any) -> None:
    def width(*latencies: float) -> float:
        found = against(grid_of(compose.run(tonight(compose, *latencies))), SeriesNights(nights(1.0)))
        assert found.interval is not None
        return found.interval[1] - found.interval[0]

    plain = width(1.0, 1.0)
    two, four, eight = (width(*(0.97, 1.03) * times) for times in (1, 2, 4))
    assert plain < eight < four < two


def test_a_cost_is_held_against_its_part_of_the_layer_time_of_earlier_nights(compose: Any) -> None:
    """A tenth of the layer time then, a fifth now."""
    grid = grid_of(compose.run(tonight(compose, 1.0, 1.0, 1.0, times=TIMES)))
    found = against(grid, SeriesNights(nights(0.1, total=1.0)), measure="pointwise")
    assert (found.verdict, found.state) == ("regressed", State.PRESENT)
    assert found.difference == pytest.approx(0.1, abs=0.001)
    assert found.difference_interval is not None
    assert found.difference_interval[0] < 0.1 < found.difference_interval[1]
    assert (found.effect, found.builds) == (None, (6, 3))
    assert "; no anchor" in found.reason
    half = against(grid, SeriesNights(nights(0.1, total=2.0)), measure="pointwise")
    assert half.difference == pytest.approx(0.05, abs=0.001), "of a whole twice as large"
    none = {**TIMES, "pointwise": 0.0}
    gone = grid_of(compose.run(tonight(compose, 1.0, 1.0, 1.0, times=none)))
    assert against(gone, SeriesNights(nights(0.1, total=1.0)), measure="pointwise").verdict == "removed"


def test_after_a_change_the_layers_are_those_of_the_last_night_whose_files_are_kept(compose: Any) -> None:
    asked: list[str] = []
    row = {**TIMES, "other": 0.4}
    kept = grid_of(compose.run(tonight(compose, 0.9, 0.9, 0.9, times=row)))

    def stored(night: str) -> Grid | None:
        asked.append(night)
        return kept if night == "night-4" else None

    grid = grid_of(compose.run(tonight(compose, 1.1, 1.1, 1.1, times=TIMES)))
    found = against(grid, SeriesNights(nights(1.0)), stored=stored)
    assert asked == ["night-5", "night-4"]
    layers = {layer.name: (layer.old_ms, layer.new_ms) for layer in found.layers}
    assert layers["stem"] == (pytest.approx(0.4), pytest.approx(0.5))
    asked.clear()
    same = grid_of(compose.run(tonight(compose, 1.0, 1.0, 1.0, times=TIMES)))
    assert against(same, SeriesNights(nights(1.0)), stored=stored).verdict == "unchanged"
    assert asked == [], "nothing changed"
    alone = against(grid, SeriesNights(nights(1.0)))
    assert {layer.old_ms for layer in alone.layers} == {None}


def test_accepted_changes_are_noted(compose: Any) -> None:
    grid = grid_of(compose.run(tonight(compose, 1.1, 1.1, 1.1)))
    known = Accepted("regressed", "we want it", date(9999, 12, 31))
    found = against(grid, SeriesNights(nights(1.0)), accepted=[known])
    assert found.accepted == {"reason": "we want it", "expires": "9999-12-31"}


def test_series_of_one_host_say_together_how_nights_scatter(compose: Any) -> None:
    """A series of three nights is known as well as its neighbour of six."""
    rows = tonight(compose, 1.0, 1.0), tonight(compose, 1.0, 1.0, version="3.0")
    grid = grid_of(compose.run(*rows))
    by_version = {group.cell.version: group for group in grid.judged}
    few = SeriesNights(nights(1.0, NIGHTS[:3]))
    alone = against(grid, few)
    both = NightBaseline(
        "nights",
        {
            key_of(by_version["2.0"], LATENCY): few,
            key_of(by_version["3.0"], LATENCY): SeriesNights(nights(1.0)),
        },
    )
    (pooled,) = [v for v in judge_nights(grid, both, rules={}) if v.version == "2.0"]
    assert pooled.interval is not None
    assert alone.interval is not None
    assert pooled.interval[1] - pooled.interval[0] < alone.interval[1] - alone.interval[0]


def test_tonight_s_own_noise_is_added_less_that_of_a_usual_night(compose: Any) -> None:
    """Of two builds 0.05 above and below on the logarithm the mean has the variance 0.05^2."""
    apart = float(np.exp(0.05)), float(np.exp(-0.05))
    grid = grid_of(compose.run(tonight(compose, *apart)))
    level = nights(1.0)
    usual = tuple(replace(night, values=tuple(ms * night.values[0] for ms in apart)) for night in level)
    steady, alike = (against(grid, SeriesNights(one)) for one in (level, usual))
    quiet = against(grid_of(compose.run(tonight(compose, 1.0, 1.0))), SeriesNights(level))
    assert alike.interval == pytest.approx(quiet.interval), "a usual night is as unsure as this one"
    parts = float(np.var(np.log(NIGHTS), ddof=1)) * (1 + 1 / 6), 0.05**2
    shares = [part / sum(parts) for part in parts]
    degrees = max(1.0, 1 / (shares[0] ** 2 / (5 + 2) + shares[1] ** 2 / (1 + 2)) - 2)
    assert steady.effect is not None
    assert steady.interval is not None
    half = float(np.log(steady.interval[1] / steady.effect))
    assert half == pytest.approx(stats.t.ppf(0.975, degrees) * sum(parts) ** 0.5)


def test_the_anchor_s_noise_counts_where_there_is_one(compose: Any) -> None:
    apart = float(np.exp(0.05)), float(np.exp(-0.05))
    anchored = nights(1.0, anchor=(2.0, 2.0))

    def found(own: tuple[float, ...], other: tuple[float, ...], anchor: str = "tensorrt 1.0") -> Any:
        rows = tonight(compose, *own), tonight(compose, *(2 * ms for ms in other), version="1.0")
        return against(grid_of(compose.run(*rows)), SeriesNights(anchored, anchor=anchor)).interval

    still = (1.0, 1.0)
    assert found(still, apart) == pytest.approx(found(apart, still)), "either is part of the difference"
    assert found(still, apart, anchor="") == pytest.approx(found(still, still, anchor=""))
    few = found((1.0,), apart)
    assert few[1] / few[0] >= found(still, apart)[1] / found(still, apart)[0]


def test_the_anchor_is_named_in_the_evidence(compose: Any) -> None:
    rows = tonight(compose, 1.0, 1.0), tonight(compose, 2.0, 2.0, version="1.0")
    level = nights(1.0, anchor=(2.0, 2.0))
    found = against(grid_of(compose.run(*rows)), SeriesNights(level, anchor="tensorrt 1.0"))
    assert found.evidence["anchor"] == "tensorrt 1.0"
