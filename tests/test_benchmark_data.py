"""pytest-benchmark gets exactly the recorded samples, one entry a build, and can compare stored runs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from harness.plugins.reading import observe
from harness.resources import data_folder
from tests.execution.ground import Ground

SUITE = str(data_folder("suites") / "test_latency.py")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    ground = Ground(tmp_path_factory.mktemp("ground"))
    bundle = ground.bundle()
    ground.schedule(bundle, rounds=2).run()
    return bundle.root


def suite(folder: Path, run: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", SUITE, f"--matrix-run={run}", "-q", "-p", "no:cacheprovider"]
    return subprocess.run([*command, *arguments], cwd=folder, capture_output=True, text=True, check=False)


def test_data_equal_the_samples_in_the_bundle(run: Path, tmp_path: Path) -> None:
    stored = tmp_path / "latency.json"
    found = suite(tmp_path, run, f"--benchmark-json={stored}")
    assert found.returncode == 0, found.stdout + found.stderr
    entries = json.loads(stored.read_text(encoding="utf-8"))["benchmarks"]
    expected = {
        (cell.cell.id, build.build): [sample / 1e3 for sample in build.passes["latency"]]
        for cell in observe([run]).cells
        for build in cell.builds
    }
    assert len(entries) == len(expected) == 4
    for entry in entries:
        key = (entry["extra_info"]["cell"], entry["extra_info"]["build"])
        assert entry["stats"]["data"] == expected[key]
        assert entry["group"] == "small-fp32-b1-clip"


def test_stored_runs_are_compared_by_version(run: Path, tmp_path: Path) -> None:
    for _ in range(2):
        assert suite(tmp_path, run, "--benchmark-autosave").returncode == 0
    command = [Path(sys.executable).with_name("pytest-benchmark"), "compare", "--group-by=group"]
    found = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr
    assert "benchmark 'small-fp32-b1-clip': 8 tests" in found.stdout + found.stderr


def test_a_night_can_fail_against_the_night_before(run: Path, tmp_path: Path) -> None:
    assert suite(tmp_path, run, "--benchmark-autosave").returncode == 0
    same = suite(tmp_path, run, "--benchmark-compare", "--benchmark-compare-fail=median:1%")
    assert same.returncode == 0, same.stdout
    (stored,) = tmp_path.glob(".benchmarks/*/*.json")
    data = json.loads(stored.read_text(encoding="utf-8"))
    for entry in data["benchmarks"]:
        entry["stats"]["median"] /= 2
    stored.write_text(json.dumps(data), encoding="utf-8")
    slower = suite(tmp_path, run, "--benchmark-compare", "--benchmark-compare-fail=median:1%")
    assert slower.returncode != 0
    assert "Performance has regressed" in slower.stdout + slower.stderr


def test_a_histogram_is_drawn(run: Path, tmp_path: Path) -> None:
    assert suite(tmp_path, run, f"--benchmark-histogram={tmp_path / 'latency'}").returncode == 0
    assert list(tmp_path.glob("latency*.svg"))


def test_without_benchmarks_the_suite_passes(run: Path, tmp_path: Path) -> None:
    found = suite(tmp_path, run, "--benchmark-disable")
    assert found.returncode == 0, found.stdout + found.stderr
    assert "failed" not in found.stdout
