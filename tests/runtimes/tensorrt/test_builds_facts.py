"""What builds that the worker really made on H100 GPUs say of how they were made, and what they compute."""

from __future__ import annotations

import gzip
import statistics

import numpy as np
import pytest

from harness.networks.reference import probe_reference
from harness.runtimes.tensorrt.worker.passes import launch_bound
from tests.runtimes.worker_builds import (
    ALL_SOURCES,
    IMPLICIT,
    PYCUDA,
    SEED,
    VERSIONS,
    WHOLE,
    Reading,
    WorkerBuild,
    every_build,
    v1,
    v2,
    whole_build,
)


@pytest.mark.parametrize(
    ("build", "features"),
    [
        *((v2(v), {"DISABLE_EXTERNAL_TACTIC_SOURCES_FOR_CORE_0805": 1, "FASTER_DYNAMIC_SHAPES_0805": 0})
          for v in VERSIONS[:3]),
        *((build, {"DISABLE_EXTERNAL_TACTIC_SOURCES_FOR_CORE_0805": external, "FASTER_DYNAMIC_SHAPES_0805": 1,
                   "PROFILE_SHARING_0806": 0})
          for build, external in ((v2("8.6.0"), 1), (v1("8.6.0"), 1), (ALL_SOURCES, 0))),
    ],
    ids=str,
)  # fmt: skip
def test_preview_features_that_were_effective(
    known: Reading, build: WorkerBuild, features: dict[str, int]
) -> None:
    assert known(build).evidence.facts["preview_features"] == [f"{k}={v}" for k, v in features.items()]


@every_build
def test_tactic_sources_that_were_effective(known: Reading, build: WorkerBuild) -> None:
    core = ["EDGE_MASK_CONVOLUTIONS", "JIT_CONVOLUTIONS"]
    expected = ["CUBLAS", "CUBLAS_LT", "CUDNN", *core] if build is ALL_SOURCES else core
    assert known(build).evidence.facts["tactic_sources"] == expected
    environment = build.document("build.json")["environment"]
    # Where external sources are on, their libraries are the real ones.
    assert bool(environment["placeholder_libraries"]) == (build is not ALL_SOURCES)
    assert any(name.startswith("nvidia-cudnn") for name in environment["packages"]) == (build is ALL_SOURCES)


@every_build
def test_every_setting_was_taken(build: WorkerBuild) -> None:
    said = build.document("result.json")
    assert said["not_expressible"] == []
    settings = {entry["name"]: entry["value"] for entry in said["settings"]}
    assert settings["batch_mode"] == ("implicit" if build is IMPLICIT else "explicit")
    assert settings["precision"] == build.cell.treatment.precision
    precision = build.cell.treatment.precision
    assert settings["flags"] == ([] if precision == "fp32" else [precision.upper()])
    assert settings["tactic_sources"] == said["facts"]["tactic_sources"]
    assert ("optimization_level" in settings) == (build.cell.version == "8.6.0")


@every_build
def test_dialect_and_memory(known: Reading, build: WorkerBuild) -> None:
    facts = known(build).evidence.facts
    assert (facts["dialect"], facts["dialect_of_version"]) == ("B" if build is IMPLICIT else "D", "D")
    assert facts["memory_back_end"] == ("pycuda" if build is PYCUDA else "ctypes")
    assert facts["compute_capability"] == "9.0"


@every_build
def test_launches_bound_all_builds_but_the_one_without_reformats(known: Reading, build: WorkerBuild) -> None:
    facts = known(build).evidence.facts
    assert facts["launch_bound"] is (build != v2("8.5.1.7", 4))
    assert launch_bound(dict(facts)) is facts["launch_bound"]


@whole_build
def test_medians_in_the_facts_are_those_of_the_samples(known: Reading, build: WorkerBuild) -> None:
    values: dict[str, list[float]] = {}
    for window in build.document("samples.json")["windows"]:
        values.setdefault(window["pass"], []).extend(window["latency_ms"])
    assert set(values) == {"latency", "cuda_graph", "cold_l2"}
    facts = known(build).evidence.facts
    for name, samples in values.items():
        assert facts[f"{name}_median_ms"] == round(statistics.median(samples), 6)


@whole_build
def test_clocks_were_sampled_while_it_ran(build: WorkerBuild) -> None:
    clocks = build.document("evidence/nvml.json")
    assert clocks["problem"] == ""
    assert {sample["throttle_reasons"] for sample in clocks["samples"]} == {0}
    times = [start for window in build.document("samples.json")["windows"] for start in window["start_ns"]]
    assert clocks["samples"][0]["time_ns"] < min(times)
    assert clocks["samples"][-1]["time_ns"] > max(times)


# outputs


def logits(build: WorkerBuild) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """The outputs that the worker kept."""
    with np.load(build.recorded / "outputs.npz") as arrays:
        return np.asarray(arrays["logits"])


WITH_OUTPUTS = (*(build for build in WHOLE if build.cell.network == "mobilenet_v2"), PYCUDA)


@pytest.mark.parametrize("build", WITH_OUTPUTS, ids=str)
def test_outputs_agree_with_the_reference_as_far_as_was_said_on_the_day(build: WorkerBuild) -> None:
    said = build.document("build.json")
    assert said["digest"] == build.graph.digest
    (reference,) = probe_reference(build.graph, SEED).values()
    error = float(np.abs(logits(build) - reference).max() / np.abs(reference).max())
    assert said["outputs"]["valid"]
    assert error < said["outputs"]["bound"]
    # NumPy adds in another order on another CPU, too.
    assert error == pytest.approx(said["outputs"]["error"], abs=1e-6)
    assert logits(build).argmax() == reference.argmax()


@pytest.mark.parametrize("other", [IMPLICIT, PYCUDA], ids=str)
def test_implicit_batch_and_pycuda_compute_what_explicit_batch_and_ctypes_do(other: WorkerBuild) -> None:
    plain, changed = logits(v2("8.5.3.1")), logits(other)
    assert plain.shape == changed.shape == (1, 1001, 1, 1)
    bound = other.document("build.json")["outputs"]["bound"]
    assert np.abs(plain - changed).max() <= bound * np.abs(plain).max()
    assert plain.argmax() == changed.argmax()


def test_the_log_stays_as_the_worker_compressed_it(known: Reading) -> None:
    build = v2("8.6.0")
    put = (known(build).folder / "evidence" / "build.log.gz").read_bytes()
    assert put == (build.recorded / "evidence" / "build.log.gz").read_bytes()
    assert gzip.decompress(put).startswith(b"[TRT] [I] ")
