"""onnxruntime on the CPU, from ONNX files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from harness.distribution import hookimpl
from harness.environments.needs import WorkerSource
from harness.matrix.cell import Cell
from harness.runtimes.base import Runtime
from harness.runtimes.cpu import CPU_FIELDS, Release, Wheels, numpy_for, outside, refused, with_facts
from harness.runtimes.outside import Asked, Outside

if TYPE_CHECKING:
    from harness.attribution.engine import AttributedEngine
    from harness.evidence.records import Evidence
    from harness.networks.graph import Graph

# As the package index has them for Linux on x86-64.
_WHEELS = Wheels(
    {
        "1.12": ((3, 8), (3, 10)),
        "1.15": ((3, 8), (3, 11)),
        "1.17": ((3, 8), (3, 12)),
        "1.20": ((3, 10), (3, 13)),
        "1.24": ((3, 11), (3, 14)),
    }
)
_KNOWN = (
    "1.12.1",
    "1.13.1",
    "1.14.1",
    "1.15.1",
    "1.16.3",
    "1.17.3",
    "1.18.1",
    "1.19.2",
    "1.20.1",
    "1.21.1",
    "1.22.1",
    "1.23.2",
    "1.24.4",
    "1.25.1",
    "1.26.0",
    "1.27.0",
    "1.28.0",
    "1.29.0",
    "1.30.0",
    "1.31.1",
    "1.32.0",
)


class OnnxRuntime(Runtime):
    """Sessions of the CPU provider, optimized at level ALL unless the matrix says otherwise."""

    name = "onnxruntime"
    device = "cpu"
    environments = ("venv", "docker", "current")
    worker = WorkerSource("harness.runtimes.onnxruntime.worker", Path(__file__).with_name("worker"))
    reads_onnx = True
    treatment_fields = CPU_FIELDS
    complete_requirements = True  # NumPy is all that the package needs to run a model

    def requirements(self, version: str, python: Release) -> Sequence[str]:
        """Return onnxruntime and a NumPy that *version* was built for."""
        return (f"onnxruntime=={version}", numpy_for(python))

    def pythons(self, version: str) -> tuple[Release, Release] | None:
        """Return the Pythons that have wheels of *version*, None before the oldest release known here."""
        return _WHEELS.pythons(version)

    def known_versions(self) -> Sequence[str]:
        """Return the last patch of each release, from the first one with wheels for a Python of today."""
        return _KNOWN

    def unsupported(self, cell: Cell) -> str | None:
        """Say why *cell* cannot run: FP32 in NCHW from ONNX is all there is."""
        return refused(cell, {})

    def condense(self, folder: Path) -> None:
        """Drop the weights from what the worker left, and compress the trace."""
        from harness.runtimes.onnxruntime.evidence import condense

        condense(folder / "evidence")

    def read(self, folder: Path) -> Evidence:
        """Read a build folder.

        :raises InputError: a file is torn or not what the worker writes
        """
        from harness.runtimes.onnxruntime.evidence import read_onnxruntime

        return with_facts(folder, lambda warmup: read_onnxruntime(folder / "evidence", warmup))

    def attribute(self, graph: Graph | None, evidence: Evidence) -> AttributedEngine:
        """Attribute the optimized graph's nodes to source ops."""
        from harness.runtimes.onnxruntime.attribute import attribute_onnxruntime

        return attribute_onnxruntime(graph, evidence)

    def outside(self, asked: Asked) -> Outside:
        """Return a virtual environment and a script of its own."""
        return outside(self, asked)


@hookimpl
def trtmatrix_runtimes() -> Sequence[Runtime]:
    """Register onnxruntime."""
    return [OnnxRuntime()]
