"""A user's own frozen GraphDef or SavedModel as a network family.

Its nodes become source ops of the same names, so that every runtime is given the same network. A bias and a
batch norm go into the convolution before them, as in the networks that are built in. Images are (N, C, H, W)
as everywhere here, however they lie in the file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from harness.errors import NetworkTreatmentError, TensorflowModelError
from harness.networks.digest import with_digest
from harness.networks.graph import Graph
from harness.networks.graphdef import FLOAT, attribute, load
from harness.networks.graphdef_nodes import IMAGE_OPS, PASSED_ON, Made, Order, Tensor, data, laid_last
from harness.networks.graphdef_readers import read_node
from harness.networks.graphdef_reading import Value
from harness.networks.input_shapes import Shapes, printed
from harness.networks.user_file import FileFamily
from harness.networks.user_onnx import relu6_form


class TensorflowFamily(FileFamily):
    """One GraphDef or SavedModel.

    :param outputs: nodes, where the file's own are not meant; the rest as of any file
    """

    def __init__(
        self, name: str, path: Path, shapes: Shapes | None = None, outputs: Sequence[str] = ()
    ) -> None:
        super().__init__(name, path, shapes)
        self._outputs = tuple(outputs)

    @property
    def description(self) -> str:
        """One line for ``list networks``."""
        return f"TensorFlow graph {self._path.name}"

    @property
    def inputs(self) -> Mapping[str, Sequence[int | str]]:
        """What the file says of each input's shape; ``?`` is open."""
        return {node.name: self._said(node) for node in self._order.inputs}

    def check(self) -> None:
        """Read the file now, and make its graph at a batch that it can have.

        :raises InputError: it cannot be read, is no frozen graph, or an input cannot be fed
        :raises BadOptionError: a shape is not one that its input can have
        """
        if not self.inputs:
            raise TensorflowModelError(self._path, "no input is found: no output depends on a Placeholder")
        super().check()
        fixed = [said[0] for said in self.inputs.values() if said and isinstance(said[0], int)]
        self._at(int(fixed[0]) if fixed else 1)

    @cached_property
    def _order(self) -> Order:
        return Order(load(self._path), self._outputs)

    @staticmethod
    def _said(node: Any) -> tuple[int | str, ...]:
        shape = attribute(node, "shape").shape
        return tuple(dim.size if dim.size > 0 else "?" for dim in shape.dim)

    def _read(self, batch: int) -> Graph:
        order = self._order
        first = next((node for node in order.sorted if node.op in IMAGE_OPS), None)
        last = first is None or laid_last(first)
        made = Made(self._path)
        values: dict[str, Value] = {}
        for node in order.inputs:
            shape = self._sizes(node, batch)
            image = len(shape) == 4 and last
            values[node.name] = Tensor(node.name, shape, image)
            made.shapes[node.name] = (shape[0], shape[3], *shape[1:3]) if image else shape
        for node in order.sorted:
            if node.op in PASSED_ON and data(node):
                values[node.name] = values[order.source(node.name)]
            elif node.name not in values:
                value = values[node.name] = read_node(made, node, values)
                if isinstance(value, Tensor) and order.reads[node.name] > 1:
                    made.shared.add(value.name)
        graph = Graph(
            name=self._name,
            relu6=relu6_form(list(made.ops.values())),
            batch=batch,
            inputs=tuple(node.name for node in order.inputs),
            outputs=tuple(self._output(made, name, values[name]) for name in order.outputs),
            ops=tuple(made.ops.values()),
            shapes=made.shapes,
            weights=made.weights,
            meta={"tensorflow": str(self._path)},
        )
        return with_digest(graph)

    def _output(self, made: Made, node: str, value: Value) -> str:
        if not isinstance(value, Tensor) or value.name not in made.ops or value.pads is not None:
            raise TensorflowModelError(self._path, f"the output '{node}' is not computed from any input")
        return value.name

    def _sizes(self, node: Any, batch: int) -> tuple[int, ...]:
        """Return the shape of the input *node* at *batch*."""
        name, said = node.name, self._said(node)
        kind = attribute(node, "dtype").type
        if kind != FLOAT:
            raise TensorflowModelError(
                self._path,
                f"the input '{name}' is of TensorFlow's type {kind}, expected float32 ({FLOAT});"
                " its precision is set by the treatment",
            )
        if not said:
            raise TensorflowModelError(
                self._path, f"the input '{name}' has no shape, expected one with the batch first"
            )
        sizes = list(self._shapes.get(name, said))
        if sizes[0] == "?":
            sizes[0] = batch
        if sizes[0] != batch:
            fixed = f"--shape gives '{name}'" if name in self._shapes else "the file fixes"
            raise NetworkTreatmentError(
                f"network '{self._name}': {fixed} a batch of {sizes[0]}, {batch} was asked for;"
                " leave the first axis open, or ask for that batch"
            )
        if "?" in sizes:
            form = printed([size if size != "?" else "SIZE" for size in sizes])
            raise TensorflowModelError(
                self._path,
                f"axis {sizes.index('?')} of the input '{name}' has no size; only the batch may vary:"
                f" give it with --shape {name}={form}",
            )
        return tuple(int(size) for size in sizes)


def tensorflow_family(
    name: str, path: Path, shapes: Shapes | None = None, outputs: Sequence[str] = ()
) -> TensorflowFamily:
    """Return the network family *name* for the GraphDef or SavedModel at *path*."""
    return TensorflowFamily(name, path, shapes, outputs)
