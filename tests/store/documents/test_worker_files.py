"""What workers leave, read through the types: builds that TensorRT made on a GPU, and workers that run here.

Every worker that the other tests run is held to the same types (``tests/worker/typed.py``).
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from harness.environments.interpreter import PreparedInterpreter
from harness.errors import InputError
from harness.store.documents.base import read_document
from harness.store.documents.job import Job
from harness.store.documents.result import Result
from harness.store.documents.samples import read_samples
from tests.runtimes.worker_builds import PYCUDA, WHOLE, WorkerBuild
from tests.worker.worker_jobs import run_job, worker_of, write_job


@pytest.mark.parametrize("build", [*WHOLE, PYCUDA], ids=str)
def test_a_build_of_the_release_before_is_read_whole(build: WorkerBuild, tmp_path: Path) -> None:
    folder = build.put(tmp_path)
    said = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    result = read_document(folder / "result.json", Result)
    assert (result.status, result.reason, result.facts) == (said["status"], said["reason"], said["facts"])
    assert [{"name": row.name, "value": row.value} for row in result.settings] == said["settings"]
    assert result.not_expressible == said["not_expressible"]
    if (folder / "samples.json").exists():
        windows = json.loads((folder / "samples.json").read_text(encoding="utf-8"))["windows"]
        found = read_samples(folder)
        assert [one.latency_ms for one in found] == [window["latency_ms"] for window in windows]
        assert [(one.pass_name, one.cycle, one.clock) for one in found] == [
            (window["pass"], window["window"], window["clock"]) for window in windows
        ]


def test_what_a_worker_writes_by_hand_is_what_the_types_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRTMATRIX_CACHE", str(tmp_path / "cache"))
    (tmp_path / "result").mkdir()
    job = write_job(tmp_path / "job", "probe")
    # `run_job` holds every message and every file to its type.
    outcome = run_job(PreparedInterpreter(Path(sys.executable), worker_of("probe")), job, tmp_path / "result")
    assert outcome.status == "ok", outcome
    result = read_document(tmp_path / "result" / "result.json", Result)
    assert result.slices == len(read_samples(tmp_path / "result")) >= 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seed": "x"}, r"job\.json: seed: expected `int`, got `str`"),
        ({"speed": 1}, r"job\.json: object contains unknown field `speed`"),
        ({"measure": {}}, r"job\.json: measure: object missing required field `warmup_seconds`"),
    ],
)
def test_a_job_is_as_strict_as_the_worker_is(tmp_path: Path, change: dict[str, object], message: str) -> None:
    path = write_job(tmp_path, "probe", **change)
    with pytest.raises(InputError, match=message):
        read_document(path, Job)
