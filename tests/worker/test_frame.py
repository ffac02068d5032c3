"""The whole frame on the interpreters that TensorRT's old images have, and on the one that runs the tests."""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pytest

from harness.environments.installer import Plan, python_of
from harness.environments.interpreter import PreparedInterpreter
from harness.environments.pythons import find_python
from harness.environments.venv import make
from harness.errors import UnavailableError
from harness.networks.inputs import probe_inputs
from tests.worker.worker_jobs import WORKER, run_job, small_network, worker_of, write_job

# The last NumPy of each Python that is older than the harness's own.
NUMPY = {(3, 6): "1.19.5", (3, 8): "1.24.4"}


@pytest.fixture(scope="module")
def old_python(request: pytest.FixtureRequest) -> Path:
    """An interpreter of the release asked for, with NumPy: kept between test runs as environments are."""
    release = request.param
    found = find_python((release, release))
    if found is None:
        pytest.skip(f"no Python {release[0]}.{release[1]} on this machine")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRTMATRIX_CACHE", str(Path(tempfile.gettempdir()) / "trtmatrix-tests"))
        try:
            folder = make(Plan(found, (f"numpy=={NUMPY[release]}",)), "NumPy", lambda _: None)
        except UnavailableError as error:
            pytest.skip(str(error))
    return python_of(folder)


def run_probe(python: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Run the module that uses every part of the frame, and return the result folder."""
    monkeypatch.setenv("TRTMATRIX_CACHE", str(tmp_path / "cache"))
    result = tmp_path / "result"
    result.mkdir()
    began = time.monotonic()
    affinity = sorted(os.sched_getaffinity(0))[:1] if hasattr(os, "sched_getaffinity") else None
    job = write_job(tmp_path / "job", "probe", affinity=affinity)
    prepared = PreparedInterpreter(python, worker_of("probe"))
    outcome = run_job(prepared, job, result, seconds=120)
    assert outcome.status == "ok", outcome
    facts = json.loads((result / "result.json").read_text())["facts"]
    # each moment counts once
    assert 0 < facts["import_seconds"] + facts["run_seconds"] < time.monotonic() - began
    return result


def check(result: Path) -> dict[str, object]:
    """Check everything the protocol promises of a result folder, and return the facts."""
    said = json.loads((result / "result.json").read_text())
    assert (said["schema"], said["status"], said["reason"]) == ("trtmatrix.result/2", "ok", "")
    assert said["settings"] == [{"name": "threads", "value": 1}]
    assert said["not_expressible"] == ["precision: there is nothing to set"]
    document = json.loads((result / "samples.json").read_text())
    slices = document["slices"]
    assert said["slices"] == len(slices)
    assert [(row["process"], row["cycle"], row["slice"]) for row in slices] == [
        (0, cycle, 0) for cycle in range(len(slices))
    ]
    (ended,) = document["passes"]
    assert ended["stopped_by"] in ("interval", "samples", "seconds"), "whichever a busy machine meets first"
    samples = [value for row in slices for value in row["latency_ms"]]
    assert len(samples) >= 10
    assert min(samples) >= 1.0  # each is a sleep of a millisecond
    # Each sample sleeps: next to no CPU time in a millisecond of wall time.
    assert all(0 <= sum(row["cpu_ms"]) < sum(row["latency_ms"]) / 2 for row in slices)
    assert all(row["enqueue_ms"] is None and row["clock"] == "host" for row in slices)
    graph = small_network()
    ops = json.loads((result / "evidence" / "ops.json").read_text())
    assert [name for name, _, _ in ops] == [op.name for op in graph.ops]
    with np.load(result / "outputs.npz") as outputs:
        assert outputs["sum"].dtype == np.float32
        np.testing.assert_allclose(outputs["sum"], probe_inputs(graph)["input"].sum(), rtol=1e-4)
    facts: dict[str, object] = said["facts"]
    np.testing.assert_array_equal(facts["bias"], graph.weights["Conv/Conv2D/bias"].tolist())
    peaks = facts["peaks"]
    assert isinstance(peaks, dict)
    assert peaks["flops_per_s"] > 1e8
    assert peaks["bytes_per_s"] > 1e7
    if facts.get("affinity"):
        assert len(facts["affinity"]) == 1  # type: ignore[arg-type]
    return facts


@pytest.mark.parametrize("old_python", [(3, 6), (3, 8)], indirect=True, ids=["3.6", "3.8"])
def test_an_old_python(old_python: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    facts = check(run_probe(old_python, tmp_path, monkeypatch))
    assert str(facts["python"]).startswith(("3.6.", "3.8."))
    assert facts["numpy"] in NUMPY.values()


def test_this_python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    facts = check(run_probe(Path(sys.executable), tmp_path, monkeypatch))
    assert facts["numpy"] == np.__version__


@pytest.mark.parametrize("old_python", [(3, 6)], indirect=True, ids=["3.6"])
def test_every_module_compiles_on_the_old_python(old_python: Path) -> None:
    # What no linter sees: a comma behind *arguments, for one, which a formatter may add.
    import subprocess

    runtimes = WORKER.parent / "runtimes"
    modules = sorted(map(str, [*WORKER.rglob("*.py"), *runtimes.glob("*/worker/**/*.py")]))
    assert len(modules) > 40
    program = "import sys; [compile(open(p, encoding='utf-8').read(), p, 'exec') for p in sys.argv[1:]]"
    done = subprocess.run([str(old_python), "-c", program, *modules], capture_output=True, text=True)
    assert done.stderr == ""
    assert done.returncode == 0
