"""Jobs and an environment for benchmarks that run where a TensorRT is: a stand-in over host memory."""

from __future__ import annotations

import json
import os
from pathlib import Path

import harness
from benchmarks.slower_networks import REPEATED, repeated
from harness.environments.staging import copy_worker
from harness.runtimes.tensorrt.runtime import WORKER
from tests.runtimes.tensorrt.worker.conftest import small_graph
from tests.runtimes.tensorrt.worker.cuda_libraries import compile_libraries
from tests.worker.worker_jobs import MEASURE, write_job

ROOT = Path(harness.__file__).resolve().parents[1]
BENCHMARKS = ROOT / "benchmarks"
RUNNING = ROOT / "tests" / "runtimes" / "tensorrt" / "worker" / "running.py"


def prepared(folder: Path) -> tuple[list[Path], dict[str, str]]:
    """Return jobs of a small network and of a variant, and the environment in which they run."""
    compile_libraries(folder)
    text = RUNNING.read_text(encoding="utf-8").replace("parents[4]", f"parents[0] / {str(ROOT)!r}")
    (folder / "tensorrt.py").write_text(text, encoding="utf-8")
    copy_worker(folder, [WORKER])
    graph = small_graph()
    variant = repeated(graph, "mobilenet_v2_plus3", REPEATED["mobilenet_v2"], 3)
    jobs = [
        write_job(
            folder / made.name,
            WORKER.module,
            graph=made,
            cell={
                "runtime": "tensorrt",
                "network": made.name,
                "version": "8.5.3.1",
                "environment": "venv",
                "treatment": {"batch": 1},
            },
            measure=MEASURE,
        )
        for made in (graph, variant)
    ]
    shapes = {name: graph.shapes[name] for name in ("input", "logits")}
    environment = {
        **os.environ,
        "LD_LIBRARY_PATH": str(folder),
        "PYTHONPATH": str(folder),
        "STAND_IN": json.dumps({"version": "8.5.3.1", "io": shapes}),
    }
    return jobs, environment
