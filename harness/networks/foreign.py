"""Ops of a user's ONNX file that have no kind here, computed with ONNX's own evaluator, node by node."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import onnx

from harness.errors import UnsupportedOpError
from harness.networks.graph import SourceOp
from harness.networks.kernels import Array
from harness.networks.onnx_model import Model, run_node


class ForeignOps:
    """The nodes behind the ops of kind OTHER of one graph (``Graph.meta["foreign"]``).

    :param nodes: source op name to its node
    """

    def __init__(self, model: Model, nodes: Mapping[str, onnx.NodeProto]) -> None:
        self._model, self._nodes = model, nodes

    def compute(self, op: SourceOp, operands: list[Array]) -> Array:
        """Return the output of *op*, in the element type of its first operand where that is a float.

        ONNX is strict about element types, so floats go in as float32.

        :raises UsageError: ONNX's evaluator does not know the op either
        """
        node = self._nodes[op.name]
        given = {
            name: array.astype(np.float32) if array.dtype.kind == "f" else array
            for name, array in zip(op.inputs, operands, strict=True)
        }
        constants = {
            name: self._model.constants[name] for name in node.input if name in self._model.constants
        }
        try:
            outputs = run_node(self._model.proto, node, {**given, **constants})
        except (NotImplementedError, RuntimeError, KeyError, TypeError, ValueError) as error:
            raise UnsupportedOpError(
                f"op '{op.name}' ({node.op_type}) has no reference here: {str(error).splitlines()[0]}"
            ) from None
        written = [name for name in node.output if name]
        result = np.asarray(outputs[written.index(op.output)])
        return result.astype(operands[0].dtype) if result.dtype.kind == "f" else result
