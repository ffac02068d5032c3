"""A user's ONNX file, loaded, given its batch, and reduced to nodes that compute something.

Nothing here knows of networks: the result is plain nodes, constants and shapes, with what depends on no
input folded away (shape arithmetic of exporters, dequantized weights), so that it is not mistaken for work.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from google.protobuf.message import DecodeError  # type: ignore[import-untyped,unused-ignore]
from numpy.typing import NDArray
from onnx import TensorProto, helper, inliner, numpy_helper, shape_inference
from onnx.reference import ReferenceEvaluator

from harness.errors import NetworkTreatmentError, OnnxModelError, UnreadableFileError, WrongFormatError
from harness.networks.input_shapes import Shapes, printed

Constant = NDArray[Any]

_SINCE = {"QuantizeLinear": 19, "DequantizeLinear": 19, "BatchNormalization": 15}
"""Ops of which ONNX's evaluator has no older version, or one that trains; the newer ones compute the same."""

_TRAINING = {"BatchNormalization": ("training_mode", "momentum", "is_test", "consumed_inputs")}
"""Attributes that say nothing of an inference."""


@dataclass(frozen=True)
class Model:
    """What is left of an ONNX file for one batch.

    :param proto: the model with its batch set, weights inside
    :param inputs, outputs: tensor names; :param nodes: in execution order, without what was folded
    :param constants: tensor name to array; :param shapes: tensor name to shape
    """

    path: Path
    proto: onnx.ModelProto
    opset: int
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    nodes: tuple[onnx.NodeProto, ...]
    constants: Mapping[str, Constant]
    shapes: Mapping[str, tuple[int, ...]]


def load(path: Path) -> onnx.ModelProto:
    """Read the ONNX file at *path*, external weights included, and check it.

    :raises InputError: it cannot be read or is no valid model
    """
    try:
        model = onnx.load(path)
    except OSError as error:
        raise UnreadableFileError(path, f"cannot be read: {error.strerror or _line(error)}") from None
    except (DecodeError, ValueError, onnx.checker.ValidationError) as error:
        raise WrongFormatError(path, f"not an ONNX file: {_line(error)}") from None
    try:
        onnx.checker.check_model(model)
    except (onnx.checker.ValidationError, ValueError) as error:
        raise WrongFormatError(path, f"not a valid ONNX model: {_line(error)}") from None
    return inliner.inline_local_functions(model) if model.functions else model


def prepare(
    path: Path, model: onnx.ModelProto, batch: int, name: str, input_sizes: Shapes | None = None
) -> Model:
    """Return *model* for *batch*.

    :param name: of the network, for messages; :param input_sizes: for axes that the file leaves open
    :raises InputError: an input or a tensor has no usable type or shape, or a node holds a subgraph
    :raises UsageError: the file fixes another batch
    """
    proto = onnx.ModelProto()
    proto.CopyFrom(model)
    initializers = {tensor.name for tensor in proto.graph.initializer}
    inputs = [value for value in proto.graph.input if value.name not in initializers]
    if not inputs or not proto.graph.output:
        raise OnnxModelError(path, "the model has no input or no output")
    for value in inputs:
        _set_batch(path, value, batch, name)
        _set_sizes(path, value, name, (input_sizes or {}).get(value.name))
    for node in proto.graph.node:
        _as_inference(proto, node)
    # Shapes written for another batch would contradict what is inferred from the new one.
    del proto.graph.value_info[:]
    for value in proto.graph.output:
        value.type.tensor_type.ClearField("shape")
    inferred = _infer(path, proto)
    for value, known in zip(proto.graph.output, inferred.graph.output, strict=True):
        value.CopyFrom(known)
    nodes, constants, shapes = _folded(path, inferred)
    outputs = tuple(value.name for value in proto.graph.output)
    for output in outputs:
        if output in constants:
            raise OnnxModelError(path, f"the output '{output}' does not depend on any input")
        if shapes.get(output, (batch,))[:1] != (batch,):
            raise NetworkTreatmentError(
                f"network '{name}': the output '{output}' has shape {shapes[output]} at batch {batch};"
                " the file does not carry the batch through, use the batch that it was exported with"
            )
    opset = next((entry.version for entry in proto.opset_import if entry.domain in ("", "ai.onnx")), 1)
    names = tuple(value.name for value in inputs)
    return Model(path, proto, opset, names, outputs, nodes, constants, shapes)


def _line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__


def _set_batch(path: Path, value: onnx.ValueInfoProto, batch: int, name: str) -> None:
    tensor = value.type.tensor_type
    if tensor.elem_type != TensorProto.FLOAT:
        what = TensorProto.DataType.Name(tensor.elem_type)
        raise OnnxModelError(
            path,
            f"the input '{value.name}' is of type {what}, expected FLOAT; export the network in FP32, its "
            "precision is set by the treatment",
        )
    axes = tensor.shape.dim
    if not axes:
        raise OnnxModelError(
            path, f"the input '{value.name}' has no shape, expected one with the batch first"
        )
    if axes[0].dim_value > 0 and axes[0].dim_value != batch:  # 0 and -1 are how exporters leave it open
        raise NetworkTreatmentError(
            f"network '{name}': the file fixes the batch at {axes[0].dim_value}, {batch} was asked for;"
            " export it with a symbolic batch, or ask for that batch"
        )
    axes[0].dim_value = batch


def _set_sizes(path: Path, value: onnx.ValueInfoProto, name: str, sizes: tuple[int, ...] | None) -> None:
    axes = value.type.tensor_type.shape.dim
    if sizes is not None:
        if sizes[0] != axes[0].dim_value:
            raise NetworkTreatmentError(
                f"network '{name}': --shape gives '{value.name}' a batch of {sizes[0]}, {axes[0].dim_value} "
                "was asked for; the treatment sets the batch"
            )
        for axis, size in zip(axes, sizes, strict=True):
            axis.dim_value = size
    for number, axis in enumerate(axes):
        if axis.dim_value < 1:
            symbol = f" ('{axis.dim_param}')" if axis.dim_param else ""
            form = printed([each.dim_value if each.dim_value > 0 else "SIZE" for each in axes])
            raise OnnxModelError(
                path,
                f"axis {number}{symbol} of the input '{value.name}' has no size; only the batch may vary: "
                f"give it with --shape {value.name}={form}",
            )


def _as_inference(proto: onnx.ModelProto, node: onnx.NodeProto) -> None:
    """Take out of *node* what a training left: the mode, statistics and masks that nobody reads.

    A BatchNormalization uses its running mean and variance, a Dropout passes its input on.
    """
    if node.domain not in ("", "ai.onnx") or node.op_type not in ("BatchNormalization", "Dropout"):
        return
    read = {name for other in proto.graph.node for name in other.input}
    read |= {value.name for value in proto.graph.output}
    while len(node.output) > 1 and node.output[-1] not in read:
        node.output.pop()
    spatial = any(entry.name == "spatial" and entry.i == 0 for entry in node.attribute)
    gone = (*_TRAINING.get(node.op_type, ()), *(() if spatial else ("spatial",)))
    kept = [entry for entry in node.attribute if entry.name not in gone]
    del node.attribute[:]
    node.attribute.extend(kept)
    if node.op_type == "Dropout" and len(node.input) > 2:
        del node.input[2:]  # training_mode: without it, no


def _infer(path: Path, proto: onnx.ModelProto) -> onnx.ModelProto:
    try:
        return shape_inference.infer_shapes(proto, strict_mode=True, data_prop=True)
    except (shape_inference.InferenceError, ValueError) as error:
        raise OnnxModelError(path, f"shapes cannot be inferred: {_line(error)}") from None


def _shapes(model: onnx.ModelProto) -> dict[str, tuple[int, ...]]:
    found: dict[str, tuple[int, ...]] = {}
    for value in (*model.graph.input, *model.graph.value_info, *model.graph.output):
        tensor = value.type.tensor_type
        if tensor.HasField("shape") and all(axis.dim_value > 0 for axis in tensor.shape.dim):
            found[value.name] = tuple(axis.dim_value for axis in tensor.shape.dim)
    return found


def _folded(
    path: Path, inferred: onnx.ModelProto
) -> tuple[tuple[onnx.NodeProto, ...], dict[str, Constant], dict[str, tuple[int, ...]]]:
    """Fold and infer in turn: a folded reshape target gives a shape, and a shape may be asked for again."""
    shapes = _shapes(inferred)
    while True:
        nodes, constants = _fold(path, inferred, shapes)
        if len(nodes) == len(inferred.graph.node):
            return nodes, constants, shapes
        read = {tensor for node in nodes for tensor in node.input}
        smaller = onnx.ModelProto()
        smaller.CopyFrom(inferred)
        for kept in (smaller.graph.node, smaller.graph.initializer):
            del kept[:]
        smaller.graph.node.extend(nodes)
        smaller.graph.initializer.extend(
            numpy_helper.from_array(array, name) for name, array in constants.items() if name in read
        )
        outputs = {value.name for value in smaller.graph.output}
        if outputs & set(constants):
            return nodes, constants, shapes  # refused by the caller
        inferred = _infer(path, smaller)
        shapes = _shapes(inferred)


def _fold(
    path: Path, model: onnx.ModelProto, shapes: dict[str, tuple[int, ...]]
) -> tuple[tuple[onnx.NodeProto, ...], dict[str, Constant]]:
    constants: dict[str, Constant] = {t.name: numpy_helper.to_array(t) for t in model.graph.initializer}
    nodes: list[onnx.NodeProto] = []
    for node in model.graph.node:
        if any(attribute.type == onnx.AttributeProto.GRAPH for attribute in node.attribute):
            raise OnnxModelError(path, f"the node '{node.name}' ({node.op_type}) holds a graph of its own")
        if node.op_type.startswith("Random") or node.op_type in ("Bernoulli", "Multinomial"):
            raise OnnxModelError(path, f"the node '{node.name}' ({node.op_type}) draws random numbers")
        read = [tensor for tensor in node.input if tensor]
        if node.op_type == "Shape" and node.input[0] in shapes:
            operands = {node.input[0]: np.empty(shapes[node.input[0]], np.int8)}
        elif all(tensor in constants for tensor in read):
            operands = {tensor: constants[tensor] for tensor in read}
        else:
            nodes.append(node)
            continue
        try:
            written = [tensor for tensor in node.output if tensor]
            constants.update(zip(written, run_node(model, node, operands), strict=True))
        except (NotImplementedError, RuntimeError) as error:
            raise OnnxModelError(path, f"the node '{node.name}' cannot be folded: {_line(error)}") from None
    return tuple(nodes), constants


def run_node(
    model: onnx.ModelProto, node: onnx.NodeProto, operands: Mapping[str, Constant]
) -> list[Constant]:
    """Compute one *node* of *model* with ONNX's own evaluator and return its outputs in order."""
    inputs = [
        helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(array.dtype), array.shape)
        for name, array in operands.items()
    ]
    outputs = [helper.make_value_info(name, onnx.TypeProto()) for name in node.output if name]
    single = helper.make_graph([node], "node", inputs, outputs)
    opsets = list(model.opset_import)
    if node.op_type in _SINCE and node.domain in ("", "ai.onnx"):
        opsets = [helper.make_opsetid("", _SINCE[node.op_type])]
    lonely = helper.make_model(single, opset_imports=opsets, ir_version=model.ir_version)
    return [np.asarray(array) for array in ReferenceEvaluator(lonely).run(None, dict(operands))]
