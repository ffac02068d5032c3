"""Builds of the small network that onnxruntime and OpenVINO really made, as the worker left them."""

from __future__ import annotations

from pathlib import Path

from harness.attribution.engine import AttributedEngine, AttributedLayer
from harness.evidence.records import Evidence
from harness.plugins import registry
from tests.worker.worker_jobs import small_network

DATA = Path(__file__).resolve().parents[1] / "data" / "runtimes"


def folder(runtime: str, version: str, relu6: str) -> Path:
    """Return the build folder of a recording."""
    return DATA / f"{runtime}-{version}-{relu6}"


def engine(runtime: str, version: str, relu6: str) -> tuple[Evidence, AttributedEngine]:
    """Read a recording and attribute its layers."""
    found = registry.runtimes()[runtime]
    evidence = found.read(folder(runtime, version, relu6))
    return evidence, found.attribute(small_network(relu6), evidence)


def rows(found: AttributedEngine) -> list[tuple[str, str, str, tuple[str, ...]]]:
    """Return family, role, class and source ops of every layer that is there for something."""
    return [(str(x.family), str(x.role), x.op_class, x.source_ops) for x in found.layers if x.role != "no_op"]


def covered(found: AttributedEngine) -> set[str]:
    """Return the source ops that some layer carries."""
    return {name for layer in found.layers for name in layer.source_ops}


def only(found: AttributedEngine, role: str) -> list[AttributedLayer]:
    """Return the layers of a role."""
    return [layer for layer in found.layers if layer.role == role]
