"""What profiling costs, from the rounds of a build's profile."""

from __future__ import annotations

import pytest

from harness.evidence.records import Evidence, LayerTime
from harness.observations.profiling import Profiling, over, profiling_of
from harness.store.documents.profile import ProfileRound, ProfileRuns, counted

RUNS = ProfileRuns(
    way="behind an enqueue",
    clock="gpu",
    plain_ms=[1.0, 1.0, 9.0],
    rounds=[
        ProfileRound(round=0, settle=3, inference_ms=[1.1, 1.1]),
        ProfileRound(round=1, settle=1, inference_ms=[1.1, 5.0]),
    ],
)
TIMES = (LayerTime(position=0, name="a", median_ms=0.4), LayerTime(position=1, name="b", median_ms=0.5))


def test_the_cost_is_an_inference_with_the_profiler_over_one_without() -> None:
    found = profiling_of(Evidence(times=TIMES, profile=RUNS))
    assert found == Profiling("behind an enqueue", pytest.approx(0.9), 1.1, 1.0)
    assert found.cost == pytest.approx(0.1)


def test_a_layer_of_which_no_time_is_known_adds_none() -> None:
    """One that executes nothing is told of without a time; a mean stands in where there is no median."""
    without = LayerTime(position=2, name="c")
    mean = LayerTime(position=3, name="d", average_ms=0.25)
    found = profiling_of(Evidence(times=(*TIMES, without, mean), profile=RUNS))
    assert found is not None
    assert found.layers_ms == pytest.approx(1.15)
    found = profiling_of(Evidence(profile=RUNS))
    assert found is not None
    assert found.layers_ms == 0.0


def test_the_times_of_all_rounds_count_alike() -> None:
    rounds = [
        ProfileRound(round=0, settle=0, inference_ms=[4.0]),
        ProfileRound(round=1, settle=0, inference_ms=[]),
        ProfileRound(round=2, settle=0, inference_ms=[1.0, 2.0, 3.0]),
    ]
    found = profiling_of(Evidence(profile=ProfileRuns(way="x", clock="host", plain_ms=[2.0], rounds=rounds)))
    assert found is not None
    assert (found.inference_ms, found.plain_ms, found.cost) == (2.5, 2.0, 0.25)


def test_nothing_is_known_of_bundles_that_do_not_say() -> None:
    assert profiling_of(None) is None
    assert profiling_of(Evidence(times=TIMES)) is None
    assert profiling_of(Evidence(profile=ProfileRuns(way="x", clock="host"))) is None
    assert over([]) is None


def test_without_plain_inferences_there_is_no_cost() -> None:
    found = profiling_of(Evidence(profile=ProfileRuns(way="x", clock="host", rounds=RUNS.rounds)))
    assert found is not None
    assert (found.plain_ms, found.cost) == (None, None)


def test_builds_are_told_by_their_medians_and_all_their_ways() -> None:
    one, two = Profiling("a", 1.0, 2.0, 1.0), Profiling("b", 3.0, 4.0, None)
    assert over([one, two]) == Profiling("a, b", 2.0, 3.0, 1.0)
    three = Profiling("a", 9.0, 9.0, 5.0)
    assert over([two, one, three]) == Profiling("b, a", 3.0, 4.0, 3.0), "each way once, as they come"
    assert over([two, two]) == Profiling("b", 3.0, 4.0, None)


def test_settling_inferences_are_told_and_do_not_count() -> None:
    assert counted(RUNS, 8) == [3, 4, 6, 7]
    assert counted(RUNS, 7) == [3, 4, 6], "a trace that is cut short"
