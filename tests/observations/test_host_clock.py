"""Latencies by the host's clock: taken where it was read beside the GPU's, and nothing else changes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from harness.matrix.cell import Cell, Treatment
from harness.observations.host_clock import by_gpu_alone, by_host_clock
from harness.observations.records import BuildObservation, CellObservation, RunObservation
from harness.store.documents.base import write_document
from harness.store.documents.manifest import Manifest
from harness.store.documents.samples import FILE, Samples, Slice


def build(folder: Path, *slices: Slice, block: str = "block") -> BuildObservation:
    folder.mkdir(exist_ok=True)
    write_document(folder / FILE, Samples(slices=list(slices)))
    passes = {"latency": np.array([1.0])}
    return BuildObservation(0, "ok", "host-a", folder=folder, passes=passes, block=block)


def taken(cycle: int, host_ms: list[float | None] | None, clock: str = "gpu", **more: object) -> Slice:
    return Slice(
        pass_name="latency",
        cycle=cycle,
        clock=clock,
        latency_ms=[1.0, 2.0],
        host_ms=host_ms,
        **more,  # type: ignore[arg-type]
    )


def turned(one: BuildObservation) -> BuildObservation:
    cell = Cell("mobilenet_v2", Treatment(), "tensorrt", "8.6.0", "venv")
    run = RunObservation(
        (Path("run"),), Manifest(), (CellObservation(cell, "measured", "", (one,), "unknown"),)
    )
    ((found,),) = [seen.builds for seen in by_host_clock(run).cells]
    return found


def test_samples_and_slices_are_those_of_the_host(tmp_path: Path) -> None:
    found = turned(build(tmp_path, taken(0, [3.0, 4.0]), taken(1, [5.0, 6.0], throttled=[True, False])))
    assert found.passes["latency"].tolist() == [3.0, 4.0, 6.0]
    assert [(one.cycle, one.samples.tolist()) for one in found.slices["latency"]] == [
        (0, [3.0, 4.0]),
        (1, [6.0]),
    ]


def test_a_build_of_no_block_has_no_slices_of_its_host_either(tmp_path: Path) -> None:
    found = turned(build(tmp_path, taken(0, [3.0, 4.0]), block=""))
    assert found.passes["latency"].tolist() == [3.0, 4.0]
    assert found.slices == {}


@pytest.mark.parametrize("host_ms", [None, [3.0, None]])
def test_where_the_host_s_clock_was_not_read_of_each_the_gpu_s_own_stays(
    tmp_path: Path, host_ms: list[float | None] | None
) -> None:
    one = build(tmp_path, taken(0, host_ms))
    assert turned(one) is one
    assert by_gpu_alone(one)


def test_of_a_build_without_a_gpu_s_clock_there_is_nothing_to_turn(tmp_path: Path) -> None:
    one = build(tmp_path, taken(0, [3.0, 4.0], clock="host"))
    assert turned(one) is one
    assert not by_gpu_alone(one)
    assert not by_gpu_alone(build(tmp_path, taken(0, [3.0, 4.0])))


def test_a_build_that_took_no_samples_is_not_looked_into(tmp_path: Path) -> None:
    both = build(tmp_path / "both", taken(0, [3.0, 4.0]))
    gpu = build(tmp_path / "gpu", taken(0, None))
    assert turned(both) is not both
    assert by_gpu_alone(gpu)
    for nothing in ({"status": "failed"}, {"folder": None}, {"passes": {}}):
        other = replace(both, **nothing)  # type: ignore[arg-type]
        assert turned(other) is other
        assert not by_gpu_alone(replace(gpu, **nothing))  # type: ignore[arg-type]


def test_one_slice_that_only_the_gpu_s_clock_timed_makes_a_build_the_gpu_s(tmp_path: Path) -> None:
    mixed = build(tmp_path, taken(0, [3.0, 4.0]), taken(1, None))
    assert by_gpu_alone(mixed)
    assert turned(mixed).passes["latency"].tolist() == [3.0, 4.0, 1.0, 2.0]
