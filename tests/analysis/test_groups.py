"""What a group of builds says of itself, from composed builds."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from harness.analysis.figures.kernels import kernels_of
from harness.analysis.grid import grid_of
from harness.analysis.groups import ONE_CACHE, BuildGroup, Release, mean_of_builds
from harness.analysis.rules.base import Cost
from harness.analysis.series import REFORMATS
from harness.attribution.engine import LayerRole
from harness.attribution.format_trial import FormatTrial
from harness.matrix.cell import Treatment
from harness.observations.records import BuildObservation


class Costs:
    """A rule whose costs are given, None where a build cannot tell; counts how often it is asked."""

    name = title = "given"

    def __init__(self, costs: list[Cost | None]) -> None:
        self.costs, self.asked = costs, 0

    def cost(self, build: BuildObservation) -> Cost | None:
        self.asked += 1
        return self.costs[build.build]


def group(compose: Any, builds: list[BuildObservation], **cell: Any) -> BuildGroup:
    """The one group of a cell."""
    (found,) = grid_of(compose.run(compose.cell("1.0", builds, **cell))).judged
    return found


def test_a_release_is_called_by_runtime_version_and_arm() -> None:
    assert Release("tensorrt", "8.6.0").label == "tensorrt 8.6.0"
    assert Release("tensorrt", "8.6.0", "aa").label == "tensorrt 8.6.0 (aa)"


def test_builds_that_failed_or_are_wrong_are_not_looked_at(compose: Any) -> None:
    made = [compose.build(n, 0.4 + n / 10) for n in range(4)]
    made[1] = replace(made[1], status="failed", reason="died")
    made[2] = replace(made[2], outputs=compose.wrong)
    found = group(compose, made)
    assert [b.build for b in found.good] == [b.build for b in found.builds] == [0, 3]
    assert (found.invalid, found.throttled, found.problem) == (1, 0, "died")


def test_a_cell_called_invalid_by_who_measured_it_is_one(compose: Any) -> None:
    assert group(compose, [compose.build(0, 0.4)], status="invalid").invalid == 1
    wrong = [replace(compose.build(n, 0.4), status="invalid") for n in range(2)]
    assert group(compose, wrong, status="invalid").invalid == 2
    assert group(compose, [compose.build(0, 0.4)]).invalid == 0


def test_the_cell_s_own_reason_comes_before_its_builds(compose: Any) -> None:
    dead = [replace(compose.build(n, None), status="failed", reason=f"died {n}") for n in range(2)]
    assert group(compose, dead, reason="no memory").problem == "no memory"
    assert group(compose, dead).problem == "died 0"
    assert group(compose, [compose.build(0, 0.4)]).problem == ""


def test_a_build_throttled_for_more_than_half_of_its_samples_is_left_out(compose: Any) -> None:
    """Twenty samples were kept."""
    made = [replace(compose.build(n, 0.4), throttled=left) for n, left in enumerate((0, 20, 21))]
    found = group(compose, made)
    assert [b.build for b in found.builds] == [0, 1]
    assert (found.throttled, len(found.good)) == (1, 3)


def test_builds_that_tried_formats_are_many_engines_and_not_judged(compose: Any) -> None:
    trial = FormatTrial("CHW32", "fp32", True)
    trying = [replace(compose.build(n, 0.4), trials=(trial,)) for n in range(2)]
    assert grid_of(compose.run(compose.cell("1.0", trying))).judged == ()
    found = group(compose, [*trying, compose.build(2, 0.5)])
    assert [b.build for b in found.builds] == [2]
    assert (found.throttled, found.invalid) == (0, 0)


def test_the_latency_of_a_group_is_the_geometric_mean_over_builds(compose: Any) -> None:
    found = group(compose, [compose.build(0, 1.0), compose.build(1, 4.0), compose.build(2, None)]).latency
    assert found.builds == (1.0, 4.0)
    assert found.middle == pytest.approx(2.0)
    assert found.interval is not None
    assert (found.low, found.high) == (found.interval.low, found.interval.high)
    assert found.interval.low < 2.0 < found.interval.high
    alone = group(compose, [compose.build(0, 1.0)]).latency
    assert (alone.middle, alone.interval, alone.low, alone.high) == (1.0, None, None, None)
    assert group(compose, [compose.build(0, None)]).latency.middle is None
    assert mean_of_builds(()) is None


def test_launching_bounds_the_builds_that_say_so(compose: Any) -> None:
    said = ({"launch_bound": True}, {"launch_bound": False}, {"launch_bound": "yes"}, {})
    found = group(compose, [replace(compose.build(n, 0.4), facts=facts) for n, facts in enumerate(said)])
    assert found.launch_bound == (1, 2)


def test_another_pass_is_judged_in_place_of_the_latency(compose: Any) -> None:
    made = [
        replace(compose.build(n, 0.4), passes={"latency": np.full(3, 0.4), "cuda_graph": np.full(3, 0.2)})
        for n in range(2)
    ]
    found = group(compose, made)
    assert found.series(None).values == (0.4, 0.4)
    graphs = found.judged_by("cuda_graph")
    assert graphs.series(None).values == (0.2, 0.2)
    assert found.series(None).values == (0.4, 0.4)


def test_the_values_of_a_rule_are_asked_for_once(compose: Any) -> None:
    engine = compose.engine([compose.layer("a", "pointwise", 0.5)])
    rule = Costs(
        [
            Cost(0.25, 0.5, (("a", 0.25),), {"n": 1}, "fused"),
            None,
            Cost(0.125, 0.25, (("b", 0.125),), {"n": 2}, "fused"),
        ]
    )
    found = group(compose, [replace(compose.build(n, 0.4), engine=engine) for n in range(3)])
    series = found.series(rule)
    assert found.series(rule) is series
    assert rule.asked == 3
    assert (series.values, series.shares, series.missing) == ((0.25, 0.125), (0.5, 0.25), 1)
    assert series.layers == ({"a": 0.25}, {"b": 0.125})
    assert series.evidence == ({"n": 1}, {"n": 2})
    assert (series.totals, series.notes) == ((0.5, 0.5), ("fused",))
    assert list(series.at_least(0.2)) == [0.25, 0.2]


@pytest.mark.parametrize("shares", [(0.5, None), (None, None), ()])
def test_a_share_that_one_build_lacks_is_none_of_the_group(
    compose: Any, shares: tuple[float | None, ...]
) -> None:
    rule = Costs([Cost(0.25, share) for share in shares] or [None, None])
    assert group(compose, [compose.build(n, 0.4) for n in range(2)]).series(rule).shares is None


def test_builds_of_one_timing_cache_say_so_where_there_is_a_spread(compose: Any) -> None:
    kept = Treatment(timing_cache="on")
    made = [compose.build(n, 0.4) for n in range(2)]
    assert group(compose, made, treatment=kept).series(None).notes == (ONE_CACHE,)
    assert group(compose, made[:1], treatment=kept).series(None).notes == ()
    assert group(compose, made).series(None).notes == ()


def test_the_carriers_of_the_latency_are_all_layers_and_reformats_as_one(compose: Any) -> None:
    rows = [
        compose.layer("conv", "convolution", 0.5),
        compose.layer("r1", "reformat", 0.125, role=LayerRole.REFORMAT, before=("a",), after=("b",)),
        compose.layer("r2", "reformat", 0.25, role=LayerRole.REFORMAT, before=("b",), after=("c",)),
        compose.layer("gone", "no_op", 0.0, role=LayerRole.NO_OP),
    ]
    made = replace(compose.build(0, 1.0), engine=compose.engine(rows))
    still = replace(compose.build(1, 1.0), engine=compose.engine(rows[:1]))
    series = group(compose, [made, still, compose.build(2, 1.0)]).series(None)
    assert series.layers == ({"conv": 0.5, REFORMATS: 0.375}, {"conv": 0.5}, {})


def test_engines_without_layer_times_are_no_timed_engines(compose: Any) -> None:
    timed = compose.engine([compose.layer("a", "pointwise", 0.5)])
    untimed = compose.engine([compose.layer("a", "pointwise", None)])
    made = [replace(compose.build(n, 1.0), engine=e) for n, e in enumerate((timed, untimed, None))]
    assert group(compose, made).timed_engines == (timed,)


def test_the_typical_build_is_the_one_in_the_middle_of_the_layer_times(compose: Any) -> None:
    def timed(number: int, ms: float | None) -> BuildObservation:
        engine = compose.engine([compose.layer("a", "pointwise", ms)])
        return replace(compose.build(number, 1.0), engine=engine)

    made = [timed(0, 0.5), timed(1, 0.1), timed(2, None), timed(3, 0.3)]
    found = group(compose, [*made, replace(timed(4, 0.2), outputs=compose.wrong)]).typical_build
    assert found is not None
    assert found.build == 3
    of_two = group(compose, made[:2]).typical_build
    assert of_two is not None
    assert of_two.build == 1, "of two the quicker"
    assert group(compose, made[2:3]).typical_build is None


def test_without_builds_a_group_is_of_no_pool_and_no_time(compose: Any) -> None:
    bare = group(compose, [])
    assert (bare.pool, bare.started, bare.measured, bare.good, bare.problem) == ("", "", None, (), "")
    assert bare.is_judged


def test_a_drift_is_the_change_a_round_in_the_order_of_the_rounds(compose: Any) -> None:
    made = [
        replace(compose.build(n, ms), round=r) for n, (ms, r) in enumerate([(1.21, 2), (1.0, 0), (1.1, 1)])
    ]
    found = group(compose, made).drift
    assert found == pytest.approx(np.log(1.1))
    assert group(compose, made[:2]).drift is None


@pytest.mark.parametrize(("repeat", "second"), [("aa", True), ("aa2", True), ("docker", False), ("", False)])
def test_the_second_arm_of_an_aa_pair_is_told_by_its_name(compose: Any, repeat: str, second: bool) -> None:
    (found,) = grid_of(compose.run(compose.cell("1.0", [compose.build(0, 1.0)], repeat=repeat))).groups
    assert found.is_aa is second


def test_what_was_worked_out_of_a_group_is_no_part_of_it(compose: Any) -> None:
    made = [compose.build(n, 0.4) for n in range(2)]
    one, two = group(compose, made), group(compose, made)
    before = repr(one)
    one.series(None)
    search = kernels_of(one)
    assert search is None
    assert one == two
    assert repr(one) == before
    assert "_series" not in before
    assert replace(one, name="x").series(None) is not one.series(None)


def test_a_group_is_of_no_known_network_where_nothing_says_so(compose: Any) -> None:
    found = group(compose, [])
    assert BuildGroup(found.cell, "", "failed", "").digest == found.digest == "unknown"
    assert (found.name, found.identity, found.observed) == ("", None, ())
