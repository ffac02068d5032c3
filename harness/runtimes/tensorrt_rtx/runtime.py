"""TensorRT-RTX as a runtime: the interface of TensorRT, with wheels that are complete."""

from __future__ import annotations

from collections.abc import Sequence

from harness.distribution import hookimpl
from harness.matrix.cell import Cell, Treatment
from harness.runtimes.base import Runtime
from harness.runtimes.outside import Asked, Outside
from harness.runtimes.tensorrt.runtime import WORKER, TensorRT
from harness.runtimes.tensorrt_rtx.outside import outside
from harness.store.machine import gpus
from harness.versions import release_numbers

RTX_WHEELS = ("1.4.0.76", "1.5.0.114", "1.6.1.120", "1.7.1.116")


class TensorRTRTX(TensorRT):
    """TensorRT-RTX: builds on any machine, and measures where a GPU is that it knows."""

    name = "tensorrt_rtx"
    environments = ("venv", "docker", "current")
    worker = WORKER
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

    def outside(self, asked: Asked) -> Outside:
        """Return the line of its own tool."""
        return outside(asked)


def rtx_reason(treatment: Treatment) -> str | None:
    """Say why *treatment* cannot be expressed in any TensorRT-RTX, None if it can."""
    if treatment.batch_mode == "implicit":
        return "TensorRT-RTX has no implicit batch"
    if treatment.typing == "weak":
        return "TensorRT-RTX has no weak typing"
    return None


@hookimpl
def trtmatrix_runtimes() -> Sequence[Runtime]:
    """Register TensorRT-RTX."""
    return [TensorRTRTX()]
