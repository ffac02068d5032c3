"""Measures the calibration factors of the built-in networks: ``python -m harness.networks.calibrate``.

The factors are measured once and stored, since a factor computed on the spot would differ in its last digit
from machine to machine and with it the digest. Run it again only to change the networks on purpose.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from harness.networks.base import NetworkFamily
from harness.networks.graph import Graph, OpKind, SourceOp
from harness.networks.inception import InceptionV2
from harness.networks.inputs import probe_inputs
from harness.networks.kernels import Array
from harness.networks.mobilenet import MobileNetV1, MobileNetV2
from harness.networks.probes import LinearRelu6Probe
from harness.networks.reference import evaluate
from harness.networks.ssd import SsdMobileNetV2

SHARE_ABOVE_6 = 0.08
"""Share of the elements before each ReLU6 that pass 6, on the probe images."""
_LINEAR_DEVIATION = 2.0
_IMAGES = 2


def factors(graph: Graph) -> dict[str, float]:
    """Return convolution (or product) name to the factor of its weights, three significant digits.

    Before ReLU6 (or ReLU) the factor is such that :data:`SHARE_ABOVE_6` of the elements pass 6; a linear
    convolution gets a standard deviation of 2. *graph* must be made without factors, ReLU6 as ``clip``.
    """
    found: dict[str, float] = {}

    def visit(op: SourceOp, result: Array) -> Array:
        if op.kind is OpKind.CONV:
            if "bias" not in op.weights:
                bias = np.zeros((1, 1, 1), np.float32)
            else:
                bias = graph.weights[op.weights["bias"]][:, None, None]
            found[op.name] = _factor(result - bias, bias, _rectified(graph, op))
            scaled: Array = (result - bias) * np.float32(found[op.name]) + bias
            return scaled
        if op.kind is OpKind.MATMUL:
            (adds,) = graph.consumers(op.output)
            found[op.name] = _factor(result, graph.weights[adds.weights["vector"]], _rectified(graph, adds))
            return result * np.float32(found[op.name])
        return result

    evaluate(graph, probe_inputs(graph), visit=visit)
    return found


def _rectified(graph: Graph, op: SourceOp) -> bool:
    return any(reader.kind in (OpKind.CLIP, OpKind.RELU) for reader in graph.consumers(op.output))


def _factor(bare: Array, bias: Array, rectified: bool) -> float:
    factor = _rectified_factor(bare, bias) if rectified else _LINEAR_DEVIATION / float(bare.std())
    return float(f"{factor:.3g}")


def _rectified_factor(bare: Array, bias: Array) -> float:
    low, high = 0.05, 20.0
    for _ in range(20):
        middle = math.sqrt(low * high)
        share = float((bare * np.float32(middle) + bias > 6.0).mean())
        low, high = (middle, high) if share < SHARE_ABOVE_6 else (low, middle)
    return math.sqrt(low * high)


def write(families: Sequence[NetworkFamily], path: Path) -> None:
    """Measure *families* (made without factors) and write the table to *path*."""
    table = {family.name: factors(family.graph(batch=_IMAGES)) for family in families}
    path.write_text(json.dumps(table, indent=1, sort_keys=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write(
        (
            MobileNetV1(calibrated=False),
            MobileNetV2(calibrated=False),
            InceptionV2(calibrated=False),
            SsdMobileNetV2(calibrated=False),
            LinearRelu6Probe(calibrated=False),
        ),
        Path(__file__).with_name("calibration.json"),
    )
