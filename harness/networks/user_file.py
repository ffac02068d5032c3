"""A network family that is one file of the user's own, whatever its format: measured as it is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path

from harness.errors import NetworkTreatmentError
from harness.networks.graph import Graph
from harness.networks.input_shapes import Shapes, check_shape


class FileFamily(ABC):
    """One file; it is read at first use, once for each batch.

    :param name: of the network; :param path: of the file or folder
    :param shapes: sizes of inputs whose axes the file leaves open; names of other files' inputs may be there
    """

    def __init__(self, name: str, path: Path, shapes: Shapes | None = None) -> None:
        self._name, self._path, self._shapes = name, path, shapes or {}
        self._made: dict[int, Graph] = {}

    @property
    def name(self) -> str:
        """Name that the matrix gave it."""
        return self._name

    @property
    def file(self) -> str:
        """Name of the file or folder, without what it lies in."""
        return self._path.name

    @property
    @abstractmethod
    def inputs(self) -> Mapping[str, Sequence[int | str]]:
        """What the file says of each input's shape; a text stands for an open axis."""

    def check(self) -> None:
        """Read the file now.

        :raises InputError: it cannot be read or is no valid model
        :raises BadOptionError: a shape is not one that its input can have
        """
        for name, said in self.inputs.items():
            if name in self._shapes:
                check_shape(name, self._shapes[name], said, self._path.name)

    def graph(self, batch: int = 1, relu6: str = "clip") -> Graph:
        """Return the graph of the file at *batch*.

        :raises InputError: the file cannot be read, is no valid model, or a shape stays unknown
        :raises UsageError: the file fixes another batch, or has the other ReLU6 form
        """
        if batch < 1:
            raise NetworkTreatmentError(
                f"network '{self._name}': a batch of {batch} is not possible; use 1 or more"
            )
        graph = self._at(batch)
        if relu6 != graph.relu6:
            raise NetworkTreatmentError(
                f"network '{self._name}': the file has ReLU6 as {graph.relu6}, {relu6} was asked for;"
                " a user's network is measured as it is"
            )
        return graph

    def _at(self, batch: int) -> Graph:
        if batch not in self._made:
            self._made[batch] = self._read(batch)
        return self._made[batch]

    @abstractmethod
    def _read(self, batch: int) -> Graph:
        """Return the graph of the file, made anew."""
