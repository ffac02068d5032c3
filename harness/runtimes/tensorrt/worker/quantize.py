"""INT8: the ranges of tensors, as dynamic ranges where a version takes them, else as Q/DQ pairs."""

from typing import Any, Dict

import numpy

from harness.worker.errors import UnsupportedError
from harness.worker.package import Op
from harness.worker.result import Result

LARGEST = 127.0


def scale_of(ranges: Dict[str, float], tensor: str) -> float:
    """Return the step of the symmetric 8-bit grid of *tensor*."""
    return max(ranges[tensor], 1e-6) / LARGEST


def set_dynamic_ranges(network: Any, ranges: Dict[str, float], result: Result) -> None:
    """Give every tensor of a weakly typed *network* its fixed range; one without is counted and said.

    A constant gets the range of its values' magnitude through its consumers: TensorRT needs a range on
    every tensor that an INT8 layer reads, so an unknown one takes that of its layer's first input.
    """
    missing = 0
    for index in range(network.num_inputs):
        _set(network.get_input(index), ranges)
    for index in range(network.num_layers):
        layer = network.get_layer(index)
        for number in range(layer.num_outputs):
            if not _set(layer.get_output(number), ranges):
                missing += 1
    result.fact("int8_tensors_without_range", missing)


def _set(tensor: Any, ranges: Dict[str, float]) -> bool:
    value = ranges.get(tensor.name)
    if value is None:
        return False
    limit = max(value, 1e-6)
    if hasattr(tensor, "set_dynamic_range"):
        tensor.set_dynamic_range(-limit, limit)
    else:
        tensor.dynamic_range = (-limit, limit)
    return True


def quantized_convolution(writer: Any, op: Op, source: Any, kernel: Any, bias: Any) -> Any:
    """Add a convolution between Q/DQ pairs: one scale for the data, one a filter for the weights.

    The kernel comes as a tensor, which takes the place of input 1 of a layer with empty weights.
    """
    if not writer.features.quantize_typed:
        raise UnsupportedError("Q/DQ with output types: this version has none")
    data = _pair(
        writer, op.name + "/input", source, numpy.float32(scale_of(writer.ranges, op.inputs[0])), None
    )
    steps = numpy.maximum(numpy.abs(kernel).reshape(kernel.shape[0], -1).max(axis=1), 1e-6) / LARGEST
    constant = writer.constant(op.name + "/kernel", kernel, kernel.shape)
    weights = _pair(writer, op.name + "/kernel", constant, steps.astype(numpy.float32), 0)
    size = (int(kernel.shape[2]), int(kernel.shape[3]))
    layer = writer.network.add_convolution_nd(data, int(kernel.shape[0]), size, writer.trt.Weights(), bias)
    layer.set_input(1, weights)
    return layer


def _pair(writer: Any, name: str, tensor: Any, scale: Any, axis: Any) -> Any:
    shape = () if axis is None else scale.shape
    step = writer.constant(name + "/scale", scale, shape)
    quantize = writer.network.add_quantize(tensor, step, writer.trt.int8)
    quantize.name = name + "/quantize"
    dequantize = writer.network.add_dequantize(quantize.get_output(0), step, writer.trt.float32)
    dequantize.name = name + "/dequantize"
    if axis is not None:
        quantize.axis = dequantize.axis = axis
    return dequantize.get_output(0)
