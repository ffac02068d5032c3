"""What the tests of the TensorRT worker share: surfaces of versions, and a small network package."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.networks.graph import Graph
from harness.networks.inputs import probe_inputs
from harness.networks.mobilenet import MobileNetV1, MobileNetV2
from harness.networks.package import write_package
from harness.worker.package import Network, read_network
from tests.runtimes.tensorrt.worker.surface import surfaces

SMALL = {
    "mobilenet_v1": MobileNetV1(width=0.25, resolution=32, classes=11),
    "mobilenet_v2": MobileNetV2(width=0.25, resolution=32, classes=11),
}


@pytest.fixture(scope="session")
def all_surfaces() -> dict[str, dict[str, Any]]:
    """Version to surface."""
    return surfaces()


def small_graph(name: str = "mobilenet_v2", batch: int = 1, relu6: str = "clip") -> Graph:
    """Return a small graph of the built-in kind."""
    return SMALL[name].graph(batch, relu6)


def package_of(graph: Graph, folder: Path) -> Network:
    """Write *graph* as a package and read it as the worker does."""
    return read_network(*(str(path) for path in write_package(graph, folder)))


def inputs_of(graph: Graph) -> dict[str, np.ndarray]:
    """Return the inputs the harness would send along."""
    return dict(probe_inputs(graph))
