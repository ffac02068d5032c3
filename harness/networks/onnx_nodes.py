"""An ONNX node with what is known of its operands, and the source op of a node that has no kind here."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from onnx import helper

from harness.networks.graph import FloatArray, OpKind, SourceOp
from harness.networks.onnx_model import Model


@dataclass
class Node:
    """One ONNX node with what is known of its operands.

    :param name: unique name of the source op
    :param weights: constants that its source ops hold; :param shapes: of tensors between them
    """

    model: Model
    proto: onnx.NodeProto
    name: str
    weights: dict[str, FloatArray] = field(default_factory=dict)
    shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)

    @property
    def attributes(self) -> dict[str, Any]:
        """Attributes by name."""
        return {entry.name: helper.get_attribute_value(entry) for entry in self.proto.attribute}

    @property
    def tensors(self) -> tuple[str, ...]:
        """Names of the operands that are no constants."""
        return tuple(name for name in self.proto.input if name and name not in self.model.constants)

    def constant(self, index: int) -> np.ndarray | None:
        """Return operand *index* where it is a constant."""
        if index >= len(self.proto.input):
            return None
        return self.model.constants.get(self.proto.input[index])

    def scalar(self, index: int) -> float | None:
        """Return operand *index* where it is a constant of one element."""
        found = self.constant(index)
        return float(found.item()) if found is not None and found.size == 1 else None

    def shape(self, index: int = 0) -> tuple[int, ...]:
        """Return the shape of operand *index*."""
        return self.model.shapes[self.proto.input[index]]

    @property
    def output_shape(self) -> tuple[int, ...]:
        """Shape of the first output."""
        return self.model.shapes[self.proto.output[0]]

    def op(self, kind: OpKind, weights: Mapping[str, int] | None = None, **attributes: object) -> SourceOp:
        """Return the source op; *weights*: role to the index of the constant operand that holds them."""
        keys = {role: self.proto.input[index] for role, index in (weights or {}).items()}
        self.weights.update({key: _float32(self.model.constants[key]) for key in keys.values()})
        return SourceOp(self.name, kind, self.tensors, self.proto.output[0], attributes, keys)


def _float32(array: np.ndarray) -> FloatArray:
    return np.ascontiguousarray(array, np.float32)


def other(node: Node) -> list[SourceOp]:
    """Return source ops of kind OTHER for *node*, one for each of its outputs.

    Hashes of attributes and constants stand in for them, so that the digest still names the network. Such an
    op is computed by ONNX's own evaluator (:mod:`harness.networks.foreign`).
    """
    hashes = {
        str(index): hashlib.sha256(np.ascontiguousarray(node.constant(index)).tobytes()).hexdigest()
        for index in range(len(node.proto.input))
        if node.constant(index) is not None
    }
    said = b"".join(sorted(entry.SerializeToString(deterministic=True) for entry in node.proto.attribute))
    attributes = {
        "op_type": node.proto.op_type,
        "domain": node.proto.domain,
        "attributes_sha256": hashlib.sha256(said).hexdigest(),
        "constants_sha256": hashes,
    }
    return [
        SourceOp(
            node.name if index == 0 else f"{node.name}:{index}",
            OpKind.OTHER,
            node.tensors,
            output,
            {**attributes, "output_index": index},
        )
        for index, output in enumerate(node.proto.output)
        if output
    ]
