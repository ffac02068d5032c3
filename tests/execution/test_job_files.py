"""The job folder of a build: what is placed beside ``job.json``."""

import json
from pathlib import Path

from harness.execution.inputs import InputStore
from harness.execution.job import write_job
from harness.execution.measuring import settings_for
from harness.runtimes.onnxruntime.runtime import OnnxRuntime
from tests.execution.ground import SMALL, Ground


def test_an_earlier_timing_cache_lies_beside_the_job(tmp_path: Path) -> None:
    ground = Ground(tmp_path)
    cell, settings = ground.cells[0], settings_for(ground.plan, 1)
    made = InputStore(tmp_path / "inputs", {"small": SMALL}, 1).get(cell)
    cache, plain, keeping = tmp_path / "cache", tmp_path / "plain", tmp_path / "keeping"
    cache.write_bytes(b"timed")
    plain.mkdir()
    keeping.mkdir()
    job, _ = write_job(cell, 0, made, OnnxRuntime(), settings, plain)
    assert json.loads(job.read_text())["options"] == {}
    assert not (plain / "timing.cache").exists()
    job, files = write_job(cell, 1, made, OnnxRuntime(), settings, keeping, cache)
    assert json.loads(job.read_text())["options"] == {"timing_cache_file": "timing.cache"}
    assert (keeping / "timing.cache").read_bytes() == b"timed"
    assert keeping / "timing.cache" in files
