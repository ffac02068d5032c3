"""What is written of a build: how its worker ended, what it said, and whether its outputs are right."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from harness.environments.base import Outcome
from harness.execution.inputs import InputStore, NetworkInputs
from harness.execution.job import describe
from harness.matrix.cell import Cell
from harness.runtimes.onnxruntime.runtime import OnnxRuntime
from harness.store.documents.build import Build
from tests.execution.ground import SMALL, Ground

ENDED = Outcome("ok", exit_code=0, seconds=1.5, peak_memory_bytes=4096, log_tail="last line", facts={"a": 1})


class Held:
    """An environment's facts."""

    facts: ClassVar[dict[str, object]] = {"python": "3.11.7", "packages": {"onnxruntime": "1.22.1"}}


@pytest.fixture
def cell(ground: Ground) -> Cell:
    return ground.cells[0]


@pytest.fixture
def inputs(tmp_path: Path, cell: Cell) -> NetworkInputs:
    return InputStore(tmp_path / "inputs", {"small": SMALL}, seed=1).get(cell)


@pytest.fixture
def result(tmp_path: Path, inputs: NetworkInputs) -> Path:
    """A result folder as a worker leaves it whose outputs are those of the reference."""
    folder = tmp_path / "result"
    folder.mkdir()
    said = {"status": "ok", "reason": "", "facts": {"onnxruntime": "1.22.1", "cpu": "x"}}
    (folder / "result.json").write_text(json.dumps(said), encoding="utf-8")
    np.savez(folder / "outputs.npz", allow_pickle=False, **dict(inputs.reference))
    return folder


def described(cell: Cell, inputs: NetworkInputs, result: Path, outcome: Outcome = ENDED) -> Build:
    return describe(cell, 3, inputs, OnnxRuntime(), Held(), outcome, result)


def test_a_build_that_went_well(cell: Cell, inputs: NetworkInputs, result: Path) -> None:
    found = described(cell, inputs, result)
    assert (found.cell, found.build, found.status, found.reason) == (cell.id, 3, "ok", "")
    assert found.digest == inputs.graph.digest
    assert found.environment == Held.facts
    assert found.outcome is not None
    assert (found.outcome.status, found.outcome.exit_code, found.outcome.facts) == ("ok", 0, {"a": 1})
    assert (found.outcome.seconds, found.outcome.peak_memory_bytes) == (1.5, 4096)
    assert found.outputs is not None
    assert (found.outputs.valid, found.outputs.error, found.outputs.reason) == (True, 0.0, "")
    assert found.log_tail == "", "of a build that went well nobody reads the log"
    assert (found.software.version, found.software.environment) == ("1.22.1", cell.environment)
    assert found.software.driver == "none"


def test_outputs_that_would_run_code_when_read_are_not_read(
    cell: Cell, inputs: NetworkInputs, result: Path
) -> None:
    np.savez(result / "outputs.npz", logits=np.array([{"a": 1}], dtype=object))
    found = described(cell, inputs, result)
    assert (found.status, found.outputs) == ("failed", None)
    assert "outputs.npz: not a NumPy archive of outputs: " in found.reason


def test_outputs_that_differ_too_much_are_said_to(cell: Cell, inputs: NetworkInputs, result: Path) -> None:
    spoiled = {name: value + np.abs(value).max() for name, value in inputs.reference.items()}
    np.savez(result / "outputs.npz", allow_pickle=False, **spoiled)
    found = described(cell, inputs, result)
    assert found.state == "invalid"
    assert found.outputs is not None
    assert found.outputs.error is not None
    assert found.outputs.error > found.outputs.bound > 0
    assert found.outputs.reason


@pytest.mark.parametrize("outputs", [{}, {"logits": np.array([[np.nan]])}])
def test_outputs_that_are_missing_or_misshapen_have_no_error_that_json_could_hold(
    cell: Cell, inputs: NetworkInputs, result: Path, outputs: dict[str, Any]
) -> None:
    np.savez(result / "outputs.npz", allow_pickle=False, **outputs)
    found = described(cell, inputs, result).outputs
    assert found is not None
    assert (found.valid, found.error) == (False, None)


def test_a_precision_has_the_bound_that_is_its_own(cell: Cell, inputs: NetworkInputs, result: Path) -> None:
    half = replace(cell, treatment=replace(cell.treatment, precision="fp16"))
    bounds = [described(each, inputs, result).outputs for each in (cell, half)]
    assert bounds[0] is not None
    assert bounds[1] is not None
    assert bounds[0].bound < bounds[1].bound


def test_an_engine_that_could_not_be_run_has_no_outputs_to_compare(
    cell: Cell, inputs: NetworkInputs, result: Path
) -> None:
    (result / "outputs.npz").unlink()
    found = described(cell, inputs, result)
    assert (found.status, found.outputs) == ("ok", None)


@pytest.mark.parametrize("status", ["time_limit", "killed", "failed"])
def test_of_a_worker_that_died_its_last_words_are_kept(
    cell: Cell, inputs: NetworkInputs, result: Path, status: str
) -> None:
    found = described(cell, inputs, result, replace(ENDED, status=status, reason="signal 9"))
    assert (found.status, found.reason, found.log_tail) == ("failed", "signal 9", "last line")
    assert found.outcome is not None
    assert (found.outcome.status, found.outputs) == (status, None)
    assert found.environment == Held.facts
    assert found.software.fingerprint != "unknown"


@pytest.mark.parametrize("status", ["unsupported", "failed"])
def test_what_a_worker_could_not_do_is_what_it_says(
    cell: Cell, inputs: NetworkInputs, result: Path, status: str
) -> None:
    said = {"status": status, "reason": "no such kernel", "facts": {"onnxruntime": "1.22.1"}}
    (result / "result.json").write_text(json.dumps(said), encoding="utf-8")
    found = described(cell, inputs, result)
    assert (found.status, found.reason, found.outputs) == (status, "no such kernel", None)
    assert (found.log_tail, found.software.version) == ("last line", "1.22.1")


def test_a_result_that_cannot_be_read_is_a_build_that_failed(
    cell: Cell, inputs: NetworkInputs, result: Path
) -> None:
    (result / "outputs.npz").write_bytes(b"no archive")
    found = described(cell, inputs, result)
    assert found.status == "failed"
    assert found.reason.startswith(f"{result / 'outputs.npz'}: not a NumPy archive of outputs: ")
    assert found.log_tail == "last line"
    (result / "result.json").write_text("{", encoding="utf-8")
    found = described(cell, inputs, result)
    assert (found.status, found.log_tail) == ("failed", "last line")
    assert "not JSON" in found.reason
    (result / "result.json").unlink()
    assert described(cell, inputs, result).reason.endswith("no such file")


class Anywhere(OnnxRuntime):
    """A runtime of a GPU since 9.0, that 8.0 uses where it finds one."""

    def device_of(self, version: str) -> str:
        """By its release."""
        return "gpu" if version.startswith("9.") else "cpu"

    def measures_on_gpu(self, version: str) -> bool:
        """By its release."""
        return version.startswith("8.")


@pytest.mark.parametrize(
    ("version", "facts", "driver", "lost"),
    [
        ("9.0", {"driver": "550.1"}, "550.1", "unknown"),
        ("8.0", {"driver": "550.1", "cpu": "x", "gpu": "y"}, "550.1", "unknown"),
        ("8.0", {"driver": "550.1", "cpu": "x"}, "none", "unknown"),
        ("7.0", {"driver": "550.1"}, "none", "none"),
    ],
)
def test_a_driver_is_that_of_where_this_version_ran(
    cell: Cell,
    inputs: NetworkInputs,
    result: Path,
    version: str,
    facts: dict[str, str],
    driver: str,
    lost: str,
) -> None:
    """As far as that is known of a worker that said nothing."""
    said = {"status": "ok", "reason": "", "facts": facts}
    (result / "result.json").write_text(json.dumps(said), encoding="utf-8")
    for outcome, expected in ((ENDED, driver), (replace(ENDED, status="killed"), lost)):
        found = describe(replace(cell, version=version), 0, inputs, Anywhere(), Held(), outcome, result)
        assert found.software.driver == expected
