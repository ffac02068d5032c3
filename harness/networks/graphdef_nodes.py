"""Nodes of a TensorFlow graph in the order of execution, and the graph of source ops that is made of them."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from harness.errors import TensorflowModelError
from harness.networks.graph import FloatArray, OpKind, SourceOp
from harness.networks.graphdef import TensorflowModel, attribute

PASSED_ON = ("Identity", "StopGradient", "CheckNumerics", "PreventGradient", "Snapshot")
INPUTS = ("Placeholder", "PlaceholderWithDefault")
IMAGE_OPS = (
    "Conv2D", "DepthwiseConv2dNative", "FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3",
    "AvgPool", "MaxPool",
)  # fmt: skip
"""Ops whose attribute ``data_format`` says how images lie."""
_NO_OUTPUT = ("Const", "NoOp", "Assert", *INPUTS)


@dataclass(frozen=True)
class Tensor:
    """A tensor of the file, and the tensor of source ops that holds it.

    :param shape: as the file has it
    :param last: an image (N, H, W, C) in the file, whose source tensor is (N, C, H, W)
    :param pads: top, left, bottom, right; what a Pad puts around it, until the op that reads it takes it
    :param around: the value of these pads; :param padded_by: name of the Pad
    """

    name: str
    shape: tuple[int, ...]
    last: bool = False
    pads: tuple[int, int, int, int] | None = None
    around: float = 0.0
    padded_by: str = ""

    @property
    def image(self) -> tuple[int, int, int]:
        """Channels, height and width."""
        first, second, third = self.shape[1:]
        return (third, first, second) if self.last else (first, second, third)


class Order:
    """The nodes that the outputs need, in the order of execution; ties as the file has them.

    :param outputs: names of tensors; empty: nodes that no other reads
    :raises InputError: a name twice, a tensor that no node writes, a cycle, or no output
    """

    def __init__(self, model: TensorflowModel, outputs: Sequence[str] = ()) -> None:
        self.path = model.path
        self.nodes = {node.name: node for node in model.nodes}
        if len(self.nodes) < len(model.nodes):
            twice = Counter(node.name for node in model.nodes).most_common(1)[0][0]
            raise TensorflowModelError(self.path, f"two nodes are called '{twice}'")
        read = {self._node(node, said) for node in model.nodes for said in node.input}
        ends = [n.name for n in model.nodes if n.name not in read and n.op not in _NO_OUTPUT]
        names = [self._node(None, said, strict=True) for said in outputs or model.outputs or ends]
        if not names:
            raise TensorflowModelError(self.path, "no output is found: every node is read by another")
        needed = self._needed(names)
        self.inputs = [node for node in model.nodes if node.name in needed and node.op in INPUTS]
        self.sorted = self._sorted([node for node in model.nodes if node.name in needed])
        self.outputs = list(dict.fromkeys(self.source(name) for name in names))
        reads = [self.source(name) for node in self.sorted if node.op not in PASSED_ON for name in data(node)]
        self.reads = Counter([*reads, *self.outputs])

    def source(self, said: str) -> str:
        """Return the node that makes the tensor called *said*, past those that only pass it on."""
        name = said.lstrip("^").removesuffix(":0")
        while self.nodes[name].op in PASSED_ON and data(self.nodes[name]):
            name = data(self.nodes[name])[0].removesuffix(":0")
        return name

    def _node(self, node: Any, said: str, strict: bool = False) -> str:
        """Return the node of the tensor called *said*; *strict*: it must be its first output."""
        name = said.lstrip("^").removesuffix(":0")
        if name in self.nodes:
            return name
        reader = f"node '{node.name}' ({node.op}) reads" if node is not None else "as an output is named"
        base, _, port = name.rpartition(":")
        if base in self.nodes and port.isdigit():
            if strict:
                raise TensorflowModelError(
                    self.path, f"{reader} '{said}', a second output, which is not read"
                )
            return base
        raise TensorflowModelError(self.path, f"{reader} '{said}', which no node writes")

    def _needed(self, names: Sequence[str]) -> set[str]:
        found: set[str] = set()
        left = list(names)
        while left:
            name = left.pop()
            if name not in found:
                found.add(name)
                node = self.nodes[name]
                left += [self._node(node, said, strict=True) for said in data(node)]
        return found

    def _sorted(self, nodes: Sequence[Any]) -> list[Any]:
        place = {node.name: number for number, node in enumerate(nodes)}
        waits = {node.name: {self._node(node, said) for said in data(node)} for node in nodes}
        readers: dict[str, list[str]] = {}
        for name, sources in waits.items():
            for source in sources:
                readers.setdefault(source, []).append(name)
        ready = [place[name] for name, sources in waits.items() if not sources]
        heapq.heapify(ready)
        made = []
        while ready:
            node = nodes[heapq.heappop(ready)]
            made.append(node)
            for reader in readers.get(node.name, ()):
                waits[reader].discard(node.name)
                if not waits[reader]:
                    heapq.heappush(ready, place[reader])
        if len(made) < len(nodes):
            stuck = next(name for name, sources in waits.items() if sources)
            raise TensorflowModelError(self.path, f"node '{stuck}' waits for itself: loops are not measured")
        return made


def data(node: Any) -> list[str]:
    """Return the tensors that *node* reads, without what it only waits for."""
    return [said for said in node.input if not said.startswith("^")]


@dataclass
class Made:
    """Source ops, weights and shapes that were made so far.

    :param shared: source tensors that several nodes read, or that are outputs: nothing is folded into them
    """

    path: Path
    shared: set[str] = field(default_factory=set)
    ops: dict[str, SourceOp] = field(default_factory=dict)
    shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)
    weights: dict[str, FloatArray] = field(default_factory=dict)

    def add(
        self,
        name: str,
        kind: OpKind,
        tensors: Sequence[Tensor],
        size: Sequence[int],
        weights: Mapping[str, np.ndarray] | None = None,
        **attributes: object,
    ) -> Tensor:
        """Add an op, and return its tensor, of *size* as source ops have it."""
        for tensor in tensors:
            if tensor.pads is not None:
                raise TensorflowModelError(
                    self.path, f"node '{tensor.padded_by}' (Pad) is not taken in by a convolution or pooling"
                )
        keys = {role: f"{name}/{role}" for role in weights or {}}
        for role, key in keys.items():
            self.weights[key] = np.ascontiguousarray((weights or {})[role], np.float32)
        inputs = tuple(tensor.name for tensor in tensors)
        self.ops[name] = SourceOp(name, kind, inputs, name, attributes, keys)
        self.shapes[name] = tuple(int(one) for one in size)
        return Tensor(name, self.shapes[name])

    def image(self, name: str, kind: OpKind, tensors: Sequence[Tensor], size: Sequence[int], last: bool,
              weights: Mapping[str, np.ndarray] | None = None, **attributes: object) -> Tensor:  # fmt: skip
        """Add an op that gives an image of *size*: channels, height and width."""
        channels, height, width = size
        batch = tensors[0].shape[0]
        made = self.add(name, kind, tensors, (batch, channels, height, width), weights, **attributes)
        return replace(made, shape=(batch, height, width, channels), last=True) if last else made

    def alone(self, tensor: Tensor, kind: OpKind) -> SourceOp | None:
        """Return the op of *kind* that writes *tensor*, where only one node reads it."""
        op = self.ops.get(tensor.name)
        return op if op is not None and op.kind is kind and op.name not in self.shared else None

    def plain(self, tensor: Tensor, name: str) -> Tensor:
        """Return *tensor* with the axes of its source tensor as the file has them."""
        if not tensor.last:
            return tensor
        order = (0, 2, 3, 1)
        return self._transposed(replace(tensor, last=False), f"{name}/to_nhwc", order, tensor.shape)

    def laid(self, tensor: Tensor, last: bool, name: str) -> Tensor:
        """Return the rank 4 *tensor* as an image that the file has with channels *last* or second."""
        if tensor.last == last:
            return tensor
        if not last:
            return self.plain(tensor, name)
        batch, height, width, channels = tensor.shape
        shape = (batch, channels, height, width)
        made = self._transposed(tensor, f"{name}/to_nchw", (0, 3, 1, 2), shape)
        return replace(made, shape=tensor.shape, last=True)

    def _transposed(self, tensor: Tensor, name: str, order: Sequence[int], shape: Sequence[int]) -> Tensor:
        while name in self.ops:
            name += "_"
        return self.add(name, OpKind.TRANSPOSE, [tensor], shape, permutation=list(order))


def laid_last(node: Any) -> bool:
    """Say whether *node* has the channels of its images last."""
    return bool(attribute(node, "data_format").s != b"NCHW")
