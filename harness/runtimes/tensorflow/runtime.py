"""TensorFlow, from graphs written op by op."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from harness.distribution import hookimpl
from harness.environments.needs import WorkerSource
from harness.matrix.cell import Cell
from harness.matrix.treatment import BATCH, COPIES, PRECISION, RELU6, SOURCE, TENSOR_FORMAT, TreatmentField
from harness.runtimes.base import Runtime
from harness.runtimes.cpu import Release, Wheels, with_facts
from harness.runtimes.tensorflow import cuda
from harness.runtimes.tensorrt.runtime import WORKER as TENSORRT_WORKER
from harness.runtimes.tensorrt.runtime import gpu_reason
from harness.versions import ordered, parse

if TYPE_CHECKING:
    from harness.attribution.engine import AttributedEngine
    from harness.evidence.records import Evidence
    from harness.networks.graph import Graph

# Of tensorflow-cpu, as the package index has them for Linux on x86-64.
_WHEELS = Wheels(
    {
        "1.15": ((3, 6), (3, 7)),
        "2.2": ((3, 6), (3, 8)),
        "2.5": ((3, 6), (3, 9)),
        "2.7": ((3, 7), (3, 9)),
        "2.8": ((3, 7), (3, 10)),
        "2.12": ((3, 8), (3, 11)),
        "2.14": ((3, 9), (3, 11)),
        "2.16": ((3, 9), (3, 12)),
        "2.20": ((3, 9), (3, 13)),
        "2.21": ((3, 10), (3, 13)),
    }
)
_KNOWN = (
    "1.15.0",
    "2.12.1",
    "2.13.1",
    "2.14.1",
    "2.15.1",
    "2.16.2",
    "2.17.1",
    "2.18.1",
    "2.19.1",
    "2.20.0",
    "2.21.0",
)

# First version that needs none of it, oldest first: code of before protobuf 4, types that NumPy dropped.
_BOUNDS = (
    ("2.0", ("protobuf<3.21", "numpy<1.20")),
    ("2.12", ("protobuf<3.21", "numpy<1.24")),
)

DATA_FORMAT = TreatmentField(
    "data_format", ("nhwc", "nchw"), "nhwc", "{}", "of the images in a TensorFlow graph, from input to output"
)

_COMMON = {"tensor_format": ("linear",), "source": ("auto", "api")}
_ON_CPU = {"precision": ("fp32",), **_COMMON, "copies": ("out",)}
_ON_GPU = {"precision": ("fp32", "tf32"), **_COMMON}

WORKER = WorkerSource(
    "harness.runtimes.tensorflow.worker", Path(__file__).with_name("worker"), (TENSORRT_WORKER,)
)


class TensorFlow(Runtime):
    """Sessions on the CPU or a GPU, whose graph grappler rewrites as it does by itself."""

    name = "tensorflow"
    device = "cpu"
    environments = ("venv", "current")
    worker = WORKER
    treatment_fields = (PRECISION, BATCH, RELU6, TENSOR_FORMAT, SOURCE, COPIES, DATA_FORMAT)

    def device_of(self, version: str) -> str:
        """Return ``gpu`` for the wheels with CUDA."""
        return "cpu" if cuda.release_of(version) is None else "gpu"

    def distribution(self, version: str) -> str:
        """Return the distribution with CUDA, or the one without, which holds the same code for the CPU."""
        return "tensorflow-cpu" if cuda.release_of(version) is None else "tensorflow"

    def opened_libraries(self, version: str) -> Sequence[str]:
        """Return what the wheels with CUDA open and do not call."""
        return () if cuda.release_of(version) is None else cuda.OPENED

    def library_folders(self, version: str) -> Sequence[str]:
        """Return those of CUDA and TensorRT for the wheels that load them."""
        return () if cuda.release_of(version) is None else cuda.FOLDERS

    def requirements(self, version: str, python: Release) -> Sequence[str]:  # noqa: ARG002
        """Return TensorFlow, and bounds that *version* came too early to set; with CUDA all that it loads."""
        release = cuda.release_of(version)
        if release is not None:
            return cuda.requirements(release)
        return (f"{self.distribution(version)}=={version}", *_bounds(version))

    def pythons(self, version: str) -> tuple[Release, Release] | None:
        """Return the Pythons that have wheels of *version*, None before the oldest release known here."""
        release = cuda.release_of(version)
        return _WHEELS.pythons(version) if release is None else cuda.PYTHONS.get(release)

    def known_versions(self) -> Sequence[str]:
        """Return the last of the 1.x, the last patch of each release from 2.12 on, and those with CUDA."""
        return ordered((*_KNOWN, *(release + cuda.ENDING for release in cuda.PYTHONS)))

    def unsupported(self, cell: Cell) -> str | None:
        """Say why *cell* cannot run; whether a version takes NCHW on the CPU, its first inference says."""
        gpu = self.device_of(cell.version) == "gpu"
        for field, values in (_ON_GPU if gpu else _ON_CPU).items():
            value = getattr(cell.treatment, field)
            if value not in values:
                where = "a GPU" if gpu else "the CPU"
                return f"tensorflow on {where} has no {field.replace('_', ' ')} '{value}'"
        return gpu_reason(cuda.TENSORRT) if gpu else None

    def condense(self, folder: Path) -> None:
        """Compress the trace of what the worker left."""
        from harness.runtimes.tensorflow.evidence import condense

        condense(folder / "evidence")

    def read(self, folder: Path) -> Evidence:
        """Read a build folder.

        :raises InputError: a file is torn or not what the worker writes
        """
        from harness.runtimes.tensorflow.evidence import read_tensorflow

        return with_facts(folder, lambda _: read_tensorflow(folder / "evidence"))

    def attribute(self, graph: Graph | None, evidence: Evidence) -> AttributedEngine:
        """Attribute the nodes of the graph that ran to source ops."""
        from harness.runtimes.tensorflow.attribute import attribute_tensorflow

        return attribute_tensorflow(graph, evidence)


def _bounds(version: str) -> tuple[str, ...]:
    """Return what a wheel does not ask for and fails without: none from 2.12 on."""
    asked = parse(version)
    for before, bounds in _BOUNDS:
        limit = parse(before)
        if asked is not None and limit is not None and asked < limit:
            return bounds
    return ()


@hookimpl
def trtmatrix_runtimes() -> Sequence[Runtime]:
    """Register TensorFlow."""
    return [TensorFlow()]
