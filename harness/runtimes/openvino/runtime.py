"""OpenVINO's CPU plugin, from ONNX files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
        "2022.3": ((3, 8), (3, 10)),
        "2023.0": ((3, 8), (3, 11)),
        "2024.1": ((3, 8), (3, 12)),
        "2024.5": ((3, 9), (3, 12)),
        "2025.0": ((3, 9), (3, 13)),
        "2025.4": ((3, 10), (3, 14)),
    }
)
_KNOWN = (
    "2022.3.2",
    "2023.0.2",
    "2023.1.0",
    "2023.2.0",
    "2023.3.0",
    "2024.0.0",
    "2024.1.0",
    "2024.2.0",
    "2024.3.0",
    "2024.4.0",
    "2024.5.0",
    "2024.6.0",
    "2025.0.0",
    "2025.1.0",
    "2025.2.0",
    "2025.3.0",
    "2025.4.1",
    "2026.0.0",
    "2026.1.0",
    "2026.2.1",
    "2026.3.1",
    "2026.4.1",
)


class OpenVino(Runtime):
    """Models compiled for one stream and one thread, FP32 asked for, instruction set capped."""

    name = "openvino"
    device = "cpu"
    environments = ("venv", "docker", "current")
    worker = WorkerSource("harness.runtimes.openvino.worker", Path(__file__).with_name("worker"))
    reads_onnx = True
    treatment_fields = CPU_FIELDS
    # NumPy is all that inference needs. What else the package asks for is for conversion, and reports home.
    complete_requirements = True
    # oneDNN takes other kernels on a CPU with AVX-512: with the cap, hosts compare. NumPy's BLAS gets the
    # same cap, since the peaks that layers are held against are measured with it.
    environment_variables: Mapping[str, str] = {"ONEDNN_MAX_CPU_ISA": "AVX2", "OPENBLAS_CORETYPE": "Haswell"}

    def requirements(self, version: str, python: Release) -> Sequence[str]:
        """Return OpenVINO and a NumPy that *version* was built for."""
        return (f"openvino=={version}", numpy_for(python))

    def pythons(self, version: str) -> tuple[Release, Release] | None:
        """Return the Pythons that have wheels of *version*, None before the oldest release known here."""
        return _WHEELS.pythons(version)

    def known_versions(self) -> Sequence[str]:
        """Return the last patch of each release, from the first one with wheels for a Python of today."""
        return _KNOWN

    def unsupported(self, cell: Cell) -> str | None:
        """Say why *cell* cannot run: FP32 from ONNX, inputs in NCHW or NHWC, is all there is."""
        return refused(cell, {"tensor_format": ("hwc",)})

    def read(self, folder: Path) -> Evidence:
        """Read a build folder.

        :raises InputError: a file is torn or not what the worker writes
        """
        from harness.runtimes.openvino.evidence import read_openvino

        return with_facts(folder, lambda _: read_openvino(folder / "evidence"))

    def attribute(self, graph: Graph | None, evidence: Evidence) -> AttributedEngine:
        """Attribute the executed graph's nodes to source ops."""
        from harness.runtimes.openvino.attribute import attribute_openvino

        return attribute_openvino(graph, evidence)

    def outside(self, asked: Asked) -> Outside:
        """Return a virtual environment and a script of its own."""
        return outside(self, asked)


@hookimpl
def trtmatrix_runtimes() -> Sequence[Runtime]:
    """Register OpenVINO."""
    return [OpenVino()]
