"""Workers that misbehave: each ends, with its reason, and leaves no container."""

from __future__ import annotations

import json
import os
import signal
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from harness.environments.base import converse
from harness.environments.docker.engine import Engine
from harness.environments.docker.posture import Posture
from harness.environments.needs import WorkerSource
from harness.environments.pythons import find_python
from tests.environments.confined import QUICK, container, run
from tests.environments.docker.engine_support import leftovers
from tests.worker.worker_jobs import worker_of


def test_a_worker_that_hangs_is_ended_at_the_time_limit(docker_engine: Engine, tmp_path: Path) -> None:
    code = "import time\nprint('begun')\ntime.sleep(600)\n"

    outcome, result = run(container(docker_engine, tmp_path, code), tmp_path, replace(QUICK, seconds=2))

    assert outcome.status == "time_limit"
    assert outcome.reason == "still running 'build' after the limit of 2 s"
    assert outcome.log_tail == "begun"
    assert (result / "container.json").is_file()


def test_a_worker_that_forks_without_end_is_ended_at_the_process_limit(
    docker_engine: Engine, tmp_path: Path
) -> None:
    code = (
        "import os, time\nwhile True:\n    try:\n        os.fork()\n"
        "    except OSError:\n        time.sleep(1)\n"
    )

    outcome, _ = run(container(docker_engine, tmp_path, code, posture=Posture(processes=48)), tmp_path)

    assert outcome.status == "failed"
    assert outcome.reason == "reached the limit of 48 processes"


def test_a_worker_that_fills_memory_is_ended_at_the_memory_limit(
    docker_engine: Engine, tmp_path: Path
) -> None:
    code = "held = []\nwhile True:\n    held.append(bytearray(16 << 20))\n"
    limits = replace(QUICK, memory_bytes=128 << 20)

    outcome, _ = run(container(docker_engine, tmp_path, code), tmp_path, limits)

    assert outcome.status == "memory_limit"
    assert outcome.reason == "needed more than the limit of 128 MiB of memory"


def test_memory_taken_through_tmp_counts_too(docker_engine: Engine, tmp_path: Path) -> None:
    code = (
        "import sys\nwith open('/tmp/big', 'wb') as a:\n    while True:\n        try:\n"
        "            a.write(bytes(1 << 20))\n        except OSError:\n"
        "            a = open('/tmp/more', 'wb')\n            a.write(bytes(8 << 20))\n            break\n"
    )
    limits = replace(QUICK, memory_bytes=64 << 20, result_bytes=512 << 20)

    outcome, _ = run(container(docker_engine, tmp_path, code), tmp_path, limits)

    assert outcome.status in ("memory_limit", "killed")
    assert outcome.reason


def test_a_worker_that_writes_past_its_result_size_is_ended(docker_engine: Engine, tmp_path: Path) -> None:
    code = (
        "import sys, time\nfor n in range(600):\n"
        "    with open('%s/part%d' % (sys.argv[2], n), 'wb') as stream:\n"
        "        stream.write(bytes(1 << 20))\n    time.sleep(0.05)\n"
    )

    outcome, result = run(container(docker_engine, tmp_path, code), tmp_path)

    assert outcome.status == "result_limit"
    assert "above the limit of 8 MiB" in outcome.reason
    assert len(list(result.glob("part*"))) < 600
    assert {path.stat().st_uid for path in result.iterdir()} == {os.getuid()}


def test_one_file_past_the_result_size_is_stopped_by_the_kernel(
    docker_engine: Engine, tmp_path: Path
) -> None:
    code = "import sys\nwith open(sys.argv[2] + '/big', 'wb') as stream:\n    stream.write(bytes(64 << 20))\n"

    outcome, result = run(container(docker_engine, tmp_path, code), tmp_path)

    assert outcome.status == "result_limit"
    assert (result / "big").stat().st_size == QUICK.result_bytes + (1 << 20)


def test_a_worker_that_tries_the_network_finds_none(docker_engine: Engine, tmp_path: Path) -> None:
    code = "import socket\nsocket.create_connection(('192.0.2.1', 80), timeout=5)\n"

    outcome, _ = run(container(docker_engine, tmp_path, code), tmp_path)

    assert outcome.status == "failed"
    assert "Network is unreachable" in outcome.reason


def test_a_worker_without_a_result_failed_and_a_crash_names_its_signal(
    docker_engine: Engine, tmp_path: Path
) -> None:
    silent, crashed = tmp_path / "silent", tmp_path / "crashed"
    silent.mkdir()
    crashed.mkdir()

    nothing, _ = run(container(docker_engine, silent, "pass\n"), silent)
    crash, _ = run(container(docker_engine, crashed, "import ctypes\nctypes.string_at(0)\n"), crashed)

    assert (nothing.status, nothing.reason) == ("failed", "the worker ended without a result")
    assert crash.status == "killed"
    assert "killed by signal 11" in crash.reason


def test_a_log_without_end_is_cut(docker_engine: Engine, tmp_path: Path) -> None:
    code = "import os\nfor _ in range(4000):\n    os.write(1, b'x' * 1023 + b'\\n')\n"

    outcome, result = run(container(docker_engine, tmp_path, code), tmp_path)

    log = (result / "worker.log").read_text()
    assert outcome.status == "failed"
    assert "[log cut here:" in log
    assert len(log) < QUICK.log_bytes + 200


def test_ctrl_c_ends_the_container_and_removes_it(docker_engine: Engine, tmp_path: Path) -> None:
    prepared = container(docker_engine, tmp_path, "import time\nprint('begun')\ntime.sleep(600)\n")
    log = tmp_path / "result" / "worker.log"
    stop = threading.Event()

    def interrupt_once_begun() -> None:
        while not stop.wait(0.1):
            if log.is_file() and "begun" in log.read_text():
                os.kill(os.getpid(), signal.SIGINT)
                return

    watching = threading.Thread(target=interrupt_once_begun)
    watching.start()
    try:
        outcome, _ = run(prepared, tmp_path)
    finally:
        stop.set()
        watching.join()

    assert (outcome.status, outcome.reason) == ("interrupted", "interrupted by the user")
    assert leftovers(docker_engine) == []


def test_what_a_job_names_and_its_folder_lacks_is_told_before_anything_starts(
    docker_engine: Engine, tmp_path: Path
) -> None:
    prepared = container(docker_engine, tmp_path, "pass\n")
    (tmp_path / "job").mkdir()
    (tmp_path / "job" / "job.json").write_text("{}")

    job = tmp_path / "job" / "job.json"
    outcome = converse(prepared.start(job, [Path("net.onnx")], tmp_path, QUICK), job, tmp_path)

    assert (outcome.status, outcome.reason) == ("failed", "the job's folder lacks net.onnx")


def test_a_container_with_python_3_6_runs_the_worker_of_the_harness(
    docker_engine: Engine, tmp_path: Path
) -> None:
    if find_python(((3, 6), (3, 6))) is None:
        pytest.skip("no Python 3.6 on this machine")
    prepared = container(docker_engine, tmp_path, "pass\n", python=(3, 6))

    worker = WorkerSource("confined_worker", worker_of("probe").path)

    outcome, result = run(prepared, tmp_path, worker=worker)

    said = json.loads((result / "result.json").read_text())
    assert (outcome.status, outcome.reason) == ("ok", "")
    assert (said["status"], said["reason"]) == ("ok", "")
    assert said["facts"]["python"].startswith("3.6.")
    slices = json.loads((result / "samples.json").read_text())["slices"]
    assert len(slices) == said["slices"] >= 2
    assert {path.stat().st_uid for path in result.iterdir()} == {os.getuid()}
