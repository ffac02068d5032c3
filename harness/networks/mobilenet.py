"""MobileNet v1 and v2, width 1.0, 224x224, 1001 classes, in the names and padding of TF-slim.

Sources: Howard et al. 2017 (arXiv:1704.04861, table 1) and Sandler et al. 2018 (arXiv:1801.04381, table 2);
names as in ``tensorflow/models/research/slim/nets/mobilenet``, without the scope ``MobilenetV1/`` or
``MobilenetV2/``. Batch norm is folded: each convolution has a kernel and a bias. The classifier is a
1x1 convolution after the global average pool, and the output keeps its shape (N, 1001, 1, 1).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from harness.networks.builder import GraphBuilder
from harness.networks.graph import Graph
from harness.networks.weights import SeededWeights

# Stride and filters of the thirteen depthwise-separable blocks of v1.
_V1_BLOCKS = (
    (1, 64),
    (2, 128),
    (1, 128),
    (2, 256),
    (1, 256),
    (2, 512),
    *((1, 512),) * 5,
    (2, 1024),
    (1, 1024),
)
# Expansion, filters, repeats and stride of the first repeat, v2.
_V2_STACKS = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)


def scaled_filters(filters: int, width: float) -> int:
    """Return *filters* times *width*, rounded to a multiple of 8, never below 8 nor more than 10 % down.

    Source: ``_make_divisible`` of TF-slim.
    """
    rounded = max(8, int(filters * width + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * filters * width else rounded


@dataclass(frozen=True)
class MobileNet:
    """What both versions have in common.

    :param width: multiplier of the filters; other than 1 for tests, which want it small and quick
    :param resolution: height and width of the input
    :param calibrated: use the stored calibration factors
    """

    width: float = 1.0
    resolution: int = 224
    classes: int = 1001
    calibrated: bool = True
    name: str = ""
    _title: ClassVar[str]

    @property
    def description(self) -> str:
        """One line for ``list networks``."""
        return f"{self._title} {self.width} {self.resolution}, {self.classes} classes, TF-slim names"

    @cached_property
    def _weights(self) -> SeededWeights:
        return SeededWeights(self.name, calibrated=self.calibrated)


@dataclass(frozen=True)
class MobileNetV1(MobileNet):
    """MobileNet v1 as a network family; see :class:`MobileNet` for its parameters."""

    name: str = "mobilenet_v1"
    _title: ClassVar[str] = "MobileNet v1"

    def graph(self, batch: int = 1, relu6: str = "clip") -> Graph:
        """Return the graph: input ``input`` (N, 3, 224, 224), output ``logits`` (N, 1001, 1, 1).

        :raises UsageError: no such ReLU6 form or batch
        """
        net = GraphBuilder(self.name, batch, relu6, self._weights)
        tensor = net.input("input", 3, self.resolution, self.resolution)
        tensor = net.conv("Conv2d_0/Conv2D", tensor, scaled_filters(32, self.width), (3, 3), 2)
        tensor = net.relu6("Conv2d_0/Relu6", tensor)
        for number, (stride, filters) in enumerate(_V1_BLOCKS, start=1):
            block = f"Conv2d_{number}"
            tensor = net.depthwise(f"{block}_depthwise/depthwise", tensor, stride)
            tensor = net.relu6(f"{block}_depthwise/Relu6", tensor)
            tensor = net.conv(f"{block}_pointwise/Conv2D", tensor, scaled_filters(filters, self.width))
            tensor = net.relu6(f"{block}_pointwise/Relu6", tensor)
        tensor = net.global_average_pool("Logits/AvgPool_1a/AvgPool", tensor)
        return net.finish(
            net.conv("Logits/Conv2d_1c_1x1/Conv2D", tensor, self.classes, linear=True, output="logits")
        )


def inverted_residual(
    net: GraphBuilder, block: str, tensor: str, expansion: int, filters: int, stride: int
) -> str:
    """Add one inverted residual block of v2 called *block* and return its output tensor."""
    source = tensor
    channels = net.shape(tensor)[1]
    if expansion > 1:
        tensor = net.conv(f"{block}/expand/Conv2D", tensor, channels * expansion)
        tensor = net.relu6(f"{block}/expand/Relu6", tensor)
    tensor = net.depthwise(f"{block}/depthwise/depthwise", tensor, stride)
    tensor = net.relu6(f"{block}/depthwise/Relu6", tensor)
    tensor = net.conv(f"{block}/project/Conv2D", tensor, filters, linear=True)
    return net.add(f"{block}/add", tensor, source) if stride == 1 and channels == filters else tensor


def v2_blocks(width: float) -> list[tuple[str, int, int, int]]:
    """Return name, expansion, filters and stride of the seventeen blocks of v2."""
    blocks: list[tuple[str, int, int, int]] = []
    for expansion, filters, repeats, stride in _V2_STACKS:
        for repeat in range(repeats):
            name = f"expanded_conv_{len(blocks)}" if blocks else "expanded_conv"
            blocks.append((name, expansion, scaled_filters(filters, width), 1 if repeat else stride))
    return blocks


@dataclass(frozen=True)
class MobileNetV2(MobileNet):
    """MobileNet v2 as a network family; see :class:`MobileNet` for its parameters."""

    name: str = "mobilenet_v2"
    _title: ClassVar[str] = "MobileNet v2"

    def graph(self, batch: int = 1, relu6: str = "clip") -> Graph:
        """Return the graph: input ``input`` (N, 3, 224, 224), output ``logits`` (N, 1001, 1, 1).

        :raises UsageError: no such ReLU6 form or batch
        """
        net = GraphBuilder(self.name, batch, relu6, self._weights)
        tensor = net.input("input", 3, self.resolution, self.resolution)
        tensor = net.conv("Conv/Conv2D", tensor, scaled_filters(32, self.width), (3, 3), 2)
        tensor = net.relu6("Conv/Relu6", tensor)
        for block, expansion, filters, stride in v2_blocks(self.width):
            tensor = inverted_residual(net, block, tensor, expansion, filters, stride)
        # TF-slim keeps 1280 filters here for widths below 1.
        tensor = net.conv("Conv_1/Conv2D", tensor, scaled_filters(1280, max(self.width, 1.0)))
        tensor = net.relu6("Conv_1/Relu6", tensor)
        tensor = net.global_average_pool("Logits/AvgPool", tensor)
        return net.finish(
            net.conv("Logits/Conv2d_1c_1x1/Conv2D", tensor, self.classes, linear=True, output="logits")
        )
