"""What a network is to the matrix: something that makes a graph for a batch and a ReLU6 form."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from harness.networks.graph import Graph


class NetworkFamily(Protocol):
    """Registered through ``trtmatrix_networks``; built-in ones, and one for each file of a user."""

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


class OwnFamily(NetworkFamily, Protocol):
    """A network that is a file of the user's own."""

    @property
    @abstractmethod
    def file(self) -> str:
        """Name of the file, without its folder."""
        ...

    @property
    @abstractmethod
    def inputs(self) -> Mapping[str, Sequence[int | str]]:
        """What the file says of each input's shape: sizes, and names of what is open."""
        ...

    @abstractmethod
    def check(self) -> None:
        """Read the file now.

        :raises InputError: it cannot be read or measured
        :raises BadOptionError: a shape is not one that its input can have
        """
        ...


def is_tensorflow(path: Path) -> bool:
    """Say whether *path* is named as TensorFlow's files are: ``.pb``, or a folder; all else is ONNX."""
    return path.suffix == ".pb" or path.is_dir()
