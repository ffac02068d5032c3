"""TensorRT-RTX for real: its four wheels build both MobileNets on this machine, with or without a GPU."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path

import numpy as np
import pytest

from harness.environments.base import Limits, Prepared, converse
from harness.environments.venv import VirtualEnvironment
from harness.errors import UnavailableError
from harness.networks.mobilenet import MobileNetV1, MobileNetV2
from harness.plugins import registry
from harness.runtimes.tensorrt.runtime import WORKER
from harness.runtimes.tensorrt_rtx.runtime import RTX_WHEELS
from tests.worker.worker_jobs import write_job

FAMILIES = {"mobilenet_v1": MobileNetV1(), "mobilenet_v2": MobileNetV2()}


@pytest.fixture(scope="module")
def rtx(request: pytest.FixtureRequest) -> Prepared:
    """An environment with the release asked for, kept between test runs as environments are."""
    runtime = registry.runtimes()["tensorrt_rtx"]
    try:
        return VirtualEnvironment().prepare(runtime, request.param, lambda _: None)
    except UnavailableError as error:
        pytest.skip(str(error))


def run(prepared: Prepared, folder: Path, network: str, precision: str, source: str) -> tuple[Path, dict]:  # type: ignore[type-arg]
    """Build *network* and return the result folder and what the worker said."""
    treatment = {"precision": precision, "source": source, "batch": 1, "relu6": "clip"}
    cell = {"id": "rtx", "runtime": "tensorrt_rtx", "network": network, "treatment": treatment}
    graph = FAMILIES[network].graph(1, "clip")
    job = write_job(folder / "job", WORKER.module, graph=graph, onnx=source == "onnx", cell=cell)
    result = folder / "result"
    result.mkdir()
    files = [path for path in job.parent.iterdir() if path != job]
    outcome = converse(prepared.start(job, files, result, Limits(seconds=300)), job, result)
    assert outcome.status == "ok", outcome
    return result, json.loads((result / "result.json").read_text())


WAYS = (
    ("mobilenet_v1", "fp32", "api"),
    ("mobilenet_v2", "fp16", "onnx"),
    ("mobilenet_v1", "fp16", "onnx"),
    ("mobilenet_v2", "fp32", "api"),
)
"""Every value of each with every release in the first two; all four with the newest."""


@pytest.mark.parametrize(
    ("rtx", "network", "precision", "source"),
    [(version, *way) for version in RTX_WHEELS for way in (WAYS if version == RTX_WHEELS[-1] else WAYS[:2])],
    indirect=["rtx"],
)
def test_a_release_builds_without_a_gpu(
    rtx: Prepared, tmp_path: Path, network: str, precision: str, source: str
) -> None:
    result, said = run(rtx, tmp_path, network, precision, source)
    assert (said["status"], said["reason"]) == ("ok", "")
    facts = said["facts"]
    assert facts["dialect"] == "E"
    # An engine holds the weights, in the type they were given in.
    weights = sum(array.size for array in FAMILIES[network].graph(1, "clip").weights.values())
    assert facts["engine_bytes"] > weights * {"fp32": 4, "fp16": 2}[precision]
    assert facts["build_seconds"] > 0
    if "gpu" not in facts:
        assert "no GPU" in facts["not_measured"]
        assert not (result / "samples.json").exists()
    graph = FAMILIES[network].graph(1, "clip")
    assert carried_ops(result) >= {op.name for op in graph.ops if op.kind == "conv"}
    assert len(registry.runtimes()["tensorrt_rtx"].read(result).layers) > 28


def carried_ops(result: Path) -> set[str]:
    """Return the source ops that the engine's layers say they carry, from the builder's log."""
    with gzip.open(result / "evidence" / "build.log.gz", "rt", encoding="utf-8") as stream:
        layers = [line for line in stream if line.startswith("Name: ")]
    return {name for line in layers for name in re.findall(r"\[ONNX Layer: ([^\]]*)\]", line)}


@pytest.mark.parametrize("rtx", RTX_WHEELS[-1:], indirect=True)
def test_two_builds_give_one_engine(rtx: Prepared, tmp_path: Path) -> None:
    digests = []
    for number in ("first", "second"):
        folder = tmp_path / number
        folder.mkdir()
        digests.append(run(rtx, folder, "mobilenet_v1", "fp32", "api")[1]["facts"]["engine_sha256"])
    assert digests[0] == digests[1]
    assert np.char.startswith(digests[0], "sha256:")
