"""Two TensorFlow graphs of a user's own: a small network of separable convolutions, not one of the product's.

    python benchmarks/street_graphs.py FOLDER

Writes FOLDER/street_frozen.pb, a frozen GraphDef with batch norms, and FOLDER/street_saved, a SavedModel with
biases instead. Runs under any TensorFlow of 1.15 or later; the same weights each time. Measured with
``--network`` or in ``[networks]`` of a matrix file (docs/how-to/tensorflow-network.md).
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow.compat.v1 as tf

BLOCKS = ((48, 1), (96, 2), (96, 1), (192, 2), (192, 1))
"""Channels and stride of each separable convolution."""


class Street:
    """Ops of one graph, with weights out of *draws*."""

    def __init__(self, draws: np.random.RandomState, *, biases: bool) -> None:
        self._biases, self._draws = biases, draws

    def scores(self, image: Any) -> Any:
        """Return the scores of *image*."""
        held = self._after(self._conv(image, 24, 3, 2, "stem"), "stem")
        for number, (channels, stride) in enumerate(BLOCKS):
            name = f"block{number}"
            made = self._after(self._depthwise(held, stride, name + "/depthwise"), name + "/depthwise")
            made = self._after(self._conv(made, channels, 1, 1, name + "/pointwise"), name + "/pointwise")
            same = made.shape.as_list() == held.shape.as_list()
            held = tf.add(held, made, name=name + "/add") if same else made
        pooled = tf.reduce_mean(held, [1, 2], name="pool")
        weights = self._normal((1.0 / int(pooled.shape[-1])) ** 0.5, (int(pooled.shape[-1]), 100))
        logits = tf.matmul(pooled, weights, name="logits/matmul")
        logits = tf.nn.bias_add(logits, self._normal(0.1, 100), name="logits/bias")
        return tf.nn.softmax(logits, name="scores")

    def _normal(self, deviation: float, shape: Any) -> Any:
        return self._draws.normal(0, deviation, shape).astype("float32")

    def _conv(self, held: Any, channels: int, size: int, stride: int, name: str) -> Any:
        before = int(held.shape[-1])
        weights = self._normal((2.0 / (size * size * before)) ** 0.5, (size, size, before, channels))
        return tf.nn.conv2d(held, tf.constant(weights), [1, stride, stride, 1], "SAME", name=name + "/conv")

    def _depthwise(self, held: Any, stride: int, name: str) -> Any:
        weights = tf.constant(self._normal((2.0 / 9) ** 0.5, (3, 3, int(held.shape[-1]), 1)))
        return tf.nn.depthwise_conv2d(held, weights, [1, stride, stride, 1], "SAME", name=name + "/dw")

    def _after(self, held: Any, name: str) -> Any:
        channels = int(held.shape[-1])
        if self._biases:
            held = tf.nn.bias_add(held, self._normal(0.1, channels), name=name + "/bias")
        else:
            scale = self._draws.uniform(0.8, 1.2, channels).astype("float32")
            offset, mean = self._normal(0.1, channels), self._normal(0.1, channels)
            variance = self._draws.uniform(0.8, 1.2, channels).astype("float32")
            held = tf.nn.fused_batch_norm(
                held, scale, offset, mean, variance, epsilon=1e-3, is_training=False, name=name + "/bn"
            )[0]
        return tf.nn.relu6(held, name=name + "/relu6")


def main(folder: Path) -> None:
    """Write both graphs into *folder*."""
    tf.disable_eager_execution()
    draws = np.random.RandomState(18)
    for biases in (False, True):
        with tf.Graph().as_default() as graph, tf.Session(graph=graph) as session:
            image = tf.placeholder(tf.float32, [None, 160, 160, 3], name="image")
            scores = Street(draws, biases=biases).scores(image)
            if biases:
                folders = str(folder / "street_saved")
                tf.saved_model.simple_save(session, folders, {"image": image}, {"scores": scores})
            else:
                (folder / "street_frozen.pb").write_bytes(graph.as_graph_def().SerializeToString())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
