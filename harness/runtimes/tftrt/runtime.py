"""TF-TRT as a runtime: three converters over the graph that TensorFlow runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from harness.distribution import hookimpl
from harness.environments.needs import Release, WorkerSource
from harness.matrix.cell import Cell
from harness.matrix.treatment import (
    BATCH,
    BATCH_MODE,
    COPIES,
    PRECISION,
    RELU6,
    SOURCE,
    TENSOR_FORMAT,
    TreatmentField,
)
from harness.runtimes.base import Runtime
from harness.runtimes.tensorflow import cuda
from harness.runtimes.tensorflow.runtime import DATA_FORMAT
from harness.runtimes.tensorflow.runtime import WORKER as TENSORFLOW_WORKER
from harness.runtimes.tensorrt.runtime import WORKER as TENSORRT_WORKER
from harness.runtimes.tensorrt.runtime import gpu_reason
from harness.runtimes.tftrt import releases
from harness.store.machine import gpus

if TYPE_CHECKING:
    from harness.attribution.engine import AttributedEngine
    from harness.evidence.records import Evidence
    from harness.networks.graph import Graph

CONVERTER = TreatmentField(
    "converter", ("auto", "v1", "v2"), "auto", "{}", "of TF-TRT; auto is the one that takes a frozen graph"
)
PLACEMENT = TreatmentField(
    "placement", ("none", "gpu"), "none", "placed_{}", "of a graph's nodes before TF-TRT converts it"
)
ENGINES = TreatmentField(
    "engines",
    ("static", "dynamic"),
    "static",
    "{}_engines",
    "of TF-TRT: built by the converter, or at the first inference",
)
SEGMENT_SIZE = TreatmentField(
    "minimum_segment_size", None, 3, "segments_of_{}", "least nodes of a TRTEngineOp", most=1000
)
WORKSPACE = TreatmentField(
    "max_workspace_mib", None, 1024, "workspace_{}", "scratch memory of TF-TRT's engines, MiB", most=65536
)

_ALLOWED = {
    "precision": ("fp32", "tf32", "fp16"),
    "tensor_format": ("linear",),
    "source": ("auto", "api"),
}


class TFTRT(Runtime):
    """Converts and measures on a GPU; elsewhere it ends when the graph is partitioned."""

    name = "tftrt"
    environments = ("venv", "docker", "current")
    worker = WorkerSource(
        "harness.runtimes.tftrt.worker",
        Path(__file__).with_name("worker"),
        (TENSORFLOW_WORKER, TENSORRT_WORKER),
    )
    treatment_fields = (
        *(PRECISION, BATCH, RELU6, TENSOR_FORMAT, SOURCE, BATCH_MODE, COPIES),
        *(DATA_FORMAT, CONVERTER, PLACEMENT, ENGINES, SEGMENT_SIZE, WORKSPACE),
    )

    @property
    def device(self) -> str:
        """``gpu`` where there is one; a conversion needs none, so that ``cpu`` is enough elsewhere."""
        return "gpu" if gpus() else "cpu"

    def device_of(self, version: str) -> str:
        """Return ``cpu`` for the release that has a stub of TensorRT and converts only."""
        return "cpu" if version in releases.CONVERT_ONLY else self.device

    def measures_on_gpu(self, version: str) -> bool:
        """Return True where there are engines to run: what a machine without a GPU leaves is a partition."""
        return version not in releases.CONVERT_ONLY

    def distribution(self, version: str) -> str:  # noqa: ARG002
        """Return the distribution with CUDA: the one without has no TF-TRT."""
        return "tensorflow"

    def requirements(self, version: str, python: Release) -> Sequence[str]:  # noqa: ARG002
        """Return TensorFlow, TensorRT and the CUDA libraries that both call."""
        alone = releases.CONVERT_ONLY.get(version)
        return cuda.requirements(version) if alone is None else alone

    def opened_libraries(self, version: str) -> Sequence[str]:
        """Return what TensorFlow opens and does not call."""
        return cuda.OPENED if version in cuda.PYTHONS else ()

    def library_folders(self, version: str) -> Sequence[str]:
        """Return those of CUDA and TensorRT."""
        return cuda.FOLDERS if version in cuda.PYTHONS else ()

    def stub_libraries(self, version: str) -> Mapping[str, Mapping[str, int]]:
        """Return the stub of TensorRT 5.1.5 that the converter of 1.15 asks for its version."""
        return releases.STUBS if version in releases.CONVERT_ONLY else {}

    def pythons(self, version: str) -> tuple[Release, Release] | None:
        """Return the Pythons that have wheels of TensorFlow and of its TensorRT, None for other releases."""
        return releases.PYTHONS_OF_STUB if version in releases.CONVERT_ONLY else cuda.PYTHONS.get(version)

    def known_versions(self) -> Sequence[str]:
        """Return 1.15.0, which converts only, and the releases whose wheels work with a complete TensorRT."""
        return (*releases.CONVERT_ONLY, *cuda.PYTHONS)

    def unsupported(self, cell: Cell) -> str | None:
        """Say what of *cell* TF-TRT lacks, or that its TensorRT runs on no GPU of this machine."""
        for field, values in _ALLOWED.items():
            value = getattr(cell.treatment, field)
            if value not in values:
                return f"tftrt has no {field.replace('_', ' ')} '{value}'"
        if cell.version in releases.CONVERT_ONLY:
            return None
        return gpu_reason(releases.tensorrt_of(cell.version))

    def untried(self, cell: Cell) -> str | None:
        """Say what of *cell* nobody here has run on a GPU."""
        return releases.untried(cell.version, cell.environment, dict(cell.treatment.own))

    def condense(self, folder: Path) -> None:
        """Compress the trace of what the worker left."""
        from harness.runtimes.tensorflow.evidence import condense

        condense(folder / "evidence")

    def read(self, folder: Path) -> Evidence:
        """Read a build folder.

        :raises InputError: a file is torn or not what the worker writes
        """
        from harness.runtimes.tftrt.evidence import read_tftrt

        return read_tftrt(folder)

    def publish(self, folder: Path) -> None:
        """Put what is read of the builder's log in its place.

        :raises InputError: the log is torn
        """
        from harness.runtimes.tftrt.evidence import publish_tftrt

        publish_tftrt(folder)

    def attribute(self, graph: Graph | None, evidence: Evidence) -> AttributedEngine:
        """Attribute the nodes of the graph that ran, and the layers of its segments, to source ops."""
        from harness.runtimes.tftrt.attribute import attribute_tftrt

        return attribute_tftrt(graph, evidence)


@hookimpl
def trtmatrix_runtimes() -> Sequence[Runtime]:
    """Register TF-TRT."""
    return [TFTRT()]
