"""A version in a container and in a virtual environment: measured in one block, held against each other."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.cli import main
from harness.environments.docker.engine import Engine
from harness.store.bundle import Bundle
from tests.cli.small_matrix import write_narrow_networks

_MATRIX = """schema = "trtmatrix.matrix/1"
[run]
builds = 1
[measure]
warmup_seconds = 0.05
maximum_seconds = 1.0
minimum_samples = 20
profile_iterations = 3
[[versions]]
runtime = "onnxruntime"
versions = ["1.22.1"]
environment = ["venv", "docker"]
[[block]]
networks = ["narrow"]
"""


def test_a_container_takes_turns_with_a_virtual_environment_and_is_judged_beside_it(
    docker_engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert docker_engine
    monkeypatch.chdir(tmp_path)
    Path("m.toml").write_text(_MATRIX + write_narrow_networks(tmp_path), encoding="utf-8")

    assert main(["run", "m.toml", "--out", "run", "--report", "report.html"]) == 0

    records = Bundle.open(tmp_path / "run").cells()
    assert sorted(record.cell.environment for record in records) == ["docker", "venv"]
    builds = [json.loads(path.read_text()) for path in sorted(Path("run/builds").glob("*/0/build.json"))]
    assert len({build["block"] for build in builds}) == 1
    assert builds[0]["started"] < builds[1]["ended"]  # alive at once, whichever came first
    assert builds[1]["started"] < builds[0]["ended"]
    capsys.readouterr()
    assert main(["judge", "run"]) == 0
    assert "onnxruntime 1.22.1 (docker) against its twin in venv" in capsys.readouterr().out
    assert "1.22.1 beside its twin in venv" in Path("report.html").read_text()
