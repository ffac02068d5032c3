"""Packing of arrays into the tensor formats of TensorRT, padding included, and back.

Source: the description of ``TensorFormat`` in NvInferRuntime.h. ``CHWv`` splits C into vectors of v that come
last; ``HWC`` moves C to the end, and ``HWCv`` pads it there to a multiple of v.
"""

import re
from typing import Any, Sequence, Tuple

import numpy

from harness.worker.errors import UnsupportedError

NUMPY_TYPES = {"fp32": numpy.float32, "fp16": numpy.float16, "int8": numpy.int8}


def physical_shape(shape: Sequence[int], layout: str) -> Tuple[int, ...]:
    """Return the shape in which a tensor of logical *shape* (N, C, ...) lies in memory.

    :raises UnsupportedError: no format of four axes is called *layout*
    """
    sizes = tuple(int(size) for size in shape)
    if layout == "LINEAR":
        return sizes
    order, vector = _parse(layout)
    if len(sizes) != 4:
        raise UnsupportedError("tensor format {}: for tensors of four axes only".format(layout))
    batch, channels, height, width = sizes
    blocks = -(-channels // vector)
    if order == "CHW":
        return (batch, blocks, height, width, vector)
    return (batch, height, width, blocks * vector)


def _parse(layout: str) -> Tuple[str, int]:
    match = re.match(r"(CHW|HWC)(\d*)\Z", layout)
    if match is None:
        raise UnsupportedError("tensor format {}: not one that this worker can fill".format(layout))
    return match.group(1), int(match.group(2) or 1)


def pack(array: Any, layout: str, kind: str, scale: float = 1.0) -> Any:
    """Return *array* (float32, N C H W) as it lies in memory: contiguous, type *kind*, padded with zeros.

    :param scale: step of the grid for ``int8``
    """
    values = array
    if kind == "int8":
        values = numpy.clip(numpy.rint(array / scale), -127, 127)
    values = values.astype(NUMPY_TYPES[kind])
    if layout == "LINEAR":
        return numpy.ascontiguousarray(values)
    order, vector = _parse(layout)
    physical_shape(array.shape, layout)  # says so where the format does not fit the tensor
    missing = -array.shape[1] % vector
    padded = numpy.pad(values, ((0, 0), (0, missing), (0, 0), (0, 0)), "constant")
    if order == "HWC":
        return numpy.ascontiguousarray(padded.transpose(0, 2, 3, 1))
    batch, channels, height, width = padded.shape
    split = padded.reshape(batch, channels // vector, vector, height, width)
    return numpy.ascontiguousarray(split.transpose(0, 1, 3, 4, 2))


def unpack(raw: Any, shape: Sequence[int], layout: str, kind: str, scale: float = 1.0) -> Any:
    """Return bytes *raw* (uint8, one axis) as a float32 array of logical *shape*, padding dropped."""
    physical = physical_shape(shape, layout)
    values = raw.view(NUMPY_TYPES[kind])[: int(numpy.prod(physical))].reshape(physical)
    if layout != "LINEAR":
        order, vector = _parse(layout)
        if order == "HWC":
            values = values.transpose(0, 3, 1, 2)
        else:
            batch, blocks, height, width, _ = physical
            values = values.transpose(0, 1, 4, 2, 3).reshape(batch, blocks * vector, height, width)
        values = values[:, : int(shape[1])]
    result = numpy.ascontiguousarray(values, dtype=numpy.float32)
    return result * numpy.float32(scale) if kind == "int8" else result


def byte_size(shape: Sequence[int], layout: str, kind: str) -> int:
    """Return bytes of a tensor in memory, padding included."""
    return int(numpy.prod(physical_shape(shape, layout))) * numpy.dtype(NUMPY_TYPES[kind]).itemsize
