"""Slices as what is asked of them: without what was throttled, by pass, and how long the process waited."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.observations.slices import samples_of, slices_of, unthrottled, waited
from harness.store.documents.samples import Slice


def taken(*latency: float, name: str = "latency", cycle: int = 0, **more: object) -> Slice:
    known = {"pass_name": name, "process": 0, "cycle": cycle, "slice": 0, "clock": "host"}
    times = {"start_ns": list(range(len(latency))), "latency_ms": list(latency)}
    return Slice(**{**known, **times, **more})  # type: ignore[arg-type]


@given(st.lists(st.tuples(st.floats(0.1, 9.0), st.floats(0.01, 0.1), st.booleans()), max_size=8))
def test_of_a_slice_the_samples_are_left_that_were_not_throttled(
    samples: list[tuple[float, float, bool]],
) -> None:
    one = taken(
        *(ms for ms, _, _ in samples),
        enqueue_ms=[ms for _, ms, _ in samples],
        throttled=[held for _, _, held in samples],
    )
    left = unthrottled(one)
    assert left.latency_ms == [ms for ms, _, held in samples if not held]
    assert left.enqueue_ms == [ms for _, ms, held in samples if not held]
    assert not any(left.throttled or ())
    assert unthrottled(left) == left


def test_samples_and_slices_are_those_of_their_pass() -> None:
    slices = [
        taken(1.0, 2.0, enqueue_ms=[0.1, None]),
        taken(3.0, name="cuda_graph", enqueue_ms=[0.9]),
        taken(cycle=1),
        taken(4.0, cycle=2),
    ]
    passes, enqueue = samples_of(slices)
    assert {name: found.tolist() for name, found in passes.items()} == {
        "latency": [1.0, 2.0, 4.0],
        "cuda_graph": [3.0],
    }
    assert enqueue is not None
    assert enqueue.tolist() == [0.1]
    assert samples_of(slices[2:])[1] is None
    found = slices_of(slices)
    assert [(one.cycle, one.samples.tolist()) for one in found["latency"]] == [(0, [1.0, 2.0]), (2, [4.0])]
    assert list(found) == ["latency", "cuda_graph"]


def test_two_slices_of_one_cycle_are_no_samples() -> None:
    with pytest.raises(ValueError, match="two slices of cycle 3 of latency, process 0"):
        slices_of([taken(1.0, cycle=3), taken(2.0, cycle=3)])


def test_waiting_is_wall_time_beyond_cpu_time_of_the_latency_pass() -> None:
    told = taken(1.0, 2.0, 4.0, cpu_ms=[0.5, None, 2.0])
    other = taken(9.0, name="cuda_graph", cpu_ms=[1.0])
    assert waited([told, other]) == pytest.approx(5.0 / 2.5 - 1)
    assert waited([other, taken(1.0)]) is None
    assert np.isfinite(waited([told]) or np.nan)


@pytest.mark.parametrize("columns", [{"throttled": [True]}, {"throttled": [True, False, False]}])
def test_columns_that_differ_in_length_are_refused_and_not_cut(columns: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="zip"):
        unthrottled(taken(1.0, 2.0, **columns))
    with pytest.raises(ValueError, match="zip"):
        unthrottled(taken(1.0, 2.0, throttled=[True, False], enqueue_ms=[0.1]))
    with pytest.raises(ValueError, match="zip"):
        waited([taken(1.0, 2.0, cpu_ms=[0.5])])


def test_a_slice_without_times_of_launches_has_none_when_some_were_throttled() -> None:
    left = unthrottled(taken(1.0, 2.0, throttled=[True, None]))
    assert (left.latency_ms, left.enqueue_ms, left.throttled) == ([2.0], None, None)
    same = taken(1.0, 2.0, throttled=[False, None])
    assert unthrottled(same) is same, "what is as it should be stays what it is"


def test_of_a_process_that_took_no_cpu_time_nobody_knows_how_long_it_waited() -> None:
    assert waited([taken(1.0, cpu_ms=[0.0])]) is None
    assert waited([]) is None
    assert waited([taken(1.0, cpu_ms=[0.5]), taken(3.0, cpu_ms=[0.5])]) == 3.0


def test_slices_keep_their_process_and_place() -> None:
    (one,) = slices_of([taken(1.0, process=2, cycle=5, slice=3)])["latency"]
    assert (one.process, one.cycle, one.place) == (2, 5, 3)
    found = slices_of(
        [taken(1.0, process=n, cycle=5) for n in (0, 1)] + [taken(1.0, cycle=5, name="cold_l2")]
    )
    assert [one.process for one in found["latency"]] == [0, 1]
    assert len(found["cold_l2"]) == 1
    passes, _ = samples_of([taken(1.0), taken(2.0)])
    assert passes["latency"].dtype == np.float64
    assert slices_of([taken(1.0)])["latency"][0].samples.dtype == np.float64
