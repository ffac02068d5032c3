"""One node of a TensorFlow graph with what is known of its operands."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from harness.networks.graph import OpKind
from harness.networks.graphdef import attribute
from harness.networks.graphdef_nodes import Made, Tensor, laid_last

Value = Tensor | np.ndarray


class UnreadableNodeError(ValueError):
    """A node has a form that no source op has; the message ends a line that names the node."""


@dataclass(frozen=True)
class Reading:
    """One node that is being read.

    :param values: what its operands are, in order
    """

    made: Made
    node: Any
    values: Sequence[Value]

    @property
    def name(self) -> str:
        """Name of the node."""
        return str(self.node.name)

    def tensor(self, index: int = 0) -> Tensor:
        """Return operand *index*, which must not be a constant."""
        value = self.operand(index)
        if not isinstance(value, Tensor):
            raise UnreadableNodeError(f"operand {index} is a constant")
        return value

    def constant(self, index: int) -> np.ndarray:
        """Return operand *index*, which must be a constant."""
        value = self.operand(index)
        if isinstance(value, Tensor):
            raise UnreadableNodeError(f"operand {index} is computed, a constant is needed there")
        return value

    def ints(self, index: int) -> list[int]:
        """Return the whole numbers of the constant operand *index*."""
        return [int(value) for value in np.atleast_1d(self.constant(index)).tolist()]

    def image(self, index: int = 0) -> Tensor:
        """Return operand *index* as an image that lies as the node's data format says."""
        tensor = self.tensor(index)
        if len(tensor.shape) != 4:
            raise UnreadableNodeError(f"reads {tensor.shape}, an image of four axes is needed")
        return self.made.laid(tensor, laid_last(self.node), self.name)

    def pair(self, attribute_name: str) -> list[int]:
        """Return height and width of an attribute that says something of all four axes, 1 where unsaid."""
        said = list(attribute(self.node, attribute_name).list.i) or [1, 1, 1, 1]
        pair = said[1:3] if laid_last(self.node) else said[2:4]
        if len(said) != 4 or math.prod(said) != math.prod(pair) or min(pair) < 1:
            raise UnreadableNodeError(
                f"{attribute_name} are {said}, only height and width can be other than 1"
            )
        return pair

    def operand(self, index: int) -> Value:
        """Return operand *index*."""
        if index >= len(self.values):
            raise UnreadableNodeError(f"operand {index} is missing")
        return self.values[index]


def like(at: Reading, kind: OpKind, tensors: Sequence[Tensor], **attributes: object) -> Tensor:
    """Add an op whose output is shaped and lies as its first tensor."""
    first = tensors[0]
    made = at.made.add(at.name, kind, tensors, at.made.shapes[first.name], None, **attributes)
    return replace(first, name=made.name)
