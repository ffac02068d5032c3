"""TensorRT as a runtime: NGC images of every month, and the releases that are complete wheels."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from harness import hookimpl
from harness.attribution.attribute import attribute
from harness.attribution.engine import AttributedEngine
from harness.attribution.format_trial import FormatTrial
from harness.environments.compute_capability import capability_reason
from harness.evidence.records import Evidence
from harness.matrix.cell import Cell
from harness.networks.graph import Graph
from harness.resources import data_folder
from harness.runtimes.base import Runtime
from harness.runtimes.tensorrt.evidence import read_folder
from harness.runtimes.tensorrt.formats import read_trials
from harness.runtimes.tensorrt.limits import rtx_reason, treatment_reason
from harness.store.machine import gpus
from harness.versions import ordered, release_numbers

# The only releases whose wheels hold the libraries; later ones fetch them from elsewhere.
WHEELS: Mapping[str, str] = {"8.5.1.7": "cu11", "8.5.2.2": "cu11", "8.5.3.1": "cu11", "8.6.0": "cu12"}
WHEEL_PYTHONS = ((3, 6), (3, 10))
RTX_WHEELS = ("1.4.0.76", "1.5.0.114", "1.6.1.120", "1.7.1.116")

# First release and the newest opset of its parser (operator tables of onnx-tensorrt's branches; 5.0 states
# none, and 7 is what its time had). Opset 13 says all that these networks need.
_OPSETS = (((7, 2), 13), ((7,), 11), ((6,), 10), ((5, 1), 9), ((0,), 7))

# TensorRT before 8.6 uses `numpy.bool`, which went away in NumPy 1.24.
_NUMPY = {(3, 6): "1.19.5", (3, 7): "1.21.6"}
_NUMPY_NEWER = "1.23.5"


class TensorRT(Runtime):
    """Builds engines on a GPU, through whichever dialect a version speaks."""

    name = "tensorrt"
    device = "gpu"
    environments = ("docker", "venv", "current")
    worker_module = "tensorrt_worker"

    def requirements(self, version: str, python: tuple[int, int]) -> Sequence[str]:
        """Return TensorRT, the CUDA libraries that its plugin library loads, and a NumPy that fits."""
        cuda = WHEELS.get(version, "cu12")
        numpy = _NUMPY.get(python, _NUMPY_NEWER)
        return (
            f"tensorrt=={version}",
            f"nvidia-cuda-runtime-{cuda}",
            f"nvidia-cublas-{cuda}",
            f"nvidia-cudnn-{cuda}>=8,<9",
            f"numpy=={numpy}",
        )

    def pythons(self, version: str) -> tuple[tuple[int, int], tuple[int, int]] | None:
        """Return 3.6 to 3.10 for a release that is a complete wheel, None for all others."""
        return WHEEL_PYTHONS if version in WHEELS else None

    def known_versions(self) -> Sequence[str]:
        """Return the versions of the images and the wheels, oldest first."""
        return known_versions()

    def unsupported(self, cell: Cell) -> str | None:
        """Say what of *cell* its version lacks, or that it runs on no GPU of this machine."""
        release = release_numbers(cell.version)
        if release is None:
            return f"'{cell.version}' is no version of TensorRT"
        reason = treatment_reason(release, cell.treatment)
        if reason is not None:
            return f"TensorRT {cell.version}: {reason}"
        if cell.environment == "venv" and cell.version not in WHEELS:
            return f"TensorRT {cell.version} has no complete wheel; those are {', '.join(WHEELS)}"
        return gpu_reason(cell.version)

    def onnx_opset(self, version: str) -> int:
        """Return the opset to export for *version*: its parser's newest, but no newer than any needs."""
        release = release_numbers(version) or (99,)
        return next(opset for first, opset in _OPSETS if release >= first)

    def read(self, folder: Path) -> Evidence:
        """Read builder log, engine information and profile.

        :raises InputError: a file is torn
        """
        return read_folder(folder)

    def attribute(self, graph: Graph | None, evidence: Evidence) -> AttributedEngine:
        """Attribute engine layers to the source ops of *graph*."""
        return attribute(graph, evidence)

    def format_trials(self, folder: Path, graph: Graph | None) -> Sequence[FormatTrial]:
        """Return the tensor formats that a build tried at inputs and outputs, none in most builds.

        :raises InputError: a file is torn
        """
        return read_trials(folder, graph)


class TensorRTRTX(TensorRT):
    """TensorRT-RTX: builds on any machine, and measures where a GPU is that it knows."""

    name = "tensorrt_rtx"
    environments = ("venv", "docker", "current")
    worker_module = "tensorrt_worker"
    complete_requirements = True

    @property
    def device(self) -> str:  # type: ignore[override]
        """``gpu`` where there is one; a build needs none, so that ``cpu`` is enough elsewhere."""
        return "gpu" if gpus() else "cpu"

    def requirements(self, version: str, python: tuple[int, int]) -> Sequence[str]:
        """Return libraries, bindings and NumPy; the package `tensorrt-rtx` itself only joins the two."""
        numpy = "2.2.6" if python >= (3, 13) else "1.26.4" if python >= (3, 9) else "1.24.4"
        return (
            f"tensorrt-rtx-cu12-libs=={version}",
            f"tensorrt-rtx-cu12-bindings=={version}",
            f"numpy=={numpy}",
        )

    def distribution(self, version: str) -> str:  # noqa: ARG002
        """Return the package of the libraries: the package `tensorrt-rtx` is not installed."""
        return "tensorrt-rtx-cu12-libs"

    def pythons(self, version: str) -> tuple[tuple[int, int], tuple[int, int]] | None:
        """Return the Pythons of the wheels that are known, None for others."""
        return ((3, 8), (3, 13)) if version in RTX_WHEELS else None

    def known_versions(self) -> Sequence[str]:
        """Return the releases that were built with."""
        return RTX_WHEELS

    def onnx_opset(self, version: str) -> int:  # noqa: ARG002
        """Return 13, which all releases read (they were built from opset 7 to 13)."""
        return 13

    def unsupported(self, cell: Cell) -> str | None:
        """Say what of *cell* TensorRT-RTX lacks."""
        if release_numbers(cell.version) is None:
            return f"'{cell.version}' is no version of TensorRT-RTX"
        return rtx_reason(cell.treatment)


def gpu_reason(version: str) -> str | None:
    """Say why *version* runs on none of this machine's GPUs, None where one may do or there is none.

    No GPU at all is the environment's to say: the cell may be packed for another host.
    """
    reasons = [capability_reason(version, str(gpu["compute_capability"])) for gpu in gpus()]
    return reasons[0] if reasons and all(reasons) else None


@cache
def known_versions() -> tuple[str, ...]:
    """Return versions of the table of images and of the wheels, oldest first."""
    with (data_folder("containers") / "recipes" / "ngc-tensorrt.csv").open(
        encoding="utf-8", newline=""
    ) as file:
        found = {row["version"] for row in csv.DictReader(file)} | set(WHEELS)
    return tuple(ordered(v for v in found if release_numbers(v)))


@hookimpl
def trtmatrix_runtimes() -> Sequence[Runtime]:
    """Register both."""
    return [TensorRT(), TensorRTRTX()]
