"""pytest-benchmark gets exactly the recorded samples, one entry a build, and can compare stored runs."""

from __future__ import annotations

import json
import shutil
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


@pytest.fixture(scope="module")
def stored(run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which pytest-benchmark kept the run, with its data and a histogram, as of one night."""
    folder = tmp_path_factory.mktemp("stored")
    kept = ("--benchmark-autosave", "--benchmark-json=latency.json", "--benchmark-histogram=latency")
    found = suite(folder, run, *kept)
    assert found.returncode == 0, found.stdout + found.stderr
    return folder


@pytest.fixture
def nights(stored: Path, tmp_path: Path) -> Path:
    """A copy of it, for another night."""
    return Path(shutil.copytree(stored, tmp_path / "nights"))


def test_data_equal_the_samples_in_the_bundle(run: Path, stored: Path) -> None:
    entries = json.loads((stored / "latency.json").read_text(encoding="utf-8"))["benchmarks"]
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


def test_a_histogram_is_drawn(stored: Path) -> None:
    assert list(stored.glob("latency*.svg"))


GATE = ("--benchmark-compare", "--benchmark-compare-fail=median:1%")


def test_stored_runs_are_compared_by_version(run: Path, nights: Path) -> None:
    same = suite(nights, run, "--benchmark-autosave", *GATE)
    assert same.returncode == 0, same.stdout
    command = [Path(sys.executable).with_name("pytest-benchmark"), "compare", "--group-by=group"]
    found = subprocess.run(command, cwd=nights, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr
    assert "benchmark 'small-fp32-b1-clip': 8 tests" in found.stdout + found.stderr


def test_a_night_can_fail_against_the_night_before(run: Path, nights: Path) -> None:
    (kept,) = nights.glob(".benchmarks/*/*.json")
    data = json.loads(kept.read_text(encoding="utf-8"))
    for entry in data["benchmarks"]:
        entry["stats"]["median"] /= 2
    kept.write_text(json.dumps(data), encoding="utf-8")
    slower = suite(nights, run, *GATE)
    assert slower.returncode != 0
    assert "Performance has regressed" in slower.stdout + slower.stderr


def test_without_benchmarks_the_suite_passes(run: Path, tmp_path: Path) -> None:
    found = suite(tmp_path, run, "--benchmark-disable")
    assert found.returncode == 0, found.stdout + found.stderr
    assert "failed" not in found.stdout
