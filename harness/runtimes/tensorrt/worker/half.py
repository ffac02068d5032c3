"""A parsed FP32 network turned into FP16 in place, for versions whose types lie in the graph.

What a parser leaves behind is FP32 throughout, as the file is. Weights become FP16, and casts at both ends
keep inputs and outputs FP32: the same network that the network-definition API is given in FP16.
"""

from typing import Any, List

import numpy

from harness.worker.errors import UnsupportedError

from .features import Features

# Layers without weights, whose type is that of their inputs.
_TYPELESS = (
    "ACTIVATION",
    "ELEMENTWISE",
    "POOLING",
    "REDUCE",
    "CONCATENATION",
    "SHUFFLE",
    "SOFTMAX",
    "MATRIX_MULTIPLY",
    "UNARY",
)


def to_half(trt: Any, features: Features, network: Any) -> List[Any]:
    """Turn *network* into FP16 and return the arrays that must live until the build is over.

    :raises UnsupportedError: a layer with weights other than convolutions and constants, or no cast layer
    """
    if not features.cast:
        raise UnsupportedError("strong typing needs a cast layer, which this version lacks")
    kept = []  # type: List[Any]
    layers = [network.get_layer(index) for index in range(network.num_layers)]
    for layer in layers:
        _weights(trt, layer, kept)
    for index in range(network.num_inputs):
        _cast_input(trt, network, network.get_input(index), layers)
    outputs = [network.get_output(index) for index in range(network.num_outputs)]
    for tensor in outputs:
        name = tensor.name
        network.unmark_output(tensor)
        tensor.name = name + "/uncast"
        cast = network.add_cast(tensor, trt.float32)
        cast.name = name + "/cast"
        cast.get_output(0).name = name
        network.mark_output(cast.get_output(0))
    return kept


def _weights(trt: Any, layer: Any, kept: List[Any]) -> None:
    if layer.type == trt.LayerType.CONVOLUTION:
        layer.__class__ = trt.IConvolutionLayer  # the parser's network hands out the base class
        names = ["kernel", "bias"]
    elif layer.type == trt.LayerType.CONSTANT:
        layer.__class__ = trt.IConstantLayer
        names = ["weights"]
    elif any(layer.type == getattr(trt.LayerType, name, None) for name in _TYPELESS):
        return
    else:
        raise UnsupportedError("layer {}: {} is not turned into FP16 here".format(layer.name, layer.type))
    for name in names:
        values = getattr(layer, name)
        if values is not None and not (hasattr(values, "nbytes") and values.nbytes == 0):
            held = numpy.ascontiguousarray(_array(values), dtype=numpy.float16)
            kept.append(held)
            setattr(layer, name, trt.Weights(held))


def _array(values: Any) -> Any:
    # Read back as an array, or as Weights in newer versions.
    return values.numpy() if hasattr(values, "numpy") else numpy.asarray(values)


def _cast_input(trt: Any, network: Any, tensor: Any, layers: List[Any]) -> None:
    cast = network.add_cast(tensor, trt.float16)
    cast.name = tensor.name + "/cast"
    for layer in layers:
        for index in range(layer.num_inputs):
            read = layer.get_input(index)
            if read is not None and read.name == tensor.name:
                layer.set_input(index, cast.get_output(0))
