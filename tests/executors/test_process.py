"""A run whose blocks are measured by processes of their own, as those on the nodes of a cluster are."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import psutil
import pytest

from harness.execution.elsewhere import FleetSchedule
from harness.execution.fleet import Event, Lost, Order, Said
from harness.execution.measuring import settings_for
from harness.executors.node import log_of
from harness.executors.process import NodeProcess, clear, sweep
from harness.plugins.reading import observe
from harness.store.bundle import Bundle
from harness.store.machine import host_name
from tests.execution.ground import Ground
from tests.executors.process_fleet import ProcessFleet


def fleet_schedule(ground: Ground, fleet: ProcessFleet, bundle: Bundle) -> FleetSchedule:
    settings = settings_for(ground.plan, 1)
    return FleetSchedule(
        fleet, bundle, ground.cells, ground.parts(), settings, rounds=1, say=ground.said.append
    )


@pytest.fixture
def ground(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ground:
    """Return a matrix whose nodes have temporary files of their own."""
    scratch = tmp_path / "node"
    scratch.mkdir()
    monkeypatch.setenv("TMPDIR", str(scratch))
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    return Ground(tmp_path)


def left_behind(ground: Ground) -> list[str]:
    """Return what nodes left in their temporary folder."""
    return [path.name for path in (ground.root / "node").glob("trtmatrix-*") if path.suffix != ".lock"]


def test_a_block_whose_process_is_killed_is_measured_again_as_a_local_run_would(ground: Ground) -> None:
    killed: list[int] = []

    def kill_once(event: Event, process: NodeProcess) -> None:
        if not killed and isinstance(event, Said) and event.line.startswith("building"):
            killed.append(process.pid)
            os.kill(process.pid, signal.SIGKILL)

    bundle, fleet = ground.bundle(), ProcessFleet(kill_once)
    fleet_schedule(ground, fleet, bundle).run()
    assert killed
    assert fleet.started == ["a", "b"], "elsewhere"
    builds = list(Bundle.open(bundle.root).builds())
    assert [(b.cell_id, b.build, b.document.round) for b in builds] == [
        (cell.id, 0, 0) for cell in ground.cells
    ]
    assert len({build.document.block for build in builds}) == 1
    assert {build.document.host.machine for build in builds} == {host_name()}
    # As a build of a local run says it.
    (ground.root / "local").mkdir()
    local = Ground(ground.root / "local")
    here = local.bundle()
    local.schedule(here).run()
    first, there = next(here.builds()).document, builds[0].document
    for name in ("cell", "status", "digest", "software", "host"):
        assert getattr(there, name) == getattr(first, name)
    assert {cell.good[0].outputs is not None for cell in observe([bundle.root]).cells} == {True}
    assert any(line.startswith("a is lost (its process ended with status -9") for line in ground.said)
    assert [line for line in ground.said if line.startswith("[2/2]") and line.endswith(" on b")]
    assert left_behind(ground) == []


def test_a_process_that_is_stopped_leaves_nothing(ground: Ground) -> None:
    ground.plan = ground.make_plan(seconds=30.0, samples=1_000_000)
    stopped: list[psutil.Process] = []

    def stop(event: Event, process: NodeProcess) -> None:
        if isinstance(event, Said) and event.line.startswith("building"):
            stopped.extend(psutil.Process(process.pid).children(recursive=True))
            raise KeyboardInterrupt

    bundle, fleet = ground.bundle(), ProcessFleet(stop)
    with pytest.raises(KeyboardInterrupt):
        fleet_schedule(ground, fleet, bundle).run()
    assert fleet.running == {}
    assert not any(process.is_running() for process in stopped)
    assert left_behind(ground) == []
    assert Bundle.open(bundle.root).manifest.state == "interrupted"


def test_an_order_that_cannot_be_read_is_lost_with_the_reason(ground: Ground) -> None:
    settings = settings_for(ground.plan, 1)
    order = Order((), "cpu", settings, 1, variables={"TRTMATRIX": 1})  # type: ignore[dict-item]
    process = NodeProcess(order, {})
    found: list[Event] = []
    while not found:
        found = process.events(30)
    process.stop()
    left = Path(tempfile.mkdtemp(prefix="trtmatrix-node-"))
    (left / "process").write_text(str(process.pid), encoding="ascii")
    sweep()
    assert left_behind(ground) == [], "of a process that is no more"
    (lost,) = found
    assert isinstance(lost, Lost)
    assert lost.reason.startswith("its process ended with status 1: TypeError")
    assert left_behind(ground) == []


def test_what_killed_processes_of_a_run_left_is_removed_and_what_goes_on_is_ended(ground: Ground) -> None:
    def left(mark: str, owner: int | None) -> Path:
        folder = Path(tempfile.mkdtemp(prefix=f"trtmatrix-node-{mark}-"))
        log_of(folder).touch()
        if owner is not None:
            (folder / "process").write_text(str(owner), encoding="ascii")
        return folder

    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as ended:
        ended.kill()
    with subprocess.Popen(
        [sys.executable, "-c", "input()"], stdin=subprocess.PIPE, start_new_session=True
    ) as goes_on:
        left("mine", ended.pid), left("mine", None), left("mine", goes_on.pid)
        log_of(Path(tempfile.mkdtemp(prefix="trtmatrix-node-mine-"))).touch()
        others = left("other", os.getpid())
        clear("mine", seconds=0.2, quiet=0.0)
        assert goes_on.wait(30) == -signal.SIGKILL
    assert sorted(left_behind(ground)) == sorted([others.name, log_of(others).name])


def test_a_process_whose_input_has_ended_before_it_began_leaves_nothing(ground: Ground) -> None:
    order = Order((), "cpu", settings_for(ground.plan, 1), 1)
    process = NodeProcess(order, {}, "mine")
    assert [name.startswith("trtmatrix-node-mine-") for name in left_behind(ground)] == [True, True]
    process.stop()
    assert left_behind(ground) == []
    folder = Path(tempfile.mkdtemp(prefix="trtmatrix-node-"))
    (folder / "order.pickle").write_bytes(pickle.dumps(order))
    command = [sys.executable, "-m", "harness.executors.node", str(folder)]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr
    assert left_behind(ground) == []
