"""A matrix small enough for tests: a narrow MobileNet v2 on the onnxruntime installed here."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from harness.execution.budget import Budget
from harness.execution.measuring import settings_for
from harness.execution.plan import Plan
from harness.execution.schedule import Parts, Schedule
from harness.matrix.cell import Cell
from harness.matrix.expand import expand
from harness.matrix.file import read_matrix
from harness.networks.mobilenet import MobileNetV2
from harness.plugins import registry
from harness.store.bundle import Bundle
from harness.store.documents.manifest import Manifest

MATRIX = """
schema = "trtmatrix.matrix/1"
[measure]
warmup_seconds = 0.01
maximum_seconds = {seconds}
minimum_samples = {samples}
maximum_samples = 100000
profile_iterations = 3
[limits]
seconds = 60
[[versions]]
runtime = "onnxruntime"
versions = ["{version}"]
environment = "current"
repeat = ["{version}"]
[[block]]
networks = ["small"]
"""

SMALL = MobileNetV2(width=0.25, resolution=64, classes=11, calibrated=False, name="small")


class Ground:
    """What a test needs to run a schedule of two cells, an A/A pair."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.said: list[str] = []
        self.plan = self.make_plan()

    def make_plan(self, seconds: float = 0.05, samples: int = 5) -> Plan:
        """Return a plan of two cells, arms of an A/A pair."""
        path = self.root / "matrix.toml"
        text = MATRIX.format(version=version("onnxruntime"), seconds=seconds, samples=samples)
        path.write_text(text, encoding="utf-8")
        matrix = read_matrix(path)
        cells = expand(
            matrix,
            networks=["small"],
            runtimes={"onnxruntime": ("current",)},
            environments=["current"],
        )
        return Plan(matrix, tuple(cells), {"small": SMALL})

    @property
    def cells(self) -> Sequence[Cell]:
        """The two cells."""
        return self.plan.cells

    def bundle(self) -> Bundle:
        """Return a new bundle that holds the cells, nothing measured."""
        made = Bundle.create(self.root / "run", Manifest(run="test"))
        for cell in self.cells:
            made.set_cell(cell, "pending")
        made.save()
        return made

    def parts(self) -> Parts:
        """Return the registered parts, with the small network."""
        return Parts(registry.runtimes(), registry.environments(), self.plan.families, registry.executors())

    def schedule(
        self,
        bundle: Bundle,
        parts: Parts | None = None,
        *,
        rounds: int = 1,
        retry_failed: bool = False,
        budget: Budget | None = None,
    ) -> Schedule:
        """Return a schedule of all cells into *bundle*."""
        return Schedule(
            bundle,
            self.cells,
            self.parts() if parts is None else parts,
            settings_for(self.plan, 1),
            rounds=rounds,
            say=self.said.append,
            retry_failed=retry_failed,
            budget=budget,
        )
