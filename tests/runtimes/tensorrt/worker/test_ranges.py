"""INT8 ranges: the worker's own pass over the network agrees with the reference."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from harness.networks.graph import SourceOp
from harness.networks.reference import evaluate
from harness.runtimes.tensorrt.worker.ranges import tensor_ranges
from tests.runtimes.tensorrt.worker.conftest import inputs_of, package_of, small_graph


@pytest.mark.parametrize("name", ["mobilenet_v1", "mobilenet_v2"])
@pytest.mark.parametrize("relu6", ["clip", "relu_sub"])
def test_ranges_are_those_of_the_reference(tmp_path: Path, name: str, relu6: str) -> None:
    graph = small_graph(name, relu6=relu6)
    inputs = inputs_of(graph)
    ranges = tensor_ranges(package_of(graph, tmp_path), inputs)
    assert set(ranges) == set(graph.shapes)
    seen: dict[str, float] = {}

    def visit(op: SourceOp, values: np.ndarray) -> np.ndarray:
        seen[op.output] = float(np.abs(values).max())
        return values

    evaluate(graph, inputs, visit=visit)
    assert {tensor: ranges[tensor] for tensor in seen} == pytest.approx(seen, rel=1e-4)
    if relu6 == "clip":
        assert all(ranges[op.output] <= 6 for op in graph.ops if op.kind == "clip")
