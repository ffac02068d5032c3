"""One engine measured in fresh processes, over CUDA calls on host memory; and what its judge makes of it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.benchmarks.script_jobs import BENCHMARKS, ROOT, prepared


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the script prints for an engine and a variant of it, two rounds."""
    folder = tmp_path_factory.mktemp("same")
    jobs, environment = prepared(folder)
    command = [sys.executable, str(BENCHMARKS / "same_engine.py"), *map(str, jobs)]
    done = subprocess.run(
        [*command, "--rounds", "2", "--engines", str(folder / "engines")],
        env=environment, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert (folder / "engines" / "mobilenet_v2.engine").read_bytes() == b"serialized"
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_every_arm_is_measured_in_every_round(measured: dict[str, Any]) -> None:
    medians = measured["medians_ms"]["cuda_graph"]
    assert set(measured["medians_ms"]) == {"latency", "cuda_graph"}
    assert set(medians) == {"base", "aa", "mobilenet_v2_plus3"}
    assert all(len(row) == 2 and min(row) > 0 for row in medians.values())
    assert measured["gpu"]["uuid"] == "GPU-00112233-4455-6677-8899-aabbccddeeff"
    assert all(digest.startswith("sha256:") for digest in measured["engines"].values())


def test_its_judge_counts_alarms_and_what_is_seen(measured: dict[str, Any], tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    files = []
    for number in range(2):  # two visits of the same engine are one series
        levels = {"base": 0.43, "aa": 0.43, "mobilenet_v2_plus3": 0.43 * 1.1}
        medians = {name: list(level * random.normal(1, 1e-3, 9)) for name, level in levels.items()}
        path = tmp_path / f"{number}.json"
        path.write_text(json.dumps({**measured, "medians_ms": {"cuda_graph": medians}}), encoding="utf-8")
        files.append(str(path))
    command = [sys.executable, str(BENCHMARKS / "judge_same_engine.py"), *files, "--builds", "3"]
    command += ["--pass", "cuda_graph"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr + done.stdout
    assert "| tensorrt | latency | 6 | 0 |" in done.stdout
    assert "0 alarms in 6 A/A verdicts" in done.stdout
    assert "mobilenet_v2_plus3 | tensorrt | 6 |" in done.stdout
    assert done.stdout.strip().endswith("100.0 |")


def test_what_was_measured_on_a_gpu_raises_no_alarm() -> None:
    path = ROOT / "tests" / "data" / "same_engine" / "h100-8.5.3.1.json"
    command = [sys.executable, str(BENCHMARKS / "judge_same_engine.py"), str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr + done.stdout
    assert "0 alarms in 10 A/A verdicts" in done.stdout
    assert "mobilenet_v2_plus12 | tensorrt | 10 | 15.2 | 90.0 |" in done.stdout


def test_a_pass_that_was_not_measured_is_refused(measured: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "same.json"
    path.write_text(json.dumps(measured), encoding="utf-8")
    command = [sys.executable, str(BENCHMARKS / "judge_same_engine.py"), str(path), "--pass", "cold_l2"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 2
    assert "no pass 'cold_l2'; it has cuda_graph, latency" in done.stderr


def test_another_form_of_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.json"
    path.write_text('{"schema": "x"}', encoding="utf-8")
    command = [sys.executable, str(BENCHMARKS / "judge_same_engine.py"), str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 2
    assert "expected 'trtmatrix.same_engine/1'" in done.stderr
