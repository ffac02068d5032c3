"""A graph as an ONNX model, for every opset from 7 to 20.

Nodes are called like ops and tensors like the graph's tensors, so that what a runtime reports can be
traced back. Opset and IR versions belong together as in ONNX's releases
(https://github.com/onnx/onnx/blob/main/docs/Versioning.md).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from harness.errors import UnsupportedOpError
from harness.networks.graph import Graph, OpKind, SourceOp

IR_VERSIONS = {
    7: 3,
    8: 3,
    9: 4,
    10: 5,
    11: 6,
    **dict.fromkeys((12, 13, 14), 7),
    **dict.fromkeys((15, 16, 17, 18), 8),
    **dict.fromkeys((19, 20), 9),
}
"""Opset to the IR version of the ONNX release that brought it."""

_CLIP_LIMITS_ARE_INPUTS = 11
_SOFTMAX_TAKES_ONE_AXIS = 13
_INITIALIZERS_NEED_NO_INPUT = 4  # an IR version


class _Export:
    """Collects nodes and initializers of one model."""

    def __init__(self, graph: Graph, opset: int) -> None:
        self.graph, self.opset = graph, opset
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: list[onnx.TensorProto] = []
        self._named: set[str] = set()

    def constant(self, name: str, array: np.ndarray) -> str:
        """Add an initializer once and return its name."""
        if name not in self._named:
            self._named.add(name)
            self.initializers.append(numpy_helper.from_array(array, name))
        return name

    def node(self, op: SourceOp, op_type: str, *constants: str, **attributes: object) -> None:
        """Add the node of *op*."""
        inputs = [*op.inputs, *constants]
        node = helper.make_node(op_type, inputs, [op.output], name=op.name)
        node.attribute.extend(helper.make_attribute(key, value) for key, value in sorted(attributes.items()))
        self.nodes.append(node)

    def weights(self, op: SourceOp, *roles: str) -> list[str]:
        """Add the weights of *op* in *roles* that it has."""
        keys = [op.weights[role] for role in roles if role in op.weights]
        return [self.constant(key, self.graph.weights[key]) for key in keys]

    def scalar(self, op: SourceOp, attribute: str, rank: int = 0) -> str:
        """Add the scalar *attribute* of *op* as a constant with *rank* axes of length 1."""
        value = np.full((1,) * rank, cast("float", op.attributes[attribute]), np.float32)
        return self.constant(f"{op.name}/{attribute}", value)


def _conv(out: _Export, op: SourceOp) -> None:
    out.node(
        op,
        "Conv",
        *out.weights(op, "kernel", "bias"),
        kernel_shape=op.attributes["kernel"],
        strides=op.attributes["strides"],
        pads=op.attributes["pads"],
        dilations=op.attributes.get("dilations", [1, 1]),
        group=op.attributes.get("groups", 1),
    )


def _clip(out: _Export, op: SourceOp) -> None:
    if out.opset < _CLIP_LIMITS_ARE_INPUTS:
        out.node(op, "Clip", min=op.attributes["minimum"], max=op.attributes["maximum"])
    else:
        out.node(op, "Clip", out.scalar(op, "minimum"), out.scalar(op, "maximum"))


def _shift(out: _Export, op: SourceOp) -> None:
    # Axes of length 1 rather than rank 0: the parsers of TensorRT 5 to 7 want operands of one rank.
    out.node(op, "Add", out.scalar(op, "value", rank=len(out.graph.shapes[op.output])))


def _pool(op_type: str, **fixed: object) -> Callable[[_Export, SourceOp], None]:
    def add(out: _Export, op: SourceOp) -> None:
        shape = {key: op.attributes[key] for key in ("strides", "pads")}
        out.node(op, op_type, kernel_shape=op.attributes["kernel"], **shape, **fixed)

    return add


def _softmax(out: _Export, op: SourceOp) -> None:
    if out.opset < _SOFTMAX_TAKES_ONE_AXIS and any(n != 1 for n in out.graph.shapes[op.output][2:]):
        raise UnsupportedOpError(
            f"op '{op.name}': a softmax over one of several axes needs opset 13, not {out.opset}"
        )
    out.node(op, "Softmax", axis=1)


def _reshape(out: _Export, op: SourceOp) -> None:
    shape = np.array(op.attributes["shape"], np.int64)
    out.node(op, "Reshape", out.constant(f"{op.name}/shape", shape))


def _plain(op_type: str, *roles: str, **fixed: object) -> Callable[[_Export, SourceOp], None]:
    return lambda out, op: out.node(op, op_type, *out.weights(op, *roles), **fixed)


_EXPORTERS: dict[OpKind, Callable[[_Export, SourceOp], None]] = {
    OpKind.CONV: _conv,
    OpKind.CLIP: _clip,
    OpKind.RELU: _plain("Relu"),
    OpKind.ADD: _plain("Add"),
    OpKind.SUB: _plain("Sub"),
    OpKind.SHIFT: _shift,
    OpKind.GLOBAL_AVERAGE_POOL: _plain("GlobalAveragePool"),
    OpKind.AVERAGE_POOL: _pool("AveragePool", count_include_pad=0),
    OpKind.MAX_POOL: _pool("MaxPool"),
    OpKind.CONCAT: _plain("Concat", axis=1),
    OpKind.MATMUL: _plain("MatMul", "matrix"),
    OpKind.ADD_VECTOR: _plain("Add", "vector"),
    OpKind.SIGMOID: _plain("Sigmoid"),
    OpKind.SOFTMAX: _softmax,
    OpKind.TRANSPOSE: lambda out, op: out.node(op, "Transpose", perm=op.attributes["permutation"]),
    OpKind.RESHAPE: _reshape,
}


def _value(graph: Graph, tensor: str) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(tensor, TensorProto.FLOAT, list(graph.shapes[tensor]))


def to_onnx(graph: Graph, opset: int = 13) -> onnx.ModelProto:
    """Return *graph* as an ONNX model of *opset* with the batch fixed; the same graph gives the same bytes.

    The digest stands in the model's metadata under ``trtmatrix.digest``.

    :raises UsageError: opset outside of 7 to 20, or an op that this opset or this export cannot express
    """
    if opset not in IR_VERSIONS:
        raise UnsupportedOpError(f"no ONNX export for opset {opset}; use 7 to 20")
    out = _Export(graph, opset)
    for op in graph.ops:
        exporter = _EXPORTERS.get(op.kind)
        if exporter is None:
            what = op.attributes.get("op_type", op.kind.value)
            raise UnsupportedOpError(
                f"op '{op.name}' ({what}) cannot be exported; give runtimes its own ONNX file"
            )
        exporter(out, op)
    inputs = [_value(graph, name) for name in graph.inputs]
    ir_version = IR_VERSIONS[opset]
    if ir_version < _INITIALIZERS_NEED_NO_INPUT:
        inputs += [helper.make_tensor_value_info(t.name, t.data_type, list(t.dims)) for t in out.initializers]
    body = helper.make_graph(
        out.nodes, graph.name, inputs, [_value(graph, name) for name in graph.outputs], out.initializers
    )
    model: onnx.ModelProto = helper.make_model(
        body,
        producer_name="trtmatrix",
        ir_version=ir_version,
        opset_imports=[helper.make_opsetid("", opset)],
    )
    helper.set_model_props(model, {"trtmatrix.digest": graph.digest})
    return model
