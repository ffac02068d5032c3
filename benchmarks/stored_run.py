"""A stored run of many cells, composed: what the TensorRT worker leaves, with made-up times.

    python benchmarks/stored_run.py FOLDER [CELLS]

Makes the bundle FOLDER of CELLS cells (1,000): 20 versions across, batches down, three builds each with an
engine of 100 layers, their profile and a slice of three passes, in the forms that are written today; without
builder logs. Then runs
``trtmatrix judge`` and ``trtmatrix report`` on it as whole processes and prints the seconds of each.
"""

from __future__ import annotations

import json
import random
import resource
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from harness.matrix.cell import Cell, Treatment
from harness.networks.mobilenet import MobileNetV2
from harness.store.bundle import Bundle
from harness.store.documents.base import write_document
from harness.store.documents.build import Build
from harness.store.documents.manifest import Manifest
from harness.store.documents.origin import Host, Software
from harness.store.documents.profile import ProfileRound, ProfileRuns
from harness.store.documents.result import Result
from harness.store.documents.samples import Samples, Slice

LAYERS = 100
VERSIONS = 20
BUILDS = 3
SAMPLES = 20
PROFILE_RUNS = 10
DRIVER = "535.1"
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


def main() -> None:
    """Make the bundle where it is not there, and time both commands on it."""
    root, cells = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1000
    if not root.exists():
        make(root, cells)
    page = root.with_suffix(".html")
    print("command       wall, s   user, s")
    for name, words in {
        "judge": ["judge", str(root)],
        "report": ["report", str(root), "-o", str(page)],
    }.items():
        before, start = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime, time.perf_counter()
        subprocess.run([sys.executable, "-m", "harness.cli", *words], check=True, stdout=subprocess.DEVNULL)
        wall = time.perf_counter() - start
        user = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before
        print(f"{name:10}  {wall:9.2f} {user:9.2f}")
    print(f"page, MB    {page.stat().st_size / 1e6:9.3f}")


def make(root: Path, cells: int) -> None:
    """Make the bundle."""
    draw = random.Random(1)
    ops = [op.name for op in MobileNetV2().graph(1, "clip").ops]
    bundle = Bundle.create(root, Manifest(run=root.name, state="complete", started=BEGAN, rounds=BUILDS))
    for index in range(cells):
        treatment = Treatment(batch=1 + index // VERSIONS)
        cell = Cell("mobilenet_v2", treatment, "tensorrt", f"{index % VERSIONS + 1}.0", "venv")
        bundle.set_cell(cell, "measured")
        names = [
            ops[place % len(ops)] if place % 2 else f"{ops[place % len(ops)]} + fused_{index % VERSIONS}"
            for place in range(LAYERS)
        ]
        for number in range(BUILDS):
            files = root / "incoming"
            _write(files, names, cell.version, draw)
            bundle.put_build(files, _build(root.name, cell, number, BEGAN + timedelta(minutes=index)))
    bundle.save()


def _build(run: str, cell: Cell, number: int, began: datetime) -> Build:
    started = began + timedelta(seconds=10 * number)
    return Build(
        cell=cell.id,
        build=number,
        status="ok",
        run=run,
        round=number,
        started=started,
        ended=started + timedelta(seconds=9),
        host=Host(machine="composed", device="GPU-1"),
        software=Software(version=cell.version, environment=cell.environment, driver=DRIVER),
    )


def _write(files: Path, names: list[str], version: str, draw: random.Random) -> None:
    """Write what a worker leaves of one build."""
    evidence = files / "evidence"
    evidence.mkdir(parents=True)
    layers = [_layer(place, name, draw) for place, name in enumerate(names)]
    profile = []
    total = 0.0
    for name in names:
        middle = draw.uniform(0.001, 0.1)
        total += middle
        profile.append({"name": name, "ms": [middle * draw.uniform(0.98, 1.02) for _ in range(PROFILE_RUNS)]})
    latency = total * draw.uniform(0.98, 1.02)
    slices = [
        Slice(pass_name=name, clock="gpu", latency_ms=[latency * factor] * SAMPLES)
        for name, factor in (("latency", 1.0), ("cuda_graph", 0.8), ("cold_l2", 1.1))
    ]
    facts = {
        "tensorrt": version,
        "gpu": "composed",
        "driver": DRIVER,
        "precision": "fp32",
        "launch_bound": True,
    }
    write_document(files / "result.json", Result(status="ok", facts=facts, slices=len(slices)))
    write_document(files / "samples.json", Samples(slices=slices))
    profiled = ProfileRound(round=0, settle=0, inference_ms=[total] * PROFILE_RUNS)
    runs = ProfileRuns(
        way="behind an enqueue", clock="gpu", plain_ms=[latency] * PROFILE_RUNS, rounds=[profiled]
    )
    write_document(evidence / "profile_runs.json", runs)
    for name, document in {
        "layers.json": {"Layers": layers, "Bindings": ["input", "logits"]},
        "profile_samples.json": {"runs": PROFILE_RUNS, "layers": profile},
    }.items():
        (evidence / name).write_text(json.dumps(document), encoding="utf-8")


def _layer(place: int, name: str, draw: random.Random) -> dict[str, object]:
    tensor = {
        "Location": "Device",
        "Dimensions": [1, 32, 112, 112],
        "Format/Datatype": "Row major linear FP32",
    }
    kernel = f"sm90_xmma_fprop_implicit_gemm_f32_tilesize{draw.choice((32, 64, 128))}x{place % 8}_nchw"
    return {
        "Name": name,
        "LayerType": "CaskConvolution",
        "Inputs": [{"Name": f"t{place}", **tensor}],
        "Outputs": [{"Name": f"t{place + 1}", **tensor}],
        "ParameterType": "Convolution",
        "Kernel": [3, 3],
        "Groups": 1,
        "TacticName": kernel,
        "TacticValue": "0xb0bf940d5e0f9f45",
        "StreamId": 0,
        "Metadata": f"[ONNX Layer: {name}]",
    }


if __name__ == "__main__":
    main()
