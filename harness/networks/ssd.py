"""SSD MobileNet v2, 300x300, 91 classes, up to raw box encodings and class scores (no NMS).

The network of the question this project answers. Sources: Liu et al. 2016 (arXiv:1512.02325), Sandler et al.
2018 (arXiv:1801.04381, section 6.2); names and numbers as in the TensorFlow object detection API
(``ssd_mobilenet_v2_coco.config``: predictors with 3x3 kernels, extra feature maps by depthwise-separable
convolutions): ``FeatureExtractor/MobilenetV2/...`` and ``BoxPredictor_K/...``. Tensors are NCHW here, so each
predictor has a transposition that the NHWC original does without.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from harness.networks.builder import GraphBuilder
from harness.networks.graph import Graph
from harness.networks.mobilenet import inverted_residual, scaled_filters, v2_blocks
from harness.networks.weights import SeededWeights

_SCOPE = "FeatureExtractor/MobilenetV2"
# Filters of first and last 1x1 of the four extra feature maps, with a depthwise at stride 2 between them.
_EXTRA = ((256, 512), (128, 256), (128, 256), (64, 128))
_ANCHORS_LOWEST, _ANCHORS = 3, 6
_BOX = 4


@dataclass(frozen=True)
class SsdMobileNetV2:
    """SSD MobileNet v2 as a network family.

    :param width: multiplier of the backbone's filters; other than 1 for tests
    :param resolution: height and width of the input
    :param classes: the background included
    :param calibrated: use the stored calibration factors
    """

    width: float = 1.0
    resolution: int = 300
    classes: int = 91
    calibrated: bool = True
    name: str = "ssd_mobilenet_v2"

    @property
    def description(self) -> str:
        """One line for ``list networks``."""
        return (
            f"SSD MobileNet v2 {self.width} {self.resolution}, {self.classes} classes, raw boxes and scores"
        )

    @cached_property
    def _weights(self) -> SeededWeights:
        # Twenty layers deeper than a classifier: with zero-mean filters, which let only differences between
        # inputs through, rounding errors would grow until no bound could tell a wrong build from a right one.
        return SeededWeights(self.name, calibrated=self.calibrated, centred=False)

    def graph(self, batch: int = 1, relu6: str = "clip") -> Graph:
        """Return the graph.

        Input ``input`` (N, 3, 300, 300); outputs ``raw_box_encodings`` (N, 1917, 4) and ``class_scores``
        (N, 1917, 91), before the sigmoid.

        :raises UsageError: no such ReLU6 form or batch
        """
        net = GraphBuilder(self.name, batch, relu6, self._weights)
        maps = self._features(net)
        boxes, scores = [], []
        for level, tensor in enumerate(maps):
            anchors = _ANCHORS if level else _ANCHORS_LOWEST
            scope = f"BoxPredictor_{level}"
            boxes.append(_predict(net, scope, "BoxEncodingPredictor", "Reshape", tensor, anchors, _BOX))
            scores.append(_predict(net, scope, "ClassPredictor", "Reshape_1", tensor, anchors, self.classes))
        return net.finish(
            net.concat("concat", boxes, output="raw_box_encodings"),
            net.concat("concat_1", scores, output="class_scores"),
        )

    def _features(self, net: GraphBuilder) -> list[str]:
        tensor = net.input("input", 3, self.resolution, self.resolution)
        tensor = net.conv(f"{_SCOPE}/Conv/Conv2D", tensor, scaled_filters(32, self.width), (3, 3), 2)
        tensor = net.relu6(f"{_SCOPE}/Conv/Relu6", tensor)
        for block, expansion, filters, stride in v2_blocks(self.width):
            tensor = inverted_residual(net, f"{_SCOPE}/{block}", tensor, expansion, filters, stride)
        tensor = net.conv(f"{_SCOPE}/Conv_1/Conv2D", tensor, scaled_filters(1280, max(self.width, 1.0)))
        tensor = net.relu6(f"{_SCOPE}/Conv_1/Relu6", tensor)
        # The first map is the expansion of block 13, before its depthwise convolution halves it.
        maps = [f"{_SCOPE}/expanded_conv_13/expand/Relu6", tensor]
        for number, (squeezed, filters) in enumerate(_EXTRA, start=2):
            scope = f"{_SCOPE}/layer_19_1_Conv2d_{number}_1x1_{squeezed}"
            tensor = net.relu6(f"{scope}/Relu6", net.conv(f"{scope}/Conv2D", tensor, squeezed))
            scope = f"{_SCOPE}/layer_19_2_Conv2d_{number}_3x3_s2_{filters}"
            tensor = net.depthwise(f"{scope}_depthwise/depthwise", tensor, 2)
            tensor = net.relu6(f"{scope}_depthwise/Relu6", tensor)
            tensor = net.relu6(f"{scope}/Relu6", net.conv(f"{scope}/Conv2D", tensor, filters))
            maps.append(tensor)
        return maps


def _predict(
    net: GraphBuilder, scope: str, predictor: str, reshape: str, tensor: str, anchors: int, values: int
) -> str:
    """Add a 3x3 predictor and return its answers as (N, anchors of the whole map, values)."""
    found = net.conv(f"{scope}/{predictor}/Conv2D", tensor, anchors * values, (3, 3), linear=True)
    _, _, height, width = net.shape(found)
    found = net.transpose(f"{scope}/{predictor}/transpose", found, [0, 2, 3, 1])
    return net.reshape(f"{scope}/{reshape}", found, height * width * anchors, values)
