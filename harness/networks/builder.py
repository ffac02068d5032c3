"""Builds a graph op by op, in TF-slim names and padding, with the weights of a fixed seed."""

from __future__ import annotations

import math

from harness.errors import NetworkTreatmentError
from harness.networks.digest import with_digest
from harness.networks.graph import FloatArray, Graph, OpKind, SourceOp
from harness.networks.weights import SeededWeights

RELU6_FORMS = ("clip", "relu_sub")
"""One op ``X/Relu6``, or ``relu(x) - relu(x - 6)`` in four, as TensorRT 5 was given it."""


def same_padding(size: int, kernel: int, stride: int) -> tuple[int, int]:
    """Return padding before and after one axis for TensorFlow's SAME, in elements.

    The output has ceil(size / stride) elements and the odd element goes after, so that a 3x3 convolution at
    stride 2 pads (0, 1) an even input and (1, 1) an odd one.
    Source: https://www.tensorflow.org/api_docs/python/tf/nn#notes_on_padding_2
    """
    total = max((math.ceil(size / stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


class GraphBuilder:
    """Collects ops in execution order; each method returns the name of the tensor it writes.

    :param name: network name
    :param batch: images a run, 1 or more
    :param relu6: one of :data:`RELU6_FORMS`
    :raises UsageError: no such form or batch
    """

    def __init__(self, name: str, batch: int, relu6: str, weights: SeededWeights) -> None:
        if relu6 not in RELU6_FORMS:
            raise NetworkTreatmentError(
                f"network '{name}' has no ReLU6 form '{relu6}'; use one of {', '.join(RELU6_FORMS)}"
            )
        if batch < 1:
            raise NetworkTreatmentError(
                f"network '{name}': a batch of {batch} is not possible; use 1 or more"
            )
        self._name, self._batch, self._relu6, self._source = name, batch, relu6, weights
        self._inputs: list[str] = []
        self._ops: list[SourceOp] = []
        self._shapes: dict[str, tuple[int, ...]] = {}
        self._weights: dict[str, FloatArray] = {}

    def input(self, name: str, *shape: int) -> str:
        """Add a network input of *shape* (without the batch)."""
        self._inputs.append(name)
        self._shapes[name] = (self._batch, *shape)
        return name

    def shape(self, tensor: str) -> tuple[int, ...]:
        """Return the shape of *tensor*, batch first."""
        return self._shapes[tensor]

    def conv(
        self,
        name: str,
        tensor: str,
        filters: int,
        kernel: tuple[int, int] = (1, 1),
        stride: int = 1,
        *,
        linear: bool = False,
        output: str = "",
    ) -> str:
        """Add a SAME convolution with bias; *linear*: no ReLU6 follows."""
        return self._conv(name, tensor, filters, kernel, stride, groups=1, linear=linear, output=output)

    def depthwise(
        self,
        name: str,
        tensor: str,
        stride: int = 1,
        *,
        kernel: tuple[int, int] = (3, 3),
        multiplier: int = 1,
        bias: bool = True,
    ) -> str:
        """Add a SAME depthwise convolution: one group a channel, *multiplier* filters a group.

        :param bias: False for the first half of a separable convolution, which has nothing between the halves
        """
        channels = self._shapes[tensor][1]
        filters = channels * multiplier
        return self._conv(name, tensor, filters, kernel, stride, groups=channels, linear=not bias, bias=bias)

    def _conv(
        self,
        name: str,
        tensor: str,
        filters: int,
        kernel: tuple[int, int],
        stride: int,
        *,
        groups: int,
        linear: bool,
        output: str = "",
        bias: bool = True,
    ) -> str:
        batch, channels, *sizes = self._shapes[tensor]
        (top, bottom), (left, right) = (
            same_padding(s, k, stride) for s, k in zip(sizes, kernel, strict=True)
        )
        attributes = {
            "kernel": list(kernel),
            "strides": [stride, stride],
            "pads": [top, left, bottom, right],
            "groups": groups,
            "depthwise": groups > 1,
        }
        keys = {role: f"{name}/{role}" for role in (("kernel", "bias") if bias else ("kernel",))}
        shape = (filters, channels // groups, *kernel)
        self._weights[keys["kernel"]] = self._source.kernel(name, shape, linear=linear)
        if bias:
            self._weights[keys["bias"]] = self._source.bias(name, filters, linear=linear)
        spatial = tuple(math.ceil(size / stride) for size in sizes)
        op = SourceOp(name, OpKind.CONV, (tensor,), output or name, attributes, keys)
        return self._add(op, (batch, filters, *spatial))

    def relu6(self, name: str, tensor: str) -> str:
        """Add ReLU6 in the form asked for; the last op and its tensor are called *name* in both."""
        shape = self._shapes[tensor]
        if self._relu6 == "clip":
            limits = {"minimum": 0.0, "maximum": 6.0}
            return self._add(SourceOp(name, OpKind.CLIP, (tensor,), name, limits), shape)
        relu1, sub1, relu2 = (f"{name}/{part}" for part in ("relu1", "sub1", "relu2"))
        self._add(SourceOp(relu1, OpKind.RELU, (tensor,), relu1), shape)
        self._add(SourceOp(sub1, OpKind.SHIFT, (tensor,), sub1, {"value": -6.0}), shape)
        self._add(SourceOp(relu2, OpKind.RELU, (sub1,), relu2), shape)
        return self._add(SourceOp(name, OpKind.SUB, (relu1, relu2), name), shape)

    def relu(self, name: str, tensor: str) -> str:
        """Add a ReLU."""
        return self._add(SourceOp(name, OpKind.RELU, (tensor,), name), self._shapes[tensor])

    def add(self, name: str, first: str, second: str) -> str:
        """Add the sum of two tensors of one shape."""
        return self._add(SourceOp(name, OpKind.ADD, (first, second), name), self._shapes[first])

    def global_average_pool(self, name: str, tensor: str) -> str:
        """Add the mean over height and width, kept as 1x1."""
        batch, channels = self._shapes[tensor][:2]
        return self._add(SourceOp(name, OpKind.GLOBAL_AVERAGE_POOL, (tensor,), name), (batch, channels, 1, 1))

    def pool(self, name: str, tensor: str, kind: OpKind, kernel: int, stride: int) -> str:
        """Add a SAME pooling of *kind* (average or maximum)."""
        batch, channels, *sizes = self._shapes[tensor]
        (top, bottom), (left, right) = (same_padding(size, kernel, stride) for size in sizes)
        attributes = {
            "kernel": [kernel, kernel],
            "strides": [stride, stride],
            "pads": [top, left, bottom, right],
        }
        spatial = tuple(math.ceil(size / stride) for size in sizes)
        return self._add(SourceOp(name, kind, (tensor,), name, attributes), (batch, channels, *spatial))

    def concat(self, name: str, tensors: list[str], *, output: str = "") -> str:
        """Add the concatenation of *tensors* along C (axis 1)."""
        first = self._shapes[tensors[0]]
        total = sum(self._shapes[tensor][1] for tensor in tensors)
        op = SourceOp(name, OpKind.CONCAT, tuple(tensors), output or name)
        return self._add(op, (first[0], total, *first[2:]))

    def matmul(self, name: str, tensor: str, units: int) -> str:
        """Add the product of (N, I) with a matrix (I, *units*)."""
        batch, width = self._shapes[tensor]
        self._weights[f"{name}/matrix"] = self._source.matrix(name, (width, units), linear=False)
        op = SourceOp(name, OpKind.MATMUL, (tensor,), name, {}, {"matrix": f"{name}/matrix"})
        return self._add(op, (batch, units))

    def add_vector(self, name: str, tensor: str) -> str:
        """Add the sum of (N, O) with a vector (O,)."""
        shape = self._shapes[tensor]
        self._weights[f"{name}/vector"] = self._source.bias(name, shape[1], linear=False)
        op = SourceOp(name, OpKind.ADD_VECTOR, (tensor,), name, {}, {"vector": f"{name}/vector"})
        return self._add(op, shape)

    def transpose(self, name: str, tensor: str, permutation: list[int]) -> str:
        """Add a transposition."""
        shape = tuple(self._shapes[tensor][axis] for axis in permutation)
        return self._add(
            SourceOp(name, OpKind.TRANSPOSE, (tensor,), name, {"permutation": permutation}), shape
        )

    def reshape(self, name: str, tensor: str, *shape: int) -> str:
        """Add a reshape to *shape* (without the batch, which is kept)."""
        op = SourceOp(name, OpKind.RESHAPE, (tensor,), name, {"shape": [0, *shape]})
        return self._add(op, (self._batch, *shape))

    def finish(self, *outputs: str) -> Graph:
        """Return the graph, its digest filled in."""
        graph = Graph(
            name=self._name,
            relu6=self._relu6,
            batch=self._batch,
            inputs=tuple(self._inputs),
            outputs=outputs,
            ops=tuple(self._ops),
            shapes=dict(self._shapes),
            weights=dict(self._weights),
        )
        return with_digest(graph)

    def _add(self, op: SourceOp, shape: tuple[int, ...]) -> str:
        if op.output in self._shapes:
            raise AssertionError(f"two ops write the tensor '{op.output}'")
        self._ops.append(op)
        self._shapes[op.output] = shape
        return op.output
