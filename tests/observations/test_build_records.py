"""What a build that was read says of itself: its latency, whether it counts, what launching takes of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.matrix.cell import Cell, Treatment
from harness.observations.identity import Host, Identity, Software, software_of
from harness.observations.records import (
    BuildObservation,
    CellObservation,
    OutputCheck,
    RunObservation,
    judged_by,
    median_ms,
)
from harness.store.documents.manifest import Manifest

CELL = Cell("mobilenet_v2", Treatment(), "onnxruntime", "1.22.1", "venv")


def build(**fields: Any) -> BuildObservation:
    return BuildObservation(**{"build": 0, "status": "ok", "host": "m", **fields})


@given(st.lists(st.floats(0.001, 1e6), min_size=1, max_size=9))
def test_a_median_is_numpy_s_and_leaves_the_samples_as_they_are(values: list[float]) -> None:
    samples = np.asarray(values)
    assert median_ms(samples) == pytest.approx(float(np.median(samples)), rel=1e-15)
    assert samples.tolist() == values


def test_the_latency_is_that_in_the_block_else_the_median_of_its_pass() -> None:
    passes = {"latency": np.array([3.0, 1.0, 2.0]), "cuda_graph": np.array([0.5]), "cold_l2": np.array([])}
    plain = build(passes=passes)
    assert plain.latency_ms == 2.0
    assert build(passes=passes, in_block={"latency": 2.5}).latency_ms == 2.5
    assert build(passes=passes, in_block={"cuda_graph": 0.25}).latency_ms == 2.0
    assert build(passes=passes, latency_pass="cuda_graph").latency_ms == 0.5
    assert [plain.median_of(name) for name in ("cuda_graph", "cold_l2", "none")] == [0.5, None, None]
    assert build().latency_ms is None


@pytest.mark.parametrize(
    ("said", "bound"), [(True, True), (False, False), (None, None), ("yes", None), (1, None)]
)
def test_only_a_yes_or_no_says_whether_launching_bounds_a_build(said: object, bound: bool | None) -> None:
    assert build(facts={"launch_bound": said}).launch_bound is bound
    assert build().launch_bound is None


def test_builds_count_that_went_well_and_whose_outputs_are_not_wrong() -> None:
    right, wrong = (OutputCheck(valid, 0.1, 0.2) for valid in (True, False))
    builds = (
        build(outputs=right, facts={"launch_bound": True}),
        build(build=1, facts={"launch_bound": False}),
        build(build=2, outputs=wrong, facts={"launch_bound": True}),
        build(build=3, status="failed", facts={"launch_bound": True}),
        build(build=4),
        build(build=5, facts={"launch_bound": True}),
    )
    seen = CellObservation(CELL, "measured", builds=builds)
    assert [one.build for one in seen.good] == [0, 1, 4, 5]
    assert seen.launch_bound == (2, 3), "bound by launching, of those that say"
    assert CellObservation(CELL, "failed").launch_bound == (0, 0)


def test_a_run_that_is_judged_by_another_pass_is_the_same_in_all_else() -> None:
    seen = CellObservation(CELL, "measured", "", (build(), build(build=1)), "sha256:1")
    run = RunObservation((), Manifest(run="r"), (seen,), ("no runtime is called 'x' here",))
    found = judged_by(run, "cold_l2")
    assert [one.latency_pass for one in found.cells[0].builds] == ["cold_l2"] * 2
    assert judged_by(found, "latency") == run


def test_what_nobody_states_is_unknown_or_none() -> None:
    seen = RunObservation((), Manifest(), ())
    assert seen.unread == ()
    one, unknown = build(), Identity()
    assert (one.enqueue_ms, one.waited, one.throttled, one.trials) == (None, None, 0, ())
    assert (one.outputs, one.evidence, one.engine, one.folder) == (None, None, None, None)
    assert (one.reason, one.block, one.round, dict(one.alone), dict(one.slices)) == ("", "", 0, {}, {})
    assert (unknown.run, unknown.pool, unknown.digest) == ("unknown",) * 3
    assert (unknown.started, unknown.ended, unknown.cell) == (None, None, None)
    assert (unknown.software, unknown.host) == (Software(), Host())
    checked = OutputCheck(valid=True, error=0.0, bound=0.1)
    assert (checked.top1, checked.reason) == (None, "")


@pytest.mark.parametrize(
    ("facts", "device", "driver"),
    [
        ({"driver": "550.1"}, "gpu", "550.1"),
        ({}, "gpu", "unknown"),
        ({"driver": ""}, "gpu", "unknown"),
        ({"cpu": "x"}, "gpu", "unknown"),
        ({"driver": "550.1"}, "cpu", "none"),
        ({}, "cpu", "none"),
        ({"cpu": "x"}, "unknown", "none"),
        ({"cpu": "x", "gpu": "y", "driver": "550.1"}, "unknown", "550.1"),
        ({"driver": "550.1"}, "unknown", "550.1"),
        ({}, "unknown", "unknown"),
    ],
)
def test_a_driver_is_known_by_where_the_build_ran(facts: dict[str, str], device: str, driver: str) -> None:
    assert software_of(CELL, {}, facts, device).driver == driver


def test_software_is_the_runtime_s_own_word_and_the_environment_s_content() -> None:
    facts = {"onnxruntime": "1.22.1+cpu", "tensorrt": "9", "cpu": "x"}
    found = software_of(CELL, {"packages": {"a": "1"}}, facts)
    assert (found.version, found.environment, found.driver) == ("1.22.1+cpu", "venv", "none")
    assert found.fingerprint.startswith("sha256:")
    assert software_of(CELL, {}, {"tensorrt": "9", "onnxruntime": None}) == Software(environment="venv")
