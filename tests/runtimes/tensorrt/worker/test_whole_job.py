"""A whole job on a machine without a GPU: the real worker, over CUDA calls on host memory and a stand-in.

What is held here is everything between the calls: files, facts, passes, graph, profile, formats. That the
stand-in's names and signatures are those of a version is held by test_surfaces.py; what TensorRT does with
them is not, and only a GPU shows it.
"""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.environments.interpreter import PreparedInterpreter
from harness.environments.staging import copy_worker
from harness.runtimes.tensorrt.evidence import read_folder
from harness.runtimes.tensorrt.runtime import WORKER
from harness.store.documents.profile import read_profile_runs
from harness.worker.result import KEPT
from tests.runtimes.tensorrt.worker.conftest import small_graph
from tests.runtimes.tensorrt.worker.cuda_libraries import compile_libraries
from tests.worker.worker_jobs import MEASURE, run_job, write_job

HERE = Path(__file__).parent
LOGS = ("build.log.gz", "load.log.gz")


@pytest.fixture(scope="module")
def libraries(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the CUDA runtime, the driver and NVML over host memory."""
    folder = tmp_path_factory.mktemp("cuda")
    compile_libraries(folder)
    return folder


def run(
    libraries: Path,
    folder: Path,
    version: str,
    batch: int = 2,
    said: dict[str, Any] | None = None,
    **changes: Any,
) -> tuple[Path, dict[str, Any]]:
    """Run the job of a small MobileNet v2 on a stand-in of *version*; return result folder and result."""
    treatment = {"batch": batch, **changes.pop("treatment", {})}
    cell = {"id": "x", "runtime": "tensorrt", "network": "mobilenet_v2", "treatment": treatment}
    graph = small_graph(batch=batch)
    job = write_job(
        folder / "job",
        WORKER.module,
        graph=graph,
        cell=cell,
        **{"options": {"memory": "ctypes"}, **changes},
    )
    result, package = folder / "result", folder / "site"
    result.mkdir()
    package.mkdir()
    copy_worker(package, [WORKER])
    implicit = version.startswith("5.") or treatment.get("batch_mode") == "implicit"
    shapes = {name: graph.shapes[name][1 if implicit else 0 :] for name in ("input", "logits")}
    stand_in = {"version": version, "io": shapes, "batch": batch if implicit else 1, **(said or {})}
    text = (HERE / "running.py").read_text().replace("parents[4]", f"parents[0] / {str(HERE.parents[3])!r}")
    (package / "tensorrt.py").write_text(text)
    variables = {
        "LD_LIBRARY_PATH": str(libraries),
        "PYTHONPATH": str(package),
        "STAND_IN": json.dumps(stand_in),
    }
    prepared = PreparedInterpreter(Path(sys.executable), WORKER, variables)
    outcome = run_job(prepared, job, result, seconds=120)
    assert outcome.status == "ok", outcome
    return result, json.loads((result / "result.json").read_text())


@pytest.mark.parametrize(
    ("version", "dialect", "treatment"),
    [
        ("5.1.5", "A", {}),
        ("7.0.0", "B", {}),
        ("8.2.1", "C", {}),
        ("8.5.3.1", "D", {}),
        ("8.5.3.1", "B", {"batch_mode": "implicit"}),
        ("8.6.0", "D", {"precision": "fp16"}),
        ("10.16.1.11", "D", {"typing": "strong", "precision": "fp16"}),
        ("11.0.0.114", "E", {}),
    ],
)
def test_a_job_brings_home_everything(
    libraries: Path, tmp_path: Path, version: str, dialect: str, treatment: dict[str, str]
) -> None:
    measure = {**MEASURE, "passes": ["cuda_graph", "cold_l2"]}
    result, said = run(libraries, tmp_path, version, treatment=treatment, measure=measure)
    assert (said["status"], said["reason"]) == ("ok", "")
    facts = said["facts"]
    assert facts["dialect"] == dialect
    assert facts["gpu"] == "Host Memory 1"
    assert facts["uuid"] == "GPU-00112233-4455-6677-8899-aabbccddeeff"
    assert (facts["compute_capability"], facts["driver"], facts["memory_back_end"]) == (
        "9.0",
        "580.1",
        "ctypes",
    )
    assert facts["engine_bytes"] == len(b"serialized")
    assert facts["io_formats"] == {"input": "LINEAR", "logits": "LINEAR"}
    assert facts["launch_bound"] in (True, False)
    with np.load(result / "outputs.npz") as outputs:
        assert outputs["logits"].shape == (2, 11, 1, 1)
        np.testing.assert_array_equal(outputs["logits"], 1.0)
    slices = json.loads((result / "samples.json").read_text())["slices"]
    assert {row["pass"] for row in slices} == {"latency", "cuda_graph", "cold_l2"}
    assert all(row["clock"] == "gpu" for row in slices)
    latencies = [value for row in slices for value in row["latency_ms"] if row["pass"] == "latency"]
    assert facts["latency_median_ms"] == pytest.approx(np.median(latencies), abs=1e-6)
    assert all(0 < e <= h for row in slices for e, h in zip(row["enqueue_ms"], row["host_ms"], strict=True))
    old = version in ("5.1.5", "7.0.0")
    check_evidence(result / "evidence", inspector=not old)
    profile = read_profile_runs(result / "evidence")
    assert profile is not None
    assert (profile.way, profile.clock) == (
        ("one at a time", "host") if old else ("behind an enqueue", "gpu")
    )
    assert [(one.round, len(one.inference_ms)) for one in profile.rounds] == [(n, 1) for n in range(5)]
    assert len(profile.plain_ms) == 10


def test_a_version_that_reports_nothing_on_demand_is_profiled_one_at_a_time(
    libraries: Path, tmp_path: Path
) -> None:
    result, said = run(libraries, tmp_path, "8.6.0", said={"silent": True})
    assert said["status"] == "ok", said["reason"]
    check_evidence(result / "evidence", inspector=True)
    profile = read_profile_runs(result / "evidence")
    assert profile is not None
    assert (profile.way, profile.clock, profile.plain_ms) == ("one at a time", "host", [])


def check_evidence(folder: Path, *, inspector: bool) -> None:
    """Check the files that every version leaves."""
    with gzip.open(folder / "build.log.gz", "rt") as stream:
        assert "Original: 99 layers" in stream.read()
    profile = json.loads((folder / "profile.json").read_text())
    assert profile[0] == {"count": 5}
    assert [row["name"] for row in profile[1:]].count("Reformatting CopyNode") == 2
    assert [row["medianMs"] for row in profile[1:]] == [0.25] * 3
    samples = json.loads((folder / "profile_samples.json").read_text())
    assert [len(layer["ms"]) for layer in samples["layers"]] == [5, 5, 5]
    clocks = json.loads((folder / "nvml.json").read_text())["samples"]
    assert {clock["sm_mhz"] for clock in clocks} == {1001}
    assert {clock["throttle_reasons"] for clock in clocks} == {1 << 40}
    assert clocks[0]["power_w"] == pytest.approx(123.456)
    assert (folder / "layers.json").exists() is inspector


def test_formats_are_tried_one_by_one_and_a_refusal_has_its_reason(libraries: Path, tmp_path: Path) -> None:
    options = {"memory": "ctypes", "formats": ["linear", "hwc8", "chw32", "dhwc8", "chw9"]}
    result, said = run(
        libraries,
        tmp_path,
        "8.5.3.1",
        said={"refused": ["CHW32"]},
        treatment={"precision": "fp16"},
        options=options,
    )
    assert said["status"] == "ok", said["reason"]
    listed = json.loads((result / "evidence" / "formats.json").read_text())["formats"]
    assert [(row["name"], row["io_type"]) for row in listed[:2]] == [("LINEAR", "fp32"), ("LINEAR", "fp16")]
    rows = {row["name"]: row for row in listed[1:]}
    assert {name for name, row in rows.items() if row["accepted"]} == {"LINEAR", "HWC8"}
    assert "no implementation obeys CHW32" in rows["CHW32"]["reason"]
    assert "not one that this worker can fill" in rows["DHWC8"]["reason"]
    assert "this version has LINEAR" in rows["CHW9"]["reason"]
    assert rows["HWC8"]["engine"] == {"input": "HWC8", "logits": "HWC8"}
    assert rows["HWC8"]["io_type"] == "fp16"
    assert rows["HWC8"]["latency_ms"] > 0
    assert rows["HWC8"]["direct_io"] is False
    assert [row["relative_difference"] for row in listed[:2]] == [0.0, 0.0]
    assert (result / "evidence" / "profile.hwc8-fp16.json").exists()
    assert said["facts"]["accepted_formats"] == ["LINEAR", "HWC8"]


def test_a_refused_build_fails_with_the_builders_own_words(libraries: Path, tmp_path: Path) -> None:
    result, said = run(libraries, tmp_path, "8.5.3.1", said={"refused": ["LINEAR"]})
    assert said["status"] == "failed"
    assert said["reason"] == "build: no implementation obeys LINEAR"
    assert (result / "evidence" / "build.log.gz").exists()


def test_an_engine_that_is_kept_is_loaded_by_a_further_process(libraries: Path, tmp_path: Path) -> None:
    first, said = run(libraries, tmp_path / "first", "8.5.3.1", keep_engine=True)
    assert said["status"] == "ok", said["reason"]
    assert (first / KEPT).read_bytes() == b"serialized"

    folder = tmp_path / "second"
    (folder / "job").mkdir(parents=True)
    (folder / "job" / KEPT).write_bytes(b"serialized")
    second, again = run(libraries, folder, "8.5.3.1", engine=KEPT)
    assert again["status"] == "ok", again["reason"]
    assert again["facts"]["engine_sha256"] == said["facts"]["engine_sha256"]
    assert "build_seconds" not in again["facts"], "nothing was built"
    assert not (second / KEPT).exists()
    assert json.loads((second / "samples.json").read_text())["slices"]
    # A later night measures it as a build: what it says of itself is read without a builder's log.
    logs = [(path / "evidence" / name).exists() for path in (first, second) for name in LOGS]
    assert logs == [True, False, False, True]
    read = [read_folder(path) for path in (first, second)]
    assert read[0].layers == read[1].layers
    assert read[1].times


def test_an_engine_that_is_not_there_is_one_line(libraries: Path, tmp_path: Path) -> None:
    _, said = run(libraries, tmp_path, "8.5.3.1", engine=KEPT)
    assert said["status"] == "failed"
    assert said["reason"].startswith("engine: cannot read what was kept: ")


def test_an_option_that_nobody_knows_is_refused(libraries: Path, tmp_path: Path) -> None:
    _, said = run(libraries, tmp_path, "8.5.3.1", options={"workspace": 1})
    assert said["status"] == "failed"
    assert "options.workspace is unknown" in said["reason"]
