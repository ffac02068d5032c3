"""Builds whose workers answer by a script whose clock runs by what they are asked: nothing is measured."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from harness.environments.base import Outcome
from harness.execution.base import BuildResult, PlannedBuild
from harness.matrix.cell import Cell, Treatment
from harness.store.documents.build import Build
from harness.worker.conversation import Conversation, WorkerEndedError
from harness.worker.drive import Driven
from harness.worker.samples import Samples
from harness.worker.side_by_side import StartedBuild

SECONDS = {"build": 3.0, "load": 1.0, "warm_up": 0.0, "slice": 0.05, "profile": 0.5, "close": 0.25}
"""What each command takes; loading an engine that was kept is loading, too."""

MODULES = ("execution.lockstep", "worker.lockstep", "worker.side_by_side", "worker.alone")


def cell(version: str) -> Cell:
    return Cell("mobilenet_v2", Treatment(), "onnxruntime", version, "venv")


A, B, C = cell("1.0"), cell("2.0"), cell("3.0")


@dataclass
class Machine:
    """A clock, and what was asked of which build and process, in order."""

    now: float = 1000.0
    asked: list[tuple[PlannedBuild, int, str]] = field(default_factory=list)
    jobs: list[Job] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def alive(self) -> list[Job]:
        """Builds that were started and have not ended."""
        return [job for job in self.jobs if not job.ended]


class Talk(Conversation):
    """One worker's side of the conversation.

    :ivar dies: at which command; :ivar raises: what is raised where a slice is asked for
    """

    def __init__(
        self, machine: Machine, planned: PlannedBuild, process: int, ms: float, passes: Sequence[str]
    ) -> None:
        super().__init__(seconds=60.0)
        self._machine, self._planned, self._process = machine, planned, process
        self._ms, self._passes = ms, list(passes)
        self.dies: str | None = None
        self.raises: type[BaseException] | None = None
        self.stopped: list[str] = []

    def ask(self, command: str, **arguments: Any) -> dict[str, Any]:
        """Answer, after as long as it takes."""
        with self._machine.lock:
            self._machine.asked.append((self._planned, self._process, command))
            self._machine.now += SECONDS[command]
        if command == self.dies:
            raise WorkerEndedError
        if command == "slice" and self.raises is not None:
            raise self.raises
        answer: dict[str, Any] = {"answer": command, "status": "ok", "reason": ""}
        if command == "load":
            answer["passes"] = self._passes
        if command == "slice":
            times = [self._ms, self._ms * 1.5] + [self._ms * 2] * (arguments["at_least"] - 2)
            answer["samples"] = {"clock": "host", "start_ns": [0] * len(times), "latency_ms": times}
        return answer

    def stop(self, status: str, reason: str) -> None:
        """Note that it is stopped."""
        self.stopped.append(f"{status}: {reason}")

    def left(self, _seconds: float) -> None:
        """Leave at once."""


class Job(StartedBuild):
    """A build whose worker is composed."""

    def __init__(
        self,
        machine: Machine,
        planned: PlannedBuild,
        job: Path,
        *,
        ms: float = 2.0,
        passes: Sequence[str] = ("latency",),
        status: str = "ok",
    ) -> None:
        self._machine, self.planned, self._job, self._ms, self._passes = machine, planned, job, ms, passes
        self.status, self.ended = status, False
        self.talk = Talk(machine, planned, 0, ms, passes)
        super().__init__(Driven(self.talk, str(job), Samples()), profile_apart=True)
        machine.jobs.append(self)

    def launch_further(self, number: int) -> Driven:
        """Start one more process of the engine."""
        talk = Talk(self._machine, self.planned, number, self._ms, self._passes)
        return Driven(talk, str(self._job), Samples(number))

    def end(self) -> BuildResult:
        """End it as it was said to."""
        self.ended = True
        document = Build(cell=self.planned.cell.id, build=self.planned.number, status=self.status)
        return BuildResult(Path(), document, Outcome("ok"))

    def cycles(self, process: int = 0) -> list[int]:
        """Numbers of the cycles in which a process was measured."""
        return [row["cycle"] for row in self.processes[process].samples.slices]


def set_clock(monkeypatch: pytest.MonkeyPatch) -> Machine:
    """Return a machine whose clock the modules that measure read."""
    made = Machine()
    clock = SimpleNamespace(monotonic=lambda: made.now, perf_counter=lambda: made.now)
    for name in MODULES:
        monkeypatch.setattr(f"harness.{name}.time", clock)
    return made


def job_file(folder: Path, *, cycles: int = 4, profile_iterations: int = 0) -> Path:
    """Write what of a job says how it is measured."""
    path = folder / "job.json"
    measure = {
        "warmup_seconds": 0.1, "minimum_samples": 1, "maximum_samples": 9, "maximum_seconds": 0.0,
        "relative_half_width": 0.1, "windows": cycles, "profile_iterations": profile_iterations, "passes": [],
    }  # fmt: skip
    path.write_text(json.dumps({"measure": measure}), encoding="utf-8")
    return path
