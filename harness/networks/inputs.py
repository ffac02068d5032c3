"""Inputs to measure and check with: the same on every machine, and driving ReLU6 to its upper bound."""

from __future__ import annotations

import numpy as np

from harness.networks.draws import uniform
from harness.networks.graph import FloatArray, Graph

_PATCH = 32
_NOISE = 0.5


def probe_inputs(graph: Graph, seed: int = 0) -> dict[str, FloatArray]:
    """Return input tensor name to float32 array for *graph*, values within [-1.5, 1.5].

    Images (rank 4) are patches of 32x32 of one colour, which differ from image to image, plus noise of half
    their amplitude; other inputs are noise in [-1, 1). With the built-in weights the activations of
    the hidden layers pass 6 (see :mod:`harness.networks.weights`), so that a runtime which drops the upper
    bound of ReLU6 gives other outputs. Item *i* of a batch is the same whatever the batch.
    """
    found: dict[str, FloatArray] = {}
    for name in graph.inputs:
        batch, *shape = graph.shapes[name]
        items = [_item(seed, f"{name}[{item}]", tuple(shape)) for item in range(batch)]
        found[name] = np.ascontiguousarray(np.stack(items))
    return found


def _item(seed: int, name: str, shape: tuple[int, ...]) -> FloatArray:
    noise = uniform(seed, f"{name}/noise", shape)
    if len(shape) != 3:
        return noise
    channels, height, width = shape
    coarse = uniform(seed, f"{name}/patches", (channels, -(-height // _PATCH), -(-width // _PATCH)))
    patches = coarse.repeat(_PATCH, axis=1).repeat(_PATCH, axis=2)[:, :height, :width]
    image: FloatArray = patches + np.float32(_NOISE) * noise
    return image
