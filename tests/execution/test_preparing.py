"""What cells need, made before they are measured: environments at the same time, as far as they allow."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import replace
from importlib.metadata import version as installed_version

import pytest

from harness.environments.base import Availability, Environment, Prepared, Progress
from harness.environments.current import CurrentInterpreter
from harness.environments.needs import RuntimeNeeds
from harness.errors import UnavailableError
from harness.execution.inputs import InputStore
from harness.execution.preparing import Preparation
from harness.matrix.cell import Cell
from harness.store.bundle import Bundle
from tests.execution.ground import Ground

VERSIONS = ("1.0", "2.0", "3.0", "4.0")


class Slow(Environment):
    """Makes no version before two are being made; 3.0 cannot be had."""

    name = "slow"

    def __init__(self, at_once: int) -> None:
        self.prepares_at_once = at_once
        self.made: list[str] = []
        self._two = threading.Barrier(min(at_once, 2))

    def availability(self, runtime: RuntimeNeeds, version: str) -> Availability:  # noqa: ARG002
        """Any."""
        return Availability("ok")

    def prepare(self, runtime: RuntimeNeeds, version: str, progress: Progress) -> Prepared:
        """Wait for the other one."""
        progress(f"making {version}")
        self.made.append(version)
        self._two.wait(timeout=60)
        if version == "3.0":
            raise UnavailableError("3.0 is sold out")
        return CurrentInterpreter().prepare(runtime, installed_version("onnxruntime"), lambda _line: None)


def prepared(ground: Ground, at_once: int) -> tuple[Bundle, Preparation, Sequence[Cell], Slow]:
    slow = Slow(at_once)
    cells = [
        replace(ground.cells[0], version=version, environment="slow", repeat=repeat)
        for version in VERSIONS
        for repeat in ("", "aa")
    ]
    bundle = ground.bundle()
    for cell in cells:
        bundle.set_cell(cell, "pending")
    parts = replace(ground.parts(), environments={"slow": slow})
    inputs = InputStore(ground.root / "inputs", parts.networks, 1)
    preparation = Preparation(bundle, parts, inputs, lambda _cell: "cpu", ground.said.append)
    return bundle, preparation, preparation.runnable(cells), slow


def test_environments_are_made_at_once_and_each_once(ground: Ground) -> None:
    bundle, preparation, runnable, slow = prepared(ground, 4)
    assert sorted(slow.made) == list(VERSIONS)
    assert sorted(ground.said) == [f"making {version}" for version in VERSIONS]
    assert [cell.version for cell in runnable] == ["1.0", "1.0", "2.0", "2.0", "4.0", "4.0"]
    lost = [record for record in bundle.cells() if record.cell.version == "3.0"]
    assert [(one.status, one.reason) for one in lost] == [("unavailable", "3.0 is sold out")] * 2
    assert preparation.environment(runnable[0]).facts
    assert set(preparation.devices) >= set(runnable)


def test_an_environment_that_says_nothing_of_it_makes_one_at_a_time(ground: Ground) -> None:
    _, _, runnable, slow = prepared(ground, 1)
    assert slow.made == list(VERSIONS)
    assert ground.said == [f"making {version}" for version in VERSIONS]
    assert len(runnable) == 6


ASKED_AT_ONCE = """
import sys, sysconfig, threading
from harness.execution.preparing import Preparation
from harness.execution.parts import Parts

sys.setswitchinterval(1e-6)
there = threading.Barrier(8)
seen = []


def ask():
    there.wait()
    seen.append(sysconfig.get_config_var("EXE"))


Preparation(None, None, None, None, None)._begin([], None)
threads = [threading.Thread(target=ask) for _ in range(8)]
[one.start() for one in threads]
[one.join() for one in threads]
sys.exit(None in seen)
"""


def test_threads_find_what_pythons_configuration_says() -> None:
    """Of eight that ask at once at least one is given nothing where nobody asked before (seen on 3.11)."""
    assert subprocess.run([sys.executable, "-c", ASKED_AT_ONCE], check=False).returncode == 0


class Begun(Slow):
    """Begins two versions, and ends none before it may."""

    def __init__(self) -> None:
        super().__init__(2)
        self.two, self.may = threading.Barrier(3), threading.Event()

    def prepare(self, runtime: RuntimeNeeds, version: str, progress: Progress) -> Prepared:
        """Say that it begins."""
        self.made.append(version)
        self.two.wait(timeout=60)
        self.may.wait(timeout=60)
        return CurrentInterpreter().prepare(runtime, installed_version("onnxruntime"), progress)


def test_an_interrupted_run_makes_no_environment_that_it_had_not_begun(ground: Ground) -> None:
    begun = Begun()
    cells = [replace(ground.cells[0], version=version, environment="slow") for version in VERSIONS]
    parts = replace(ground.parts(), environments={"slow": begun})

    def interrupted(_cell: Cell) -> str:
        begun.two.wait(timeout=60)
        threading.Timer(1.0, begun.may.set).start()
        raise KeyboardInterrupt

    inputs = InputStore(ground.root / "inputs", parts.networks, 1)
    preparation = Preparation(ground.bundle(), parts, inputs, interrupted, ground.said.append)
    with pytest.raises(KeyboardInterrupt):
        preparation.runnable(cells)
    assert sorted(begun.made) == list(VERSIONS[:2])
