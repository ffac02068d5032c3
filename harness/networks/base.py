"""What a network is to the matrix: something that makes a graph for a batch and a ReLU6 form."""

from __future__ import annotations

from abc import abstractmethod
from typing import Protocol

from harness.networks.graph import Graph


class NetworkFamily(Protocol):
    """Registered through ``trtmatrix_networks``; built-in ones, and one for each ONNX file of a user."""

    @property
    @abstractmethod
    def name(self) -> str:
        """``mobilenet_v1``, ``mobilenet_v2`` ..."""
        ...

    @property
    @abstractmethod
    def description(self) -> str:
        """One line for ``list networks``."""
        ...

    @abstractmethod
    def graph(self, batch: int = 1, relu6: str = "clip") -> Graph:
        """Return the graph; the same weights whatever the batch and the form.

        :raises UsageError: the network has no such form
        """
        ...
