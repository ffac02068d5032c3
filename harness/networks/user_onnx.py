"""A user's own ONNX file as a network family.

The file itself is what runtimes get (``Graph.meta["onnx"]``); the graph made of it serves attribution,
accounting and the reference. A node becomes the source op that means the same, and keeps its name (its first
output's where it has none); nodes that have no kind here are counted in ``Graph.meta["other"]``. A Gemm
becomes a product and a sum, ``NAME`` and ``NAME/bias``. The batch is axis 0 of every input.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper

from harness.errors import NetworkTreatmentError, OnnxModelError
from harness.networks.digest import with_digest
from harness.networks.foreign import ForeignOps
from harness.networks.graph import FloatArray, Graph, OpKind, SourceOp
from harness.networks.input_shapes import Shapes, input_shapes
from harness.networks.onnx_model import Model, load, prepare
from harness.networks.onnx_nodes import Node
from harness.networks.onnx_readers import source_ops
from harness.networks.user_file import FileFamily


class OnnxFamily(FileFamily):
    """One ONNX file."""

    @property
    def description(self) -> str:
        """One line for ``list networks``."""
        return f"ONNX file {self._path.name}"

    @property
    def inputs(self) -> Mapping[str, Sequence[int | str]]:
        """What the file says of each input's shape (:func:`~harness.networks.input_shapes.input_shapes`)."""
        return input_shapes(self._loaded)

    @cached_property
    def _loaded(self) -> onnx.ModelProto:
        return load(self._path)

    def _read(self, batch: int) -> Graph:
        model = prepare(self._path, self._loaded, batch, self._name, self._shapes)
        return _graph(self._name, model)


def onnx_family(name: str, path: Path, shapes: Shapes | None = None) -> OnnxFamily:
    """Return the network family *name* for the ONNX file at *path*, open axes of its inputs from *shapes*."""
    return OnnxFamily(name, path, shapes)


def _graph(name: str, model: Model) -> Graph:
    ops: list[SourceOp] = []
    weights: dict[str, FloatArray] = {}
    shapes = {tensor: model.shapes[tensor] for tensor in model.inputs}
    nodes: dict[str, onnx.NodeProto] = {}
    names = _unique_names(model)
    for proto, op_name in zip(model.nodes, names, strict=True):
        for tensor in proto.output[:1]:
            if tensor not in model.shapes:
                raise OnnxModelError(
                    model.path, f"the shape of '{tensor}' (node '{op_name}', {proto.op_type}) stays unknown"
                )
        node = Node(model, proto, op_name)
        made = source_ops(node)
        ops += made
        weights.update(node.weights)
        shapes.update(node.shapes)
        shapes.update({op.output: model.shapes[op.output] for op in made if op.output in model.shapes})
        nodes.update({op.name: proto for op in made if op.kind is OpKind.OTHER})
    others = Counter(proto.op_type for proto in {id(p): p for p in nodes.values()}.values())
    graph = Graph(
        name=name,
        relu6=relu6_form(ops),
        batch=model.shapes[model.inputs[0]][0],
        inputs=model.inputs,
        outputs=model.outputs,
        ops=tuple(ops),
        shapes=shapes,
        weights=weights,
        meta={
            "onnx": str(model.path),
            "opset": model.opset,
            "other": dict(sorted(others.items())),
            "foreign": ForeignOps(model, nodes),
            "proto": model.proto,
            "model": model,
        },
    )
    return with_digest(graph)


def _unique_names(model: Model) -> list[str]:
    count = Counter(node.name for node in model.nodes)
    return [node.name if node.name and count[node.name] == 1 else node.output[0] for node in model.nodes]


def relu6_form(ops: list[SourceOp]) -> str:
    """Return ``relu_sub`` where *ops* hold ``relu(x) - relu(x - 6)``, else ``clip`` (without ReLU6, too)."""
    makers = {op.output: op for op in ops}
    for op in ops:
        if op.kind is OpKind.SUB:
            first, second = (makers.get(tensor) for tensor in op.inputs)
            if first and second and first.kind is OpKind.RELU and second.kind is OpKind.RELU:
                shift = makers.get(second.inputs[0])
                if (
                    shift is not None
                    and shift.kind is OpKind.SHIFT
                    and np.isclose(float(str(shift.attributes["value"])), -6.0)
                    and shift.inputs == first.inputs
                ):
                    return "relu_sub"
    return "clip"


def folded_onnx(graph: Graph) -> onnx.ModelProto:
    """Return the file behind *graph* with its batch set, and without what depends on no input.

    :raises UsageError: the graph does not come from an ONNX file
    """
    model = graph.meta.get("model")
    if not isinstance(model, Model):
        raise NetworkTreatmentError(f"network '{graph.name}' does not come from an ONNX file")
    read = {name for node in model.nodes for name in node.input if name}
    folded = onnx.ModelProto()
    folded.CopyFrom(model.proto)
    for kept in (folded.graph.node, folded.graph.initializer, folded.graph.sparse_initializer):
        del kept[:]
    inputs = [value for value in model.proto.graph.input if value.name in model.inputs]
    del folded.graph.input[:]
    folded.graph.input.extend(inputs)
    folded.graph.node.extend(model.nodes)
    folded.graph.initializer.extend(
        numpy_helper.from_array(array, name) for name, array in model.constants.items() if name in read
    )
    return folded


def write_own_onnx(graph: Graph, path: Path) -> Path:
    """Write the file behind *graph* with its batch set and all weights inside, and return *path*.

    For runtimes that take no symbolic batch, and for files with external weights, which a plain copy loses.

    :raises UsageError: the graph does not come from an ONNX file
    """
    proto = graph.meta.get("proto")
    if not isinstance(proto, onnx.ModelProto):
        raise NetworkTreatmentError(f"network '{graph.name}' does not come from an ONNX file")
    path.write_bytes(proto.SerializeToString(deterministic=True))
    return path
