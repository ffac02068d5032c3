"""End-to-end latency, one entry a build: the recorded samples, replayed for pytest-benchmark."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from harness.pytest_plugin.replay import ReplayClock

if TYPE_CHECKING:
    from harness.observations.records import CellObservation


replay = ReplayClock()


@pytest.mark.benchmark(timer=replay)
def test_latency(measured: CellObservation, build: int, benchmark: BenchmarkFixture) -> None:
    """The samples of one build, as pytest-benchmark stores, compares and draws them."""
    found = next((b for b in measured.good if b.build == build), None)
    samples = None if found is None else found.passes.get("latency")
    if found is None or samples is None:
        pytest.skip(f"no latency was measured for build {build}")
    replay.load(samples / 1e3)
    benchmark.group = measured.cell.subject
    benchmark.extra_info.update(
        release=measured.cell.release, cell=measured.cell.id, build=build, host=found.host
    )
    benchmark.pedantic(replay.advance, setup=replay.rewind, rounds=len(samples), iterations=1)
    # Disabled (--benchmark-disable, or beside xdist's workers) it calls the function once, and keeps nothing.
    assert replay.exhausted or not benchmark.enabled
