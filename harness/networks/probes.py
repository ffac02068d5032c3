"""Small networks that ask one question each."""

from __future__ import annotations

from functools import cached_property

from harness.networks.builder import GraphBuilder
from harness.networks.graph import Graph
from harness.networks.weights import SeededWeights

_FEATURES, _HIDDEN, _OUTPUTS = 64, 128, 64


class LinearRelu6Probe:
    """Two linear layers, each with ReLU6: does a build keep the upper bound behind a matrix product?

    MatMul, Add and a Clip with minimum 0, which TensorRT 10.x has turned into a plain ReLU
    (https://github.com/NVIDIA/TensorRT/issues/4606). The last op is a ReLU6 too, so that an output above 6
    says it without any reference.

    :param calibrated: use the stored calibration factors
    """

    name = "linear_relu6_probe"
    description = "probe: MatMul, Add and ReLU6 twice; shows whether the upper bound of ReLU6 is kept"

    def __init__(self, *, calibrated: bool = True) -> None:
        self._calibrated = calibrated

    @cached_property
    def _weights(self) -> SeededWeights:
        return SeededWeights(self.name, calibrated=self._calibrated)

    def graph(self, batch: int = 1, relu6: str = "clip") -> Graph:
        """Return the graph: input ``input`` (N, 64), output ``Linear_1/Relu6`` (N, 64), within 0 to 6.

        :raises UsageError: no such ReLU6 form or batch
        """
        net = GraphBuilder(self.name, batch, relu6, self._weights)
        tensor = net.input("input", _FEATURES)
        for layer, units in (("Linear_0", _HIDDEN), ("Linear_1", _OUTPUTS)):
            tensor = net.matmul(f"{layer}/MatMul", tensor, units)
            tensor = net.add_vector(f"{layer}/BiasAdd", tensor)
            tensor = net.relu6(f"{layer}/Relu6", tensor)
        return net.finish(tensor)
