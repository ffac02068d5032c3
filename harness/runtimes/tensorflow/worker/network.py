"""Writes a network package as a TensorFlow graph: ops called as in the package, weights as constants.

A convolution's bias is an op of its own, ``<scope>/BiasAdd``, as TF-slim has it.
"""

import re
from typing import Any, Dict, List, Sequence  # noqa: F401

from harness.worker.errors import UnsupportedError
from harness.worker.package import Network, Op

from .library import tf1
from .tensors import Held, laid, same, spatial

_UNFIT = re.compile(r"[^A-Za-z0-9_.\\/>-]")


class Writer(object):
    """Writes one network into the current graph.

    :param data_format: ``NHWC`` or ``NCHW``
    """

    def __init__(self, package: Network, data_format: str) -> None:
        self.package, self.data_format = package, data_format
        self.last = data_format == "NHWC"
        self.tensors = {}  # type: Dict[str, Held]
        self.written = {}  # type: Dict[str, List[str]]

    def write(self) -> None:
        """Write inputs and ops.

        :raises UnsupportedError: an op that has no form here
        """
        for name in self.package.inputs:
            shape = list(self.package.shapes[name])
            last = self.last and len(shape) == 4
            if last:
                shape = [shape[0]] + shape[2:] + [shape[1]]
            self.tensors[name] = Held(tf1.placeholder(tf1.float32, shape, name=fitting(name)), last)
        graph = tf1.get_default_graph()
        for op in self.package.ops:
            if op.kind not in WRITERS:
                raise UnsupportedError("op {}: kind '{}' has no form here".format(op.name, op.kind))
            before = len(graph.get_operations())
            self.tensors[op.output] = WRITERS[op.kind](self, op, [self.tensors[name] for name in op.inputs])
            added = graph.get_operations()[before:]
            self.written[op.name] = [node.name for node in added if node.type != "Const"]

    def constant(self, op: Op, role: str, array: Any) -> Any:
        """Return a constant that belongs to *op*."""
        return tf1.constant(array, name="{}/{}".format(fitting(op.name), role))


def fitting(name: str) -> str:
    """Return *name* as TensorFlow allows it: letters, digits and some signs, none of these in front."""
    plain = _UNFIT.sub("_", name)
    return plain if re.match("[A-Za-z0-9.]", plain) else "op" + plain


def _scope(op: Op) -> str:
    name = fitting(op.name)
    return name.rsplit("/", 1)[0] if "/" in name else name


def _padding(op: Op, image: Held, kernel: Sequence[int], value: float, pads_count: bool) -> Any:
    """Return tensor and padding of a window op: SAME and VALID where they are that, else padded before."""
    top, left, bottom, right = op.attributes["pads"]
    shape = [int(size) for size in image.tensor.shape]
    sizes = shape[1:3] if image.last else shape[2:4]
    if not any((top, left, bottom, right)):
        return image.tensor, "VALID"
    wanted = [same(*each) for each in zip(sizes, kernel, op.attributes["strides"])]
    if wanted == [(top, bottom), (left, right)]:
        return image.tensor, "SAME"
    if pads_count:
        raise UnsupportedError("op {}: a mean without such padding has no form here".format(op.name))
    around = [[top, bottom], [left, right]]
    around = [[0, 0]] + around + [[0, 0]] if image.last else [[0, 0], [0, 0]] + around
    padded = tf1.pad(image.tensor, around, constant_values=value, name=fitting(op.name) + "/Pad")
    return padded, "VALID"


def _conv(out: Writer, op: Op, held: Sequence[Held]) -> Held:
    image = laid(held[0], out.last, fitting(op.name))
    kernel = out.package.weight(op, "kernel")
    filters, per_group = kernel.shape[:2]
    groups = int(op.attributes.get("groups", 1))
    dilations = list(op.attributes.get("dilations", [1, 1]))
    extent = [(size - 1) * step + 1 for size, step in zip(kernel.shape[2:], dilations)]
    tensor, padding = _padding(op, image, extent, 0.0, False)
    said = {"strides": spatial(op.attributes["strides"], out.last), "padding": padding}  # type: Dict[str, Any]
    said.update(data_format=out.data_format, name=fitting(op.name))
    if groups == 1:
        weights = out.constant(op, "weights", kernel.transpose(2, 3, 1, 0))
        made = tf1.nn.conv2d(tensor, weights, dilations=spatial(dilations, out.last), **said)
    elif per_group == 1:
        taps = kernel.reshape((groups, filters // groups) + kernel.shape[2:]).transpose(2, 3, 0, 1)
        weights = out.constant(op, "depthwise_weights", taps)
        if dilations != [1, 1]:
            said["dilations"] = spatial(dilations, out.last)
        made = tf1.nn.depthwise_conv2d_native(tensor, weights, **said)
    else:
        raise UnsupportedError("op {}: a convolution in groups has no kernel in TensorFlow".format(op.name))
    if "bias" in op.weights:
        bias = out.constant(op, "biases", out.package.weight(op, "bias"))
        made = tf1.nn.bias_add(made, bias, data_format=out.data_format, name=_scope(op) + "/BiasAdd")
    return Held(made, out.last)


def _clip(out: Writer, op: Op, held: Sequence[Held]) -> Held:
    low, high = float(op.attributes["minimum"]), float(op.attributes["maximum"])
    name, tensor = fitting(op.name), held[0].tensor
    if (low, high) == (0.0, 6.0):
        return Held(tf1.nn.relu6(tensor, name=name), held[0].last)
    upper = tf1.minimum(tensor, tf1.constant(high, name=name + "/high"), name=name + "/Minimum")
    return Held(tf1.maximum(upper, tf1.constant(low, name=name + "/low"), name=name), held[0].last)


def _unary(make: Any) -> Any:
    return lambda out, op, held: Held(make(held[0].tensor, name=fitting(op.name)), held[0].last)


def _binary(make: Any) -> Any:
    def write(out: Writer, op: Op, held: Sequence[Held]) -> Held:
        second = laid(held[1], held[0].last, fitting(op.name))
        return Held(make(held[0].tensor, second.tensor, name=fitting(op.name)), held[0].last)

    return write


def _shift(out: Writer, op: Op, held: Sequence[Held]) -> Held:
    value = out.constant(op, "y", float(op.attributes["value"]))
    return Held(tf1.add(held[0].tensor, value, name=fitting(op.name)), held[0].last)


def _global_average_pool(out: Writer, op: Op, held: Sequence[Held]) -> Held:
    image = laid(held[0], out.last, fitting(op.name))
    shape = [int(size) for size in image.tensor.shape]
    window = spatial(shape[1:3] if out.last else shape[2:4], out.last)
    said = {"padding": "VALID", "data_format": out.data_format, "name": fitting(op.name)}
    return Held(tf1.nn.avg_pool(image.tensor, window, [1, 1, 1, 1], **said), out.last)


def _pool(kind: str, value: float, pads_count: bool) -> Any:
    def write(out: Writer, op: Op, held: Sequence[Held]) -> Held:
        image, kernel = laid(held[0], out.last, fitting(op.name)), op.attributes["kernel"]
        tensor, padding = _padding(op, image, kernel, value, pads_count)
        strides = spatial(op.attributes["strides"], out.last)
        said = {"padding": padding, "data_format": out.data_format, "name": fitting(op.name)}
        return Held(getattr(tf1.nn, kind)(tensor, spatial(kernel, out.last), strides, **said), out.last)

    return write


def _concat(out: Writer, op: Op, held: Sequence[Held]) -> Held:
    name, last = fitting(op.name), held[0].last
    tensors = [laid(one, last, "{}/{}".format(name, number)).tensor for number, one in enumerate(held)]
    axis = 3 if last and len(tensors[0].shape) == 4 else 1
    return Held(tf1.concat(tensors, axis, name=name), last)


def _matmul(out: Writer, op: Op, held: Sequence[Held]) -> Held:
    matrix = out.constant(op, "weights", out.package.weight(op, "matrix"))
    return Held(tf1.matmul(held[0].tensor, matrix, name=fitting(op.name)), False)


def _add_vector(out: Writer, op: Op, held: Sequence[Held]) -> Held:
    vector = out.constant(op, "biases", out.package.weight(op, "vector"))
    return Held(tf1.nn.bias_add(held[0].tensor, vector, name=fitting(op.name)), False)


def _softmax(out: Writer, op: Op, held: Sequence[Held]) -> Held:
    axis = 3 if held[0].last and len(held[0].tensor.shape) == 4 else 1
    return Held(tf1.nn.softmax(held[0].tensor, axis=axis, name=fitting(op.name)), held[0].last)


def _transpose(out: Writer, op: Op, held: Sequence[Held]) -> Held:
    order, name = [int(axis) for axis in op.attributes["permutation"]], fitting(op.name)
    if held[0].last and len(order) == 4:
        # Where the axis lies that the package has at each place: to NHWC, it is where it belongs.
        order = [(0, 3, 1, 2)[axis] for axis in order]
    if order == sorted(order):
        return Held(tf1.identity(held[0].tensor, name=name), False)
    return Held(tf1.transpose(held[0].tensor, order, name=name), False)


def _reshape(out: Writer, op: Op, held: Sequence[Held]) -> Held:
    plain = laid(held[0], False, fitting(op.name)).tensor
    shape = [
        int(plain.shape[axis]) if size == 0 else int(size) for axis, size in enumerate(op.attributes["shape"])
    ]
    return Held(tf1.reshape(plain, shape, name=fitting(op.name)), False)


WRITERS = {
    "conv": _conv,
    "clip": _clip,
    "relu": _unary(tf1.nn.relu),
    "add": _binary(tf1.add),
    "sub": _binary(tf1.subtract),
    "shift": _shift,
    "global_average_pool": _global_average_pool,
    "average_pool": _pool("avg_pool", 0.0, True),
    "max_pool": _pool("max_pool", float("-inf"), False),
    "concat": _concat,
    "matmul": _matmul,
    "add_vector": _add_vector,
    "sigmoid": _unary(tf1.sigmoid),
    "softmax": _softmax,
    "transpose": _transpose,
    "reshape": _reshape,
}
"""Kind of an op to what writes it: (Writer, Op, tensors read) -> tensor written."""
