"""Inception v2, 224x224, 1001 classes, in the names of TF-slim: the network that gained more from TensorRT.

Source of the architecture: Ioffe and Szegedy 2015 (arXiv:1502.03167); numbers and names as in
``tensorflow/models/research/slim/nets/inception_v2.py``, without the scope ``InceptionV2/``. The first
convolution is separable, as there. Batch norm is folded. The activations are ReLU, not ReLU6.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from harness.errors import NetworkTreatmentError
from harness.networks.builder import GraphBuilder
from harness.networks.graph import Graph, OpKind
from harness.networks.weights import SeededWeights

# Filters: 1x1; 1x1 and 3x3; 1x1, 3x3 and 3x3; 1x1 behind the pooling.
_MODULES = {
    "Mixed_3b": (64, (64, 64), (64, 96, 96), 32),
    "Mixed_3c": (64, (64, 96), (64, 96, 96), 64),
    "Mixed_4b": (224, (64, 96), (96, 128, 128), 128),
    "Mixed_4c": (192, (96, 128), (96, 128, 128), 128),
    "Mixed_4d": (160, (128, 160), (128, 160, 160), 96),
    "Mixed_4e": (96, (128, 192), (160, 192, 192), 96),
    "Mixed_5b": (352, (192, 320), (160, 224, 224), 128),
    "Mixed_5c": (352, (192, 320), (192, 224, 224), 128),
}
# Filters: 1x1 and 3x3 at stride 2; 1x1, 3x3 and 3x3 at stride 2. The third branch is a pooling.
_REDUCTIONS = {
    "Mixed_4a": ((128, 160), (64, 96, 96)),
    "Mixed_5a": ((128, 192), (192, 256, 256)),
}
_ORDER = ("3b", "3c", "4a", "4b", "4c", "4d", "4e", "5a", "5b", "5c")


def _conv(net: GraphBuilder, scope: str, tensor: str, filters: int, stride: int = 1) -> str:
    kernel = (3, 3) if scope.endswith("3x3") else (1, 1)
    return net.relu(f"{scope}/Relu", net.conv(f"{scope}/Conv2D", tensor, filters, kernel, stride))


def _module(net: GraphBuilder, name: str, tensor: str) -> str:
    first, second, third, fourth = _MODULES[name]
    branches = [_conv(net, f"{name}/Branch_0/Conv2d_0a_1x1", tensor, first)]
    branch = _conv(net, f"{name}/Branch_1/Conv2d_0a_1x1", tensor, second[0])
    branches.append(_conv(net, f"{name}/Branch_1/Conv2d_0b_3x3", branch, second[1]))
    branch = _conv(net, f"{name}/Branch_2/Conv2d_0a_1x1", tensor, third[0])
    branch = _conv(net, f"{name}/Branch_2/Conv2d_0b_3x3", branch, third[1])
    branches.append(_conv(net, f"{name}/Branch_2/Conv2d_0c_3x3", branch, third[2]))
    last = name == "Mixed_5c"
    kind, pool = (OpKind.MAX_POOL, "MaxPool") if last else (OpKind.AVERAGE_POOL, "AvgPool")
    branch = net.pool(f"{name}/Branch_3/{pool}_0a_3x3/{pool}", tensor, kind, 3, 1)
    branches.append(_conv(net, f"{name}/Branch_3/Conv2d_0b_1x1", branch, fourth))
    return net.concat(f"{name}/concat", branches)


def _reduction(net: GraphBuilder, name: str, tensor: str) -> str:
    first, second = _REDUCTIONS[name]
    branch = _conv(net, f"{name}/Branch_0/Conv2d_0a_1x1", tensor, first[0])
    branches = [_conv(net, f"{name}/Branch_0/Conv2d_1a_3x3", branch, first[1], 2)]
    branch = _conv(net, f"{name}/Branch_1/Conv2d_0a_1x1", tensor, second[0])
    branch = _conv(net, f"{name}/Branch_1/Conv2d_0b_3x3", branch, second[1])
    branches.append(_conv(net, f"{name}/Branch_1/Conv2d_1a_3x3", branch, second[2], 2))
    branches.append(net.pool(f"{name}/Branch_2/MaxPool_1a_3x3/MaxPool", tensor, OpKind.MAX_POOL, 3, 2))
    return net.concat(f"{name}/concat", branches)


@dataclass(frozen=True)
class InceptionV2:
    """Inception v2 as a network family.

    :param resolution: height and width of the input; other than 224 for tests
    :param calibrated: use the stored calibration factors
    """

    resolution: int = 224
    classes: int = 1001
    calibrated: bool = True
    name: str = "inception_v2"

    @property
    def description(self) -> str:
        """One line for ``list networks``."""
        return f"Inception v2 {self.resolution}, {self.classes} classes, TF-slim names; ReLU, no ReLU6"

    @cached_property
    def _weights(self) -> SeededWeights:
        return SeededWeights(self.name, calibrated=self.calibrated)

    def graph(self, batch: int = 1, relu6: str = "clip") -> Graph:
        """Return the graph: input ``input`` (N, 3, 224, 224), output ``logits`` (N, 1001, 1, 1).

        :raises UsageError: a batch below 1, or ReLU6 in pieces, of which the network has none
        """
        if relu6 != "clip":
            raise NetworkTreatmentError(
                f"network '{self.name}' has no ReLU6, so no form '{relu6}' of it; leave it at clip"
            )
        net = GraphBuilder(self.name, batch, relu6, self._weights)
        tensor = net.input("input", 3, self.resolution, self.resolution)
        stem = "Conv2d_1a_7x7/separable_conv2d"
        tensor = net.depthwise(f"{stem}/depthwise", tensor, 2, kernel=(7, 7), multiplier=8, bias=False)
        tensor = net.relu("Conv2d_1a_7x7/Relu", net.conv(stem, tensor, 64))
        tensor = net.pool("MaxPool_2a_3x3/MaxPool", tensor, OpKind.MAX_POOL, 3, 2)
        tensor = _conv(net, "Conv2d_2b_1x1", tensor, 64)
        tensor = _conv(net, "Conv2d_2c_3x3", tensor, 192)
        tensor = net.pool("MaxPool_3a_3x3/MaxPool", tensor, OpKind.MAX_POOL, 3, 2)
        for name in (f"Mixed_{place}" for place in _ORDER):
            tensor = (_module if name in _MODULES else _reduction)(net, name, tensor)
        tensor = net.global_average_pool("Logits/AvgPool_1a_7x7/AvgPool", tensor)
        return net.finish(
            net.conv("Logits/Conv2d_1c_1x1/Conv2D", tensor, self.classes, linear=True, output="logits")
        )
