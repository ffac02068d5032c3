"""A network as a graph of source ops: the neutral form that every runtime is given the same of.

Tensors are NCHW. A graph is made for one batch size and one ReLU6 form; its digest does not depend on
the batch, so that the same network at batch 1 and 8 is one network.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FloatArray: TypeAlias = "NDArray[np.float32]"


class OpKind(StrEnum):
    """What a source op computes. The worker knows exactly these."""

    CONV = "conv"  # weights: kernel (K, C/groups, R, S), bias (K,); attributes: strides, pads, groups
    CLIP = "clip"  # attributes: minimum, maximum
    RELU = "relu"
    ADD = "add"  # two tensors of one shape
    SUB = "sub"  # first minus second
    SHIFT = "shift"  # adds the scalar attribute `value` (the `sub1` of ReLU6 in pieces: -6)
    GLOBAL_AVERAGE_POOL = "global_average_pool"  # keeps H = W = 1
    AVERAGE_POOL = "average_pool"  # attributes: kernel, strides, pads (pads are not counted)
    MAX_POOL = "max_pool"  # attributes: kernel, strides, pads
    CONCAT = "concat"  # along C
    MATMUL = "matmul"  # weights: matrix (I, O); input (N, I)
    ADD_VECTOR = "add_vector"  # weights: vector (O,); input (N, O)
    SIGMOID = "sigmoid"
    SOFTMAX = "softmax"  # over C
    TRANSPOSE = "transpose"  # attributes: permutation
    RESHAPE = "reshape"  # attributes: shape (0 copies the batch, -1 infers)
    OTHER = "other"  # an op of a user's own ONNX file that has no kind here; attributes: op_type


class OpClass(StrEnum):
    """The classes in which time and arithmetic are accounted."""

    POINTWISE = "pointwise"  # 1x1 convolution, one group (also at 1x1 resolution: the classifier)
    DEPTHWISE = "depthwise"
    CONVOLUTION = "convolution"  # any other convolution
    ACTIVATION = "activation"
    ELEMENTWISE = "elementwise"
    POOLING = "pooling"
    DENSE = "dense"
    OTHER = "other"


@dataclass(frozen=True)
class SourceOp:
    """One node of the network.

    :param name: TF-slim name, unique (``expanded_conv_5/depthwise/depthwise``)
    :param inputs: names of the tensors read, in order
    :param output: name of the tensor written
    :param attributes: JSON-able; pads are ``[top, left, bottom, right]``, strides ``[h, w]``
    :param weights: role (``kernel``, ``bias``, ``matrix``, ``vector``) to key in :attr:`Graph.weights`
    """

    name: str
    kind: OpKind
    inputs: tuple[str, ...]
    output: str
    attributes: Mapping[str, object] = field(default_factory=dict)
    weights: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Graph:
    """A network: source ops in execution order, tensor shapes, weights.

    :param name: network name (``mobilenet_v2``)
    :param relu6: ``clip`` or ``relu_sub``
    :param inputs: names of the input tensors
    :param outputs: names of the output tensors
    :param shapes: tensor name to shape, batch first
    :param weights: key to float32 array, C-contiguous
    :param digest: ``sha256:`` over structure and weights, without the batch
    """

    name: str
    relu6: str
    batch: int
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    ops: tuple[SourceOp, ...]
    shapes: Mapping[str, tuple[int, ...]]
    weights: Mapping[str, FloatArray]
    digest: str = ""
    meta: Mapping[str, object] = field(default_factory=dict)

    def op(self, name: str) -> SourceOp:
        """Return the op called *name* (KeyError when there is none)."""
        return self._by_name[name]

    def producer(self, tensor: str) -> SourceOp | None:
        """Return the op that writes *tensor*, None for a network input."""
        return self._by_output.get(tensor)

    def consumers(self, tensor: str) -> tuple[SourceOp, ...]:
        """Return the ops that read *tensor*, in execution order."""
        return self._by_input.get(tensor, ())

    @cached_property
    def classes(self) -> Mapping[str, OpClass]:
        """Op name to its accounting class, in network order."""
        return {op.name: op_class(op) for op in self.ops}

    def __post_init__(self) -> None:
        by_input: dict[str, tuple[SourceOp, ...]] = {}
        for op in self.ops:
            for tensor in op.inputs:
                by_input[tensor] = (*by_input.get(tensor, ()), op)
        object.__setattr__(self, "_by_name", {op.name: op for op in self.ops})
        object.__setattr__(self, "_by_output", {op.output: op for op in self.ops})
        object.__setattr__(self, "_by_input", by_input)

    _counted: dict[str, Any] = field(init=False, repr=False, compare=False, default_factory=dict)

    # Declared for the type checker; filled in __post_init__.
    _by_name: Mapping[str, SourceOp] = field(init=False, repr=False, compare=False, default_factory=dict)
    _by_output: Mapping[str, SourceOp] = field(init=False, repr=False, compare=False, default_factory=dict)
    _by_input: Mapping[str, tuple[SourceOp, ...]] = field(
        init=False, repr=False, compare=False, default_factory=dict
    )


def op_class(op: SourceOp) -> OpClass:
    """Return the accounting class of *op*."""
    if op.kind is OpKind.CONV:
        groups = op.attributes.get("groups", 1)
        if isinstance(groups, int) and groups > 1:
            return OpClass.DEPTHWISE if op.attributes.get("depthwise", True) else OpClass.CONVOLUTION
        return OpClass.POINTWISE if op.attributes.get("kernel") == [1, 1] else OpClass.CONVOLUTION
    return _CLASS_OF_KIND.get(op.kind, OpClass.OTHER)


_CLASS_OF_KIND = {
    OpKind.CLIP: OpClass.ACTIVATION,
    OpKind.RELU: OpClass.ACTIVATION,
    OpKind.SUB: OpClass.ACTIVATION,  # only ReLU6 in pieces subtracts in these networks
    OpKind.SHIFT: OpClass.ACTIVATION,
    OpKind.SIGMOID: OpClass.ACTIVATION,
    OpKind.SOFTMAX: OpClass.ACTIVATION,
    OpKind.ADD: OpClass.ELEMENTWISE,
    OpKind.ADD_VECTOR: OpClass.ELEMENTWISE,
    OpKind.GLOBAL_AVERAGE_POOL: OpClass.POOLING,
    OpKind.AVERAGE_POOL: OpClass.POOLING,
    OpKind.MAX_POOL: OpClass.POOLING,
    OpKind.MATMUL: OpClass.DENSE,
}
