"""Perceptrons: two matrix products, a ReLU6 behind each."""

from harness.networks.base import NetworkFamily
from harness.networks.builder import GraphBuilder
from harness.networks.graph import Graph
from harness.networks.weights import SeededWeights


class Perceptron(NetworkFamily):
    """A perceptron.

    :param hidden: units of the hidden layer
    """

    description = "two matrix products with ReLU6"

    def __init__(self, name: str, hidden: int) -> None:
        self._name, self._hidden = name, hidden
        self._weights = SeededWeights(name, calibrated=False)

    @property
    def name(self) -> str:
        """Its name."""
        return self._name

    def graph(self, batch: int = 1, relu6: str = "clip") -> Graph:
        """Return the graph."""
        net = GraphBuilder(self._name, batch, relu6, self._weights)
        tensor = net.input("input", 256)
        for layer, units in (("first", self._hidden), ("second", 64)):
            tensor = net.matmul(f"{layer}/MatMul", tensor, units)
            tensor = net.add_vector(f"{layer}/BiasAdd", tensor)
            tensor = net.relu6(f"{layer}/Relu6", tensor)
        return net.finish(tensor)
