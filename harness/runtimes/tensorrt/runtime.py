"""TensorRT as a runtime: NGC images of every month, and the releases that are complete wheels."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from harness.distribution import hookimpl
from harness.environments.compute_capability import capability_reason
from harness.environments.needs import WorkerSource
from harness.matrix.cell import Cell
from harness.resources import data_folder
from harness.runtimes.base import Runtime
from harness.runtimes.outside import Asked, Outside
from harness.runtimes.tensorrt.limits import treatment_reason
from harness.store.machine import gpus
from harness.versions import ordered, release_numbers

if TYPE_CHECKING:
    from harness.attribution.engine import AttributedEngine
    from harness.attribution.format_trial import FormatTrial
    from harness.evidence.records import Evidence
    from harness.networks.graph import Graph

# The only releases whose wheels hold the libraries; later ones fetch them from elsewhere.
WHEELS: Mapping[str, str] = {"8.5.1.7": "cu11", "8.5.2.2": "cu11", "8.5.3.1": "cu11", "8.6.0": "cu12"}
WHEEL_PYTHONS = ((3, 6), (3, 10))

# First release and the newest opset of its parser (operator tables of onnx-tensorrt's branches; 5.0 states
# none, and 7 is what its time had). Opset 13 says all that these networks need.
_OPSETS = (((7, 2), 13), ((7,), 11), ((6,), 10), ((5, 1), 9), ((0,), 7))

# TensorRT before 8.6 uses `numpy.bool`, which went away in NumPy 1.24.
_NUMPY = {(3, 6): "1.19.5", (3, 7): "1.21.6"}
_NUMPY_NEWER = "1.23.5"


WORKER = WorkerSource("harness.runtimes.tensorrt.worker", Path(__file__).with_name("worker"))


class TensorRT(Runtime):
    """Builds engines on a GPU, through whichever dialect a version speaks."""

    name = "tensorrt"
    device = "gpu"
    environments = ("docker", "venv", "current")
    worker = WORKER
    keeps_engines = True

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
        from harness.runtimes.tensorrt.evidence import read_folder

        return read_folder(folder)

    def read_engine(self, folder: Path) -> Evidence:
        """Read engine information and profile, and of the builder log the kernels alone.

        :raises InputError: a file is torn
        """
        from harness.runtimes.tensorrt.evidence import read_engine

        return read_engine(folder)

    def keep_engine(self, folder: Path) -> None:
        """Leave beside the builder log what it says of the engine.

        :raises InputError: a file is torn
        """
        from harness.runtimes.tensorrt.evidence import keep_engine

        keep_engine(folder)

    def publish(self, folder: Path) -> None:
        """Put what is read of the builder log in its place.

        :raises InputError: the log is torn
        """
        from harness.runtimes.tensorrt.evidence import publish_folder

        publish_folder(folder)

    def attribute(self, graph: Graph | None, evidence: Evidence) -> AttributedEngine:
        """Attribute engine layers to the source ops of *graph*."""
        from harness.attribution.attribute import attribute

        return attribute(graph, evidence)

    def format_trials(self, folder: Path, graph: Graph | None) -> Sequence[FormatTrial]:
        """Return the tensor formats that a build tried at inputs and outputs, none in most builds.

        :raises InputError: a file is torn
        """
        from harness.runtimes.tensorrt.formats import read_trials

        return read_trials(folder, graph)

    def outside(self, asked: Asked) -> Outside:
        """Return the line of trtexec."""
        from harness.runtimes.tensorrt.outside import outside

        return outside(asked)


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
    """Register TensorRT."""
    return [TensorRT()]
