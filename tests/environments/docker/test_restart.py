"""An engine stopped under a container and started again: that run failed, the next one is as good as any."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from harness.environments.docker.engine import connect
from harness.environments.docker.settings import DockerSettings
from harness.store.bundle import Bundle
from tests.cli.small_matrix import write_narrow_networks
from tests.environments.confined import container, run
from tests.environments.docker.engine_support import Daemon, leftovers, why_no_daemon


@pytest.fixture(scope="module")
def restarted() -> Iterator[Daemon]:
    """An engine of this module's own, which its tests may stop."""
    if reason := why_no_daemon().replace("no DOCKER_HOST, and ", ""):
        pytest.skip(f"this test stops an engine of its own: {reason}")
    own = Daemon(Path(tempfile.mkdtemp(prefix="trtmatrix-dockerd-")))
    try:
        yield own
    finally:
        own.stop()
        own.remove()


@pytest.fixture
def daemon(restarted: Daemon, monkeypatch: pytest.MonkeyPatch, docker_cache: Path) -> Daemon:
    """It, running, whatever the test before left."""
    restarted.stop()
    restarted.start()
    monkeypatch.setenv("DOCKER_HOST", restarted.host)
    monkeypatch.setenv("TRTMATRIX_CACHE", str(docker_cache))
    return restarted


def _stop_once(daemon: Daemon, begun: Path) -> threading.Thread:
    """Stop *daemon* when the file *begun* has something in it, and start it again."""

    def work() -> None:
        until = time.monotonic() + 60
        while time.monotonic() < until and not (begun.is_file() and begun.stat().st_size):
            time.sleep(0.05)
        daemon.stop()
        daemon.start()

    thread = threading.Thread(target=work)
    thread.start()
    return thread


def test_a_container_under_which_the_engine_goes_away_failed_with_that_reason_and_can_run_again(
    daemon: Daemon, tmp_path: Path
) -> None:
    engine = connect()
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()
    # Ends itself when the engine asks it to, so that a stop of the engine takes no ten seconds.
    waiting = (
        "import signal, sys, time\nsignal.signal(signal.SIGTERM, lambda *a: sys.exit(143))\nprint('begun')\n"
    )
    prepared = container(engine, first, waiting + "time.sleep(600)\n")
    stopping = _stop_once(daemon, first / "result" / "worker.log")

    outcome, _ = run(prepared, first)
    stopping.join()

    assert outcome.status == "failed"
    assert outcome.reason.startswith("the docker engine went away while the container ran")
    quick = container(engine, second, "import sys\nopen(sys.argv[2] + '/result.json', 'w').write('{}')\n")
    assert run(quick, second)[0].status == "ok"
    assert leftovers(engine) == []
    engine.client.close()


def test_an_engine_that_stays_away_interrupts_the_run_instead_of_failing_every_cell(
    daemon: Daemon, tmp_path: Path
) -> None:
    engine = connect()
    prepared = container(engine, tmp_path, "pass\n")
    daemon.stop()

    outcome, _ = run(prepared, tmp_path, settings=DockerSettings(restart_seconds=1.0))

    assert outcome.status == "interrupted"
    assert "the docker engine does not answer" in outcome.reason
    assert outcome.reason.endswith("start it and resume the run")
    engine.client.close()


MATRIX = """
schema = "trtmatrix.matrix/1"
[measure]
maximum_seconds = 0.3
minimum_samples = 20
relative_half_width = 0.0
[[versions]]
runtime = "onnxruntime"
versions = ["1.22.1"]
environment = "docker"
repeat = ["1.22.1"]
[[block]]
networks = ["narrow", "narrower"]
"""


def _trtmatrix(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "harness.cli", "run", "m.toml", "--quick", "--out", "run", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def _states(folder: Path) -> list[str]:
    return sorted(record.status for record in Bundle.open(folder / "run").cells())


def test_a_run_outlives_its_engine_and_measures_the_failed_cells_when_asked(
    daemon: Daemon, tmp_path: Path
) -> None:
    (tmp_path / "m.toml").write_text(MATRIX + write_narrow_networks(tmp_path), encoding="utf-8")

    def stop_under_the_first_worker() -> None:
        # A client of its own: the engine's sockets are its business until it is closed.
        until = time.monotonic() + 120
        while time.monotonic() < until:
            engine = connect()
            try:
                found = engine.client.containers.list(filters={"label": "io.trtmatrix.cell"})
                if found and time.time() - _started(found[0].attrs["State"]["StartedAt"]) > 0.5:
                    break
            finally:
                engine.client.close()
            time.sleep(0.2)
        daemon.stop()
        daemon.start()

    stopping = threading.Thread(target=stop_under_the_first_worker)
    stopping.start()
    first = _trtmatrix(tmp_path)
    stopping.join()
    assert first.returncode == 1, first.stdout + first.stderr
    assert "the docker engine went away" in first.stdout
    # Both containers of the first block may have been alive; the second block is as good as any.
    states = _states(tmp_path)
    assert states in (
        ["failed", "measured", "measured", "measured"],
        ["failed", "failed", "measured", "measured"],
    )

    again = _trtmatrix(tmp_path, "--resume", "--retry-failed")
    assert again.returncode == 0, again.stdout + again.stderr
    assert _states(tmp_path) == ["measured"] * 4


def _started(stamp: str) -> float:
    return datetime.fromisoformat(stamp[:26].rstrip("Z") + "+00:00").timestamp()
