"""One function for each kind of source op: adds its layers and returns the last of them."""

from typing import Any, Dict, List, Sequence, Tuple  # noqa: F401

import numpy

from harness.worker.errors import UnsupportedError
from harness.worker.package import Op

from .network import Writer
from .quantize import quantized_convolution


def convolution(writer: Writer, op: Op, tensors: List[Any]) -> Any:
    """Add a convolution: N-dimensional where known, padding before and after where they differ."""
    kernel = writer.package.weight(op, "kernel")
    bias = writer.weights(writer.package.weight(op, "bias")) if "bias" in op.weights else writer.no_weights()
    source = tensors[0]
    before, after = _pads(op)
    if before != after and not writer.features.pre_padding:
        source = _padding_layer(writer, op, source, before, after)
        before = after = (0, 0)
    outputs, size = int(kernel.shape[0]), (int(kernel.shape[2]), int(kernel.shape[3]))
    if writer.plan.strong and writer.plan.precision == "int8":
        layer = quantized_convolution(writer, op, source, kernel, bias)
    elif writer.features.convolution_nd:
        layer = writer.network.add_convolution_nd(source, outputs, size, writer.weights(kernel), bias)
    else:
        layer = writer.network.add_convolution(source, outputs, size, writer.weights(kernel), bias)
    if layer is None:
        return None
    nd = writer.features.convolution_nd
    setattr(layer, "stride_nd" if nd else "stride", tuple(op.attributes["strides"]))
    layer.num_groups = int(op.attributes.get("groups", 1))
    _set_padding(layer, before, after, nd)
    return layer


def _pads(op: Op) -> Tuple[Tuple[int, int], Tuple[int, int]]:
    top, left, bottom, right = op.attributes.get("pads", (0, 0, 0, 0))
    return (top, left), (bottom, right)


def _set_padding(layer: Any, before: Tuple[int, int], after: Tuple[int, int], nd: bool) -> None:
    if before != after:
        layer.pre_padding, layer.post_padding = before, after
    else:
        setattr(layer, "padding_nd" if nd else "padding", before)


def _padding_layer(writer: Writer, op: Op, source: Any, before: Sequence[int], after: Sequence[int]) -> Any:
    # 5.0 pads both sides alike; a layer before the convolution pads with zeros as it would.
    writer.result.cannot_express("{}: padding {} and {} as a layer".format(op.name, before, after))
    layer = writer.network.add_padding(source, tuple(before), tuple(after))
    layer.name = op.name + "/padding"
    return layer.get_output(0)


def clip(writer: Writer, op: Op, tensors: List[Any]) -> Any:
    """Add a clip, or relu(x) - relu(x - maximum) where there is none."""
    low, high = float(op.attributes["minimum"]), float(op.attributes["maximum"])
    if writer.features.clip:
        layer = writer.network.add_activation(tensors[0], writer.trt.ActivationType.CLIP)
        layer.alpha, layer.beta = low, high
        return layer
    if low != 0.0:
        raise UnsupportedError("op {}: this version clips from 0 only".format(op.name))
    writer.result.cannot_express("{}: no clip, as relu(x) - relu(x - {})".format(op.name, high))
    first = _activation(writer, tensors[0], "RELU", op.name + "/relu1")
    shifted = _shift(writer, tensors[0], -high, op.name + "/sub1", op)
    second = _activation(writer, shifted, "RELU", op.name + "/relu2")
    return writer.network.add_elementwise(first, second, writer.trt.ElementWiseOperation.SUB)


def _activation(writer: Writer, tensor: Any, kind: str, name: str) -> Any:
    layer = writer.network.add_activation(tensor, getattr(writer.trt.ActivationType, kind))
    layer.name = name
    return layer.get_output(0)


def _shift(writer: Writer, tensor: Any, value: float, name: str, op: Op) -> Any:
    layer = _shift_layer(writer, tensor, value, name, op)
    layer.name = name
    return layer.get_output(0)


def _shift_layer(writer: Writer, tensor: Any, value: float, name: str, op: Op) -> Any:
    shape = (1,) * len(writer.sample(writer.package.shapes[op.inputs[0]]))
    operand = writer.constant(name + "/value", numpy.full(shape, value), shape)
    return writer.network.add_elementwise(tensor, operand, writer.trt.ElementWiseOperation.SUM)


def shift(writer: Writer, op: Op, tensors: List[Any]) -> Any:
    """Add the sum with a constant of one element, as the graphs of TensorFlow have it."""
    return _shift_layer(writer, tensors[0], float(op.attributes["value"]), op.name, op)


def activation(kind: str) -> Any:
    """Return a writer of the activation *kind*, which takes no numbers."""

    def write(writer: Writer, op: Op, tensors: List[Any]) -> Any:
        return writer.network.add_activation(tensors[0], getattr(writer.trt.ActivationType, kind))

    return write


def elementwise(kind: str) -> Any:
    """Return a writer of the elementwise operation *kind* of two tensors of one shape."""

    def write(writer: Writer, op: Op, tensors: List[Any]) -> Any:
        operation = getattr(writer.trt.ElementWiseOperation, kind)
        return writer.network.add_elementwise(tensors[0], tensors[1], operation)

    return write


def pooling(kind: str) -> Any:
    """Return a writer of a pooling (``MAX``, ``AVERAGE``) whose padding is not counted."""

    def write(writer: Writer, op: Op, tensors: List[Any]) -> Any:
        layer = _pooling(writer, tensors[0], kind, tuple(op.attributes["kernel"]))
        nd = writer.features.pooling_nd
        setattr(layer, "stride_nd" if nd else "stride", tuple(op.attributes["strides"]))
        before, after = _pads(op)
        if before != after and not writer.features.pre_padding:
            raise UnsupportedError("op {}: this version pads a pooling on both sides alike".format(op.name))
        _set_padding(layer, before, after, nd)
        return layer

    return write


def _pooling(writer: Writer, tensor: Any, kind: str, window: Tuple[int, int]) -> Any:
    method = "add_pooling_nd" if writer.features.pooling_nd else "add_pooling"
    layer = getattr(writer.network, method)(tensor, getattr(writer.trt.PoolingType, kind), window)
    if kind == "AVERAGE":
        layer.average_count_excludes_padding = True
    return layer


def global_average_pool(writer: Writer, op: Op, tensors: List[Any]) -> Any:
    """Add an average pooling over the whole engine, as TF-slim does."""
    height, width = writer.package.shapes[op.inputs[0]][2:]
    layer = _pooling(writer, tensors[0], "AVERAGE", (height, width))
    setattr(layer, "stride_nd" if writer.features.pooling_nd else "stride", (height, width))
    return layer


def concat(writer: Writer, op: Op, tensors: List[Any]) -> Any:
    """Add a concatenation along C."""
    layer = writer.network.add_concatenation(tensors)
    layer.axis = writer.axis(1, writer.package.shapes[op.inputs[0]])
    return layer


def softmax(writer: Writer, op: Op, tensors: List[Any]) -> Any:
    """Add a softmax over C; the axis is a mask, its default differs with the rank."""
    layer = writer.network.add_softmax(tensors[0])
    layer.axes = 1 << writer.axis(1, writer.package.shapes[op.inputs[0]])
    return layer


def matmul(writer: Writer, op: Op, tensors: List[Any]) -> Any:
    """Add a product of (N, I) with a constant (I, O)."""
    matrix = writer.package.weight(op, "matrix")
    operand = writer.constant(op.name + "/matrix", matrix, matrix.shape)
    plain = writer.trt.MatrixOperation.NONE
    return writer.network.add_matrix_multiply(tensors[0], plain, operand, plain)


def add_vector(writer: Writer, op: Op, tensors: List[Any]) -> Any:
    """Add the sum of (N, O) with a constant (1, O): ranks must be equal."""
    vector = writer.package.weight(op, "vector")
    operand = writer.constant(op.name + "/vector", vector, (1, vector.size))
    return writer.network.add_elementwise(tensors[0], operand, writer.trt.ElementWiseOperation.SUM)


def transpose(writer: Writer, op: Op, tensors: List[Any]) -> Any:
    """Add a transposition, which may not move an implicit batch."""
    order = [int(axis) for axis in op.attributes["permutation"]]
    if writer.plan.implicit and order[0] != 0:
        raise UnsupportedError("op {}: an implicit batch cannot be transposed".format(op.name))
    if writer.plan.implicit and len(order) > 2:
        order = [axis - 1 for axis in order[1:]]
    layer = writer.network.add_shuffle(tensors[0])
    layer.first_transpose = writer.trt.Permutation(order)
    return layer


def reshape(writer: Writer, op: Op, tensors: List[Any]) -> Any:
    """Add a reshape to the shape that the package states for the output."""
    layer = writer.network.add_shuffle(tensors[0])
    layer.reshape_dims = writer.sample(writer.package.shapes[op.output])
    return layer


WRITERS = {
    "conv": convolution,
    "clip": clip,
    "relu": activation("RELU"),
    "sigmoid": activation("SIGMOID"),
    "add": elementwise("SUM"),
    "sub": elementwise("SUB"),
    "shift": shift,
    "global_average_pool": global_average_pool,
    "average_pool": pooling("AVERAGE"),
    "max_pool": pooling("MAX"),
    "concat": concat,
    "matmul": matmul,
    "add_vector": add_vector,
    "softmax": softmax,
    "transpose": transpose,
    "reshape": reshape,
}  # type: Dict[str, Any]
