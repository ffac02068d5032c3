"""Jobs for tests: a small network, its package and inputs, and workers of the tests' own."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

import harness
from harness.environments.base import Limits, Outcome, Prepared, converse
from harness.environments.needs import WorkerSource
from harness.networks.builder import GraphBuilder
from harness.networks.graph import Graph
from harness.networks.inputs import probe_inputs
from harness.networks.package import write_package
from harness.networks.weights import SeededWeights
from harness.worker.job import SCHEMA
from tests.worker.typed import check_files, typed

DATA = Path(__file__).resolve().parents[1] / "data" / "worker"
WORKER = Path(harness.__file__).resolve().parent / "worker"

MEASURE = {
    "warmup_seconds": 0.01,
    "minimum_samples": 10,
    "maximum_samples": 20,
    "maximum_seconds": 2.0,
    "relative_half_width": 0.5,
    "windows": 2,
    "profile_iterations": 5,
    "passes": [],
}


def small_network(relu6: str = "clip") -> Graph:
    """Return one inverted residual block between a convolution and a classifier, on 64x64 images."""
    builder = GraphBuilder("small", 1, relu6, SeededWeights("small"))
    image = builder.input("input", 3, 64, 64)
    first = builder.relu6("Conv/Relu6", builder.conv("Conv/Conv2D", image, 16, (3, 3), 2))
    wide = builder.relu6("block/expand/Relu6", builder.conv("block/expand/Conv2D", first, 96))
    deep = builder.relu6("block/depthwise/Relu6", builder.depthwise("block/depthwise/depthwise", wide))
    narrow = builder.conv("block/project/Conv2D", deep, 16, linear=True)
    total = builder.add("block/add", first, narrow)
    pooled = builder.global_average_pool("Logits/AvgPool", total)
    return builder.finish(
        builder.conv("Logits/Conv2d_1c_1x1/Conv2D", pooled, 10, linear=True, output="logits")
    )


def write_job(
    folder: Path, module: str, *, graph: Graph | None = None, onnx: bool = False, **changes: object
) -> Path:
    """Write a job and all it names into *folder*; *changes* replace keys of the job."""
    folder.mkdir(parents=True, exist_ok=True)
    graph = graph or small_network()
    write_package(graph, folder)
    np.savez(folder / "inputs.npz", **probe_inputs(graph))  # type: ignore[arg-type]
    if onnx:
        from onnx import save

        from harness.networks.onnx_export import to_onnx

        save(to_onnx(graph, 13), str(folder / "network.onnx"))
    job = {
        "schema": SCHEMA,
        "worker_module": module,
        "cell": {"id": "small", "network": "small", "treatment": {"precision": "fp32"}, "version": "1.0"},
        "network": "network.json",
        "weights": "weights.npz",
        "onnx": "network.onnx" if onnx else None,
        "inputs": "inputs.npz",
        "measure": MEASURE,
    }
    path = folder / "job.json"
    path.write_text(json.dumps({**job, **changes}))
    return path


def run_job(prepared: Prepared, job: Path, result: Path, **limits: float) -> Outcome:
    """Have a worker do *job* from the first command to the last, and hold it to the types of what it says."""
    started = prepared.start(job, [], result, Limits(**limits))  # type: ignore[arg-type]
    outcome = converse(typed(started), job, result)
    if outcome.status == "ok":
        check_files(job, result)
    return outcome


def worker_of(module: str) -> WorkerSource:
    """Return a worker of tests/data/worker, each a single file."""
    return WorkerSource(module, DATA / f"{module}.py")
