"""The digest that names a network: over structure and weights, without the batch."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

from harness.networks.graph import Graph


def digest(graph: Graph) -> str:
    """Return ``sha256:<hex>`` over ops, tensor shapes without the batch, and weights.

    The structure enters as canonical JSON (sorted keys, no spaces), each weight as its key, its shape and
    its little-endian float32 bytes in the order of the keys. Network name and batch do not enter.
    """
    import numpy as np

    structure = {
        "inputs": graph.inputs,
        "outputs": graph.outputs,
        "shapes": {name: list(shape[1:]) for name, shape in graph.shapes.items()},
        "ops": [
            [op.name, op.kind.value, op.inputs, op.output, dict(op.attributes), dict(op.weights)]
            for op in graph.ops
        ],
    }
    state = hashlib.sha256(json.dumps(structure, sort_keys=True, separators=(",", ":")).encode())
    for key in sorted(graph.weights):
        array = graph.weights[key]
        state.update(f"\n{key} {list(array.shape)}\n".encode())
        state.update(np.ascontiguousarray(array, dtype="<f4").tobytes())
    return f"sha256:{state.hexdigest()}"


def with_digest(graph: Graph) -> Graph:
    """Return *graph* with its digest filled in."""
    return replace(graph, digest=digest(graph))
