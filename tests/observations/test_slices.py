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
