"""Every way a worker can end, each with a real process: what the harness says of it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from harness.environments.base import Limits, Outcome, converse
from harness.environments.interpreter import PreparedInterpreter
from tests.worker.worker_jobs import run_job, worker_of, write_job

Run = Callable[..., Outcome]


@pytest.fixture
def result(tmp_path: Path) -> Path:
    """An empty result folder."""
    folder = tmp_path / "result"
    folder.mkdir()
    return folder


@pytest.fixture
def run(tmp_path: Path, result: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run the misbehaving worker module in the way asked for, within limits."""
    monkeypatch.setenv("TRTMATRIX_CACHE", str(tmp_path / "cache"))

    def go(how: str, when: str = "build", **limits: float) -> Outcome:
        job = write_job(tmp_path / "job", "misbehaving", options={"how": how, "when": when})
        prepared = PreparedInterpreter(Path(sys.executable), worker_of("misbehaving"))
        return run_job(prepared, job, result, **limits)

    return go


def said(result: Path) -> dict[str, object]:
    """Return what the worker says of itself."""
    document: dict[str, object] = json.loads((result / "result.json").read_text())
    return document


def test_a_worker_that_does_its_job(run: Run, result: Path) -> None:
    outcome = run("well")
    assert (outcome.status, outcome.reason, outcome.exit_code) == ("ok", "", 0)
    assert said(result)["status"] == "ok"
    assert outcome.log_tail == "about to end: well"
    assert (result / "outputs.npz").is_file()


def test_an_exit_status_is_told_with_the_last_line(run: Run, result: Path) -> None:
    outcome = run("die")
    assert outcome.status == "failed"
    assert outcome.reason == "the worker ended with exit status 7: the engine is broken"
    assert not (result / "result.json").exists()


def test_an_end_without_a_result(run: Run) -> None:
    outcome = run("vanish")
    assert (outcome.status, outcome.reason) == ("failed", "the worker ended without a result")


def test_a_hang_meets_the_time_limit(run: Run) -> None:
    outcome = run("hang", seconds=1.5)
    assert outcome.status == "time_limit"
    assert outcome.reason == "still running 'build' after the limit of 1.5 s"
    assert outcome.log_tail == "about to end: hang"
    assert 1.5 <= outcome.seconds < 30


def test_memory_is_held_against_the_limit(run: Run) -> None:
    outcome = run("eat", memory_bytes=300 << 20, seconds=60)
    assert outcome.status == "memory_limit"
    assert outcome.reason.endswith("above the limit of 300 MiB")
    assert outcome.peak_memory_bytes is not None
    assert outcome.peak_memory_bytes > 300 << 20


def test_address_space_is_not(run: Run) -> None:
    assert run("reserve", memory_bytes=300 << 20, seconds=60).status == "ok"


def test_a_kill_from_outside_is_told_by_its_signal(run: Run) -> None:
    outcome = run("kill")
    assert (outcome.status, outcome.reason) == ("killed", "killed by signal 9 (SIGKILL)")
    assert outcome.exit_code == -9


def test_a_result_has_a_size_limit(run: Run) -> None:
    outcome = run("write", result_bytes=8 << 20, seconds=60)
    assert outcome.status == "result_limit"
    assert outcome.reason.endswith("above the limit of 8 MiB")


def test_a_log_is_cut_and_the_worker_goes_on(run: Run, result: Path) -> None:
    assert run("chatter", log_bytes=1 << 20).status == "ok"
    log = (result / "worker.log").read_bytes()
    assert (1 << 20) < len(log) < (1 << 20) + 200
    assert b"[log cut here: " in log


def test_children_end_with_the_worker(run: Run, result: Path) -> None:
    assert run("bear", seconds=2.0).status == "time_limit"
    child = int((result / "child.pid").read_text())
    deadline = time.monotonic() + 10
    while _alive(child) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _alive(child)


def _alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_an_interrupt_ends_the_worker_and_is_told(run: Run, result: Path) -> None:
    log = result / "worker.log"

    def interrupt() -> None:
        while not (log.exists() and b"about to end" in log.read_bytes()):  # it was asked, so it is waited for
            time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    outcome = run("hang", seconds=60)
    thread.join()
    assert (outcome.status, outcome.reason) == ("interrupted", "interrupted by the user")


@pytest.mark.parametrize("when", ["build", "load", "slice", "profile", "close"])
def test_a_hang_is_found_in_every_step_and_costs_only_what_was_not_answered(
    run: Run, result: Path, when: str
) -> None:
    outcome = run("hang", when, seconds=4.0)
    assert outcome.status == "time_limit"
    assert outcome.reason == f"still running '{when}' after the limit of 4 s"
    assert not (result / "result.json").exists()
    counts = {"slice": [5, 5], "profile": [5, 5], "close": [5, 5]}
    assert samples(result) == counts.get(when, [])[: 1 if when == "slice" else None]


@pytest.mark.parametrize("when", ["load", "slice", "profile"])
def test_a_death_in_a_step_keeps_the_slices_before_it(run: Run, result: Path, when: str) -> None:
    outcome = run("die", when)
    assert outcome.reason == "the worker ended with exit status 7: the engine is broken"
    assert samples(result) == {"load": [], "slice": [5], "profile": [5, 5]}[when]


@pytest.mark.parametrize("when", ["build", "slice"])
def test_nonsense_among_the_answers_is_told(run: Run, when: str) -> None:
    outcome = run("garble", when)
    assert outcome.status == "failed"
    assert outcome.reason == f"the worker's answer to '{when}' is no message: 'Hello, I am a library.'"


def samples(result: Path) -> list[int]:
    """Return the sizes of the slices that were kept."""
    path = result / "samples.json"
    slices = json.loads(path.read_text())["slices"] if path.exists() else []
    return [len(row["latency_ms"]) for row in slices]


@pytest.mark.parametrize(
    ("how", "status", "reason"),
    [
        ("raise", "failed", "ValueError: no such engine"),
        ("refuse", "unsupported", "precision 'int8' is not for this runtime"),
        ("give_up", "failed", "the network has no input"),
    ],
)
def test_what_a_module_raises_becomes_status_and_one_line(
    run: Run, result: Path, how: str, status: str, reason: str
) -> None:
    assert run(how).status == "ok"
    assert said(result)["status"] == status
    assert said(result)["reason"] == reason


def test_a_program_that_is_not_there(tmp_path: Path, result: Path) -> None:
    job = write_job(tmp_path / "job", "misbehaving")
    prepared = PreparedInterpreter(tmp_path / "no-python", worker_of("misbehaving"))
    outcome = run_job(prepared, job, result)
    assert (outcome.status, outcome.reason) == (
        "failed",
        "the worker did not start: No such file or directory",
    )


def test_a_job_folder_must_hold_its_inputs(tmp_path: Path, result: Path) -> None:
    job = write_job(tmp_path / "job", "misbehaving")
    prepared = PreparedInterpreter(Path(sys.executable), worker_of("misbehaving"))
    started = prepared.start(job, [tmp_path / "elsewhere.onnx"], result, Limits())
    outcome = converse(started, job, result)
    assert outcome.reason == "the job's folder lacks elsewhere.onnx"


_HARNESS = """
import sys
from pathlib import Path
from harness.environments.base import Limits, converse
from harness.environments.interpreter import PreparedInterpreter
from harness.environments.needs import WorkerSource
worker, job, result = map(Path, sys.argv[1:])
source = WorkerSource("misbehaving", worker)
started = PreparedInterpreter(Path(sys.executable), source).start(job, [], result, Limits(seconds=60))
converse(started, job, result)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="prctl is Linux's")
def test_a_worker_ends_with_a_harness_that_is_killed(
    tmp_path: Path, result: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRTMATRIX_CACHE", str(tmp_path / "cache"))
    worker = worker_of("misbehaving").path
    job = write_job(tmp_path / "job", "misbehaving", options={"how": "hang"})
    harness = subprocess.Popen([sys.executable, "-c", _HARNESS, str(worker), str(job), str(result)])
    log = result / "worker.log"
    _wait_for(lambda: log.is_file() and "about to end: hang" in log.read_text(encoding="utf-8"))
    (child,) = psutil.Process(harness.pid).children()
    harness.kill()
    harness.wait()
    _wait_for(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)


def _wait_for(holds: Callable[[], bool], seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, f"not within {seconds:g} s"
        time.sleep(0.05)
