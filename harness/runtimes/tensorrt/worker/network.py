"""Writes a network package as an ``INetworkDefinition``, in the words that a version has.

Two parameters decide the form: whether tensors carry the batch (not with implicit batch), and whether
types lie in the graph (strong typing) or in flags. Everything else is a switch of its own.
"""

from typing import Any, Dict, List, Optional, Sequence, Tuple  # noqa: F401

import numpy

from harness.worker.errors import UnsupportedError
from harness.worker.package import Network
from harness.worker.result import Result

from .features import Features
from .plan import Plan

NUMPY_TYPES = {"fp32": numpy.float32, "fp16": numpy.float16, "int8": numpy.int8}


def tensor_type(trt: Any, name: str) -> Any:
    """Return the data type of *trt* called ``fp32``, ``fp16`` or ``int8`` here."""
    return {"fp32": trt.float32, "fp16": trt.float16, "int8": trt.int8}[name]


class Writer(object):
    """Collects the tensors of one network definition.

    :param network: an empty ``INetworkDefinition``; kept alive by the caller until the engine is built,
        as is this object, which holds the arrays that TensorRT does not copy
    :param ranges: tensor name to largest magnitude, for INT8; empty otherwise
    """

    def __init__(
        self,
        trt: Any,
        features: Features,
        network: Any,
        plan: Plan,
        package: Network,
        result: Result,
        ranges: Dict[str, float],
    ) -> None:
        self.trt, self.features, self.network, self.plan = trt, features, network, plan
        self.package, self.result, self.ranges = package, result, ranges
        self.tensors = {}  # type: Dict[str, Any]
        self.kept = []  # type: List[Any]
        # Data between layers of a strongly typed INT8 network stays FP32; Q/DQ pairs say where it is not.
        self.data_type = "fp16" if plan.strong and plan.precision == "fp16" else "fp32"

    def sample(self, shape: Sequence[int]) -> Tuple[int, ...]:
        """Return *shape* as this network's tensors have it: whole, or without the batch.

        A vector (N, C) becomes (1, C), since a matrix product needs two axes in every version.
        """
        if not self.plan.implicit:
            return tuple(shape)
        return tuple(shape[1:]) if len(shape) > 2 else (1,) + tuple(shape[1:])

    def axis(self, axis: int, shape: Sequence[int]) -> int:
        """Return where the tensor axis *axis* (0 is the batch) lies in :meth:`sample` of *shape*."""
        return axis - 1 if self.plan.implicit and len(shape) > 2 else axis

    def weights(self, array: Any, kind: Optional[str] = None) -> Any:
        """Return ``Weights`` over *array* in the type of this network's data, kept alive."""
        held = numpy.ascontiguousarray(array, dtype=NUMPY_TYPES[kind or self.data_type])
        self.kept.append(held)
        return self.trt.Weights(held)

    def no_weights(self) -> Any:
        """Return empty weights of this network's data type."""
        return (
            self.trt.Weights(tensor_type(self.trt, self.data_type))
            if self.plan.strong
            else self.trt.Weights()
        )

    def constant(self, name: str, array: Any, shape: Sequence[int]) -> Any:
        """Add a constant of *shape* and return its tensor."""
        layer = self.network.add_constant(tuple(shape), self.weights(array))
        layer.name = name
        layer.get_output(0).name = name
        self.ranges.setdefault(name, float(numpy.abs(array).max()))
        if not self.features.clip:  # 5.0 forgets the type of the weights
            layer.get_output(0).dtype = tensor_type(self.trt, self.data_type)
        return layer.get_output(0)

    def write(self, writers: Dict[str, Any]) -> None:
        """Add inputs, ops and outputs.

        :param writers: op kind to a function (Writer, Op, list of tensors) -> layer
        :raises UnsupportedError: an op that this version cannot express
        """
        for name in self.package.inputs:
            self._input(name)
        for op in self.package.ops:
            if op.kind not in writers:
                raise UnsupportedError("op {}: kind '{}' has no layer here".format(op.name, op.kind))
            layer = writers[op.kind](self, op, [self.tensors[tensor] for tensor in op.inputs])
            if layer is None:
                raise UnsupportedError("op {}: this version refused the layer".format(op.name))
            layer.name = op.name
            if self.features.metadata:  # survives renaming by the compiler, in the form of TensorRT's parser
                layer.metadata = "[ONNX Layer: {}]".format(op.name)
            self.tensors[op.output] = layer.get_output(0)
            self.tensors[op.output].name = op.output
        for name in self.package.outputs:
            self._output(name)

    def _input(self, name: str) -> None:
        trt = self.trt
        # Weakly typed networks declare FP32; the type of the binding is set with its format afterwards.
        kind = self.plan.io_type if self.plan.strong else "fp32"
        tensor = self.network.add_input(name, tensor_type(trt, kind), self.sample(self.package.shapes[name]))
        if tensor is None:
            raise UnsupportedError("input {}: this version refused it".format(name))
        if self.plan.strong and kind != self.data_type:
            tensor = self._cast(tensor, self.data_type, name + "/cast")
        self.tensors[name] = tensor

    def _output(self, name: str) -> None:
        tensor = self.tensors[name]
        if self.plan.strong and self.plan.io_type != self.data_type:
            tensor.name = name + "/uncast"
            tensor = self._cast(tensor, self.plan.io_type, name + "/cast")
            tensor.name = name
        self.network.mark_output(tensor)

    def _cast(self, tensor: Any, kind: str, name: str) -> Any:
        if not self.features.cast:
            raise UnsupportedError("strong typing needs a cast layer, which this version lacks")
        if kind == "int8":
            raise UnsupportedError("strong typing: INT8 inputs and outputs need scales of their own")
        layer = self.network.add_cast(tensor, tensor_type(self.trt, kind))
        layer.name = name
        return layer.get_output(0)
