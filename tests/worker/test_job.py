"""Strict reading of jobs and packages: each fault is one line that names the key."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from harness.matrix.file import Measure
from harness.worker.errors import FailedError
from harness.worker.job import MEASURE as MEASURED
from harness.worker.job import read_job
from harness.worker.package import read_network
from tests.worker.worker_jobs import MEASURE, small_network, write_job


def test_paths_are_those_of_the_jobs_folder_and_the_rest_has_defaults(tmp_path: Path) -> None:
    job = read_job(str(write_job(tmp_path, "probe")))
    assert job.network == str(tmp_path / "network.json")
    assert job.onnx is None
    assert (job.threads, job.affinity, job.device, job.build) == (1, None, None, 0)
    assert job.measure.minimum_samples == 10
    assert job.treatment == {"precision": "fp32"}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"schema": "trtmatrix.job/1"}, "job: schema 'trtmatrix.job/1', this worker reads trtmatrix.job/2"),
        ({"colour": "red"}, "job: colour is unknown; known: affinity, build, build_affinity, cell, "),
        ({"measure": {**MEASURE, "speed": 1}}, "job: measure.speed is unknown; known: maximum_samples, "),
        ({"measure": {**MEASURE, "windows": 0}}, "job: measure.windows is 0, expected a number not below 1"),
        (
            {"measure": {**MEASURE, "maximum_seconds": "long"}},
            "job: measure.maximum_seconds is 'long', expected a number not below 0.0",
        ),
        (
            {"measure": {**MEASURE, "maximum_samples": 5}},
            "job: measure.maximum_samples is below measure.minimum_samples",
        ),
        ({"cell": "x"}, "job: 'cell' must be an object"),
        ({"worker_module": "../escape"}, "job: '../escape' is no worker module"),
    ],
)
def test_a_fault_is_named(tmp_path: Path, changes: dict[str, object], reason: str) -> None:
    path = write_job(tmp_path, "probe", **changes)
    with pytest.raises(FailedError) as caught:
        read_job(str(path))
    assert str(caught.value).startswith(reason)
    assert "\n" not in str(caught.value)


def test_a_job_carries_every_value_of_measuring_that_a_matrix_has(tmp_path: Path) -> None:
    assert set(MEASURED) == {field.name for field in fields(Measure)}
    for key in MEASURED:
        path = write_job(tmp_path, "probe", measure={k: v for k, v in MEASURE.items() if k != key})
        with pytest.raises(FailedError, match=f"job: key 'measure.{key}' is missing"):
            read_job(str(path))


def test_a_missing_key_is_named(tmp_path: Path) -> None:
    path = write_job(tmp_path, "probe")
    job = json.loads(path.read_text())
    del job["inputs"]
    path.write_text(json.dumps(job))
    with pytest.raises(FailedError, match="job: key 'inputs' is missing"):
        read_job(str(path))


@pytest.mark.parametrize("text", ["", "{", "[]"])
def test_no_job_at_all(tmp_path: Path, text: str) -> None:
    path = tmp_path / "job.json"
    path.write_text(text)
    with pytest.raises(FailedError, match=r"job: (cannot read job\.json|expected an object)"):
        read_job(str(path))


def test_options_are_as_strict(tmp_path: Path) -> None:
    job = read_job(str(write_job(tmp_path, "probe", options={"level": "all", "colour": "red"})))
    with pytest.raises(FailedError, match=r"job: options\.colour is unknown; known: level"):
        job.options({"level": "basic"})


def test_a_package_is_read_whole(tmp_path: Path) -> None:
    job = read_job(str(write_job(tmp_path, "probe")))
    network, graph = read_network(job.network, job.weights), small_network()
    assert (network.digest, network.batch, network.relu6) == (graph.digest, 1, "clip")
    assert network.shapes["logits"] == (1, 10, 1, 1)
    assert [op.name for op in network.ops] == [op.name for op in graph.ops]
    np.testing.assert_array_equal(
        network.weight(network.ops[0], "kernel"), graph.weights["Conv/Conv2D/kernel"]
    )


@pytest.mark.parametrize("damage", ["schema", "cut", "weights"])
def test_a_torn_package_is_one_line(tmp_path: Path, damage: str) -> None:
    job = read_job(str(write_job(tmp_path, "probe")))
    network, weights = Path(job.network), Path(job.weights)
    if damage == "schema":
        network.write_text(network.read_text().replace("trtmatrix.network/1", "trtmatrix.network/9"))
    elif damage == "cut":
        network.write_text(network.read_text()[:-40])
    else:
        weights.write_bytes(weights.read_bytes()[:100])
    with pytest.raises(FailedError) as caught:
        read_network(job.network, job.weights)
    assert "\n" not in str(caught.value)
