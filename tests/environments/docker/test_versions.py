"""The same cells in containers and in virtual environments: equal engines, equal outputs, one report."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from harness.cli import main
from harness.environments.docker.engine import Engine
from harness.execution.measuring import measure
from harness.execution.plan import Choices, make_plan
from harness.plugins import registry
from harness.store.bundle import Bundle
from tests.cli.small_matrix import write_narrow_networks

_HEAD = """
schema = "trtmatrix.matrix/1"
[run]
builds = 1
seed = 7
[measure]
warmup_seconds = 0.0
minimum_samples = 3
maximum_samples = 5
maximum_seconds = 0.2
windows = 1
profile_iterations = 2
[[block]]
networks = ["linear_relu6_probe", "narrow"]
"""


def _measured(folder: Path, versions: dict[str, list[str]]) -> tuple[Bundle, list[tuple[str, str]]]:
    """Measure *versions* in both environments; return the bundle and the pairs of cell ids."""
    blocks = [
        f'[[versions]]\nruntime = "{name}"\nversions = {json.dumps(said)}\nenvironment = ["docker", "venv"]\n'
        for name, said in versions.items()
    ]
    matrix = folder / "matrix.toml"
    matrix.write_text(_HEAD + "".join(blocks) + write_narrow_networks(folder))
    choices = Choices(matrix=matrix, out=folder / "run")
    plan = make_plan(choices, registry.parts())
    bundle = measure(plan, choices, plan.cells, registry.parts())
    states = {record.cell.id: (record.status, record.reason) for record in bundle.cells()}
    if any(state == "unavailable" and "cannot install" in reason for state, reason in states.values()):
        pytest.skip("the package index does not give these wheels")
    assert {state for state, _ in states.values()} == {"measured"}, states
    return bundle, [(c.id, f"{c.id}-venv") for c in plan.cells if c.environment == "docker"]


def test_engines_of_tensorrt_rtx_built_in_containers_equal_those_of_venv(
    docker_engine: Engine, tmp_path: Path
) -> None:
    versions = ["1.4.0.76", "1.7.1.116"]

    bundle, pairs = _measured(tmp_path, {"tensorrt_rtx": versions})

    digests = {cell: _facts(bundle, cell)["engine_sha256"] for pair in pairs for cell in pair}
    assert len(pairs) == 4
    assert all(digests[docker] == digests[venv] for docker, venv in pairs)
    assert len(set(digests.values())) == 4
    images = {_container(bundle, docker)["image_id"] for docker, _ in pairs}
    assert len(images) == 2
    assert docker_engine.facts.version


def test_cpu_runtimes_give_equal_outputs_in_containers_and_a_report_of_both(
    docker_engine: Engine, tmp_path: Path
) -> None:
    asked = {"onnxruntime": ["1.22.1"], "openvino": ["2024.6.0"]}

    bundle, pairs = _measured(tmp_path, asked)
    page = tmp_path / "report.html"

    assert len(pairs) == 4
    for docker, venv in pairs:
        ours, theirs = _outputs(bundle, docker), _outputs(bundle, venv)
        assert ours.keys() == theirs.keys()
        assert all(np.array_equal(ours[name], theirs[name]) for name in ours)
    assert main(["report", str(bundle.root), "-o", str(page)]) == 0
    assert "openvino 2024.6.0" in page.read_text()
    assert docker_engine.facts.version


def _folder(bundle: Bundle, cell: str) -> Path:
    (record,) = bundle.builds(cell)
    return record.folder


def _facts(bundle: Bundle, cell: str) -> dict[str, str]:
    facts: dict[str, str] = json.loads((_folder(bundle, cell) / "result.json").read_text())["facts"]
    return facts


def _container(bundle: Bundle, cell: str) -> dict[str, str]:
    stored: dict[str, str] = json.loads((_folder(bundle, cell) / "container.json").read_text())
    return stored


def _outputs(bundle: Bundle, cell: str) -> dict[str, np.ndarray]:
    with np.load(_folder(bundle, cell) / "outputs.npz") as arrays:
        return dict(arrays)
