from __future__ import annotations

import os
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from harness.environments.base import Outcome
from harness.execution.base import Block, BuildResult, EndedBuild, PlannedBuild
from harness.execution.local import LocalExecutor
from harness.matrix.cell import Cell, Treatment

CELL = Cell("mobilenet_v2", Treatment(), "openvino", "2024.6.0", "venv")
BLOCK = Block((PlannedBuild(CELL, 0), PlannedBuild(CELL, 1)), "test-device")


def ended(planned: PlannedBuild) -> EndedBuild:
    return EndedBuild(planned, BuildResult(Path(), {}, Outcome("ok")))


def test_two_runs_never_measure_on_one_device_at_once() -> None:
    inside, most = 0, 0

    def measure(block: Block) -> Iterator[EndedBuild]:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        for planned in block.builds:
            time.sleep(0.01)
            yield ended(planned)
        inside -= 1

    threads = [threading.Thread(target=lambda: list(LocalExecutor().run(BLOCK, measure))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1


def test_a_run_that_waits_says_for_whom(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    said: list[str] = []
    first = LocalExecutor().run(BLOCK, lambda block: map(ended, block.builds))
    next(first)
    executor = LocalExecutor().telling(said.append)
    second = threading.Thread(target=lambda: list(executor.run(BLOCK, lambda _: iter(()))))
    second.start()
    until = time.monotonic() + 30
    while not said and time.monotonic() < until:
        time.sleep(0.01)
    first.close()
    second.join()
    assert said[0].startswith(f"waiting for test-device, on which another run (process {os.getpid()} of ")
    assert f"in {Path.cwd()}, since " in said[0]
    assert said[1:] == ["test-device is free"]
    assert executor.waited_seconds > 0
    assert [path.name for path in tmp_path.iterdir()] == ["trtmatrix-device-test-device.lock"]


def test_builds_are_yielded_as_they_end() -> None:
    made: list[PlannedBuild] = []

    def measure(block: Block) -> Iterator[EndedBuild]:
        for planned in block.builds:
            made.append(planned)
            yield ended(planned)

    for number, build in enumerate(LocalExecutor().run(BLOCK, measure)):
        assert build.planned == BLOCK.builds[number]
        assert made == list(BLOCK.builds[: number + 1])


def test_the_lock_of_a_device_is_every_user_s(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    mask = os.umask(0o077)
    try:
        device = replace(BLOCK, device="GPU-1/a b")
        assert len(list(LocalExecutor().run(device, lambda block: map(ended, block.builds)))) == 2
    finally:
        os.umask(mask)
    (lock,) = tmp_path.iterdir()
    assert lock.name == "trtmatrix-device-GPU-1_a_b.lock"
    assert lock.stat().st_mode & 0o777 == 0o666, "whoever came first, others can take it afterwards"


def test_a_block_that_is_given_up_frees_its_device() -> None:
    given_up = LocalExecutor().run(BLOCK, lambda block: map(ended, block.builds))
    next(given_up)
    given_up.close()
    done = threading.Thread(target=lambda: list(LocalExecutor().run(BLOCK, lambda _: iter(()))), daemon=True)
    done.start()
    done.join(10)
    assert not done.is_alive()
