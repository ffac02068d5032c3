"""A network as one ONNX model, and pieces cut out of it: connected, with their weights and real shapes."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import onnx
from onnx import helper, shape_inference
from onnx.utils import Extractor

from harness.networks.graph import Graph
from harness.networks.onnx_export import to_onnx
from harness.networks.user_onnx import folded_onnx

Nodes = frozenset[int]
"""Of a model, by their places in execution order."""

_INITIALIZERS_NEED_NO_INPUT = 4
"""The IR version from which on they do not."""


@dataclass(frozen=True)
class Whole:
    """The model that pieces are cut out of.

    :param model: with the shape of each tensor
    :param ops: source op to the place of the node that computes it
    """

    model: onnx.ModelProto
    ops: Mapping[str, int]

    @classmethod
    def of(cls, graph: Graph, opset: int) -> Whole:
        """Return *graph*, which has its weights, as ONNX: its own file where it comes from one.

        :raises UnsupportedOpError: an op has no form in ONNX here
        """
        made = folded_onnx(graph) if "onnx" in graph.meta else to_onnx(graph, opset)
        return cls(shape_inference.infer_shapes(made, data_prop=True), dict(_places(graph, made)))

    @cached_property
    def nodes(self) -> Sequence[onnx.NodeProto]:
        """The nodes in execution order."""
        return tuple(self.model.graph.node)

    @cached_property
    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        """Tensor name to its shape, of those whose shape is known."""
        graph = self.model.graph
        return {
            value.name: tuple(axis.dim_value for axis in value.type.tensor_type.shape.dim)
            for value in (*graph.input, *graph.value_info, *graph.output)
            if all(axis.dim_value > 0 for axis in value.type.tensor_type.shape.dim)
        }

    @cached_property
    def _constants(self) -> frozenset[str]:
        return frozenset(tensor.name for tensor in self.model.graph.initializer)

    @cached_property
    def _makers(self) -> Mapping[str, int]:
        return {name: place for place, node in enumerate(self.nodes) for name in node.output if name}

    @cached_property
    def _readers(self) -> Mapping[str, Sequence[int]]:
        readers: dict[str, list[int]] = {}
        for place, node in enumerate(self.nodes):
            for name in dict.fromkeys(node.input):
                readers.setdefault(name, []).append(place)
        return readers

    @cached_property
    def _after(self) -> Sequence[Sequence[int]]:
        """Of each node those that read what it writes."""
        return [
            sorted({reader for name in node.output if name for reader in self._readers.get(name, ())})
            for node in self.nodes
        ]

    @cached_property
    def _before(self) -> Sequence[Sequence[int]]:
        """Of each node those that write what it reads."""
        return [
            sorted({self._makers[name] for name in node.input if name in self._makers}) for node in self.nodes
        ]

    @cached_property
    def _beside(self) -> Sequence[Sequence[int]]:
        """Of each node those that write or read a tensor that it writes or reads, weights apart."""
        ends: dict[str, list[int]] = {}
        for place, node in enumerate(self.nodes):
            for name in dict.fromkeys((*node.input, *node.output)):
                if name and name not in self._constants:
                    ends.setdefault(name, []).append(place)
        return [
            sorted({one for name in (*node.input, *node.output) for one in ends.get(name, ())})
            for node in self.nodes
        ]

    def name_of(self, place: int) -> str:
        """Return the name of a node, of its first output where it has none."""
        node = self.nodes[place]
        return str(node.name or node.output[0])

    def names(self, nodes: Iterable[int]) -> tuple[str, ...]:
        """Return the names of *nodes* in execution order."""
        return tuple(self.name_of(place) for place in sorted(nodes))

    def places(self, ops: Iterable[str]) -> Nodes:
        """Return the nodes that compute the source ops *ops*; what is not in the model is left out."""
        return frozenset(self.ops[op] for op in ops if op in self.ops)

    def connected(self, nodes: Nodes) -> Nodes:
        """Return a smallest piece that holds *nodes*: connected, and no path leaves it and comes back.

        Parts that nothing in the network connects stay parts.
        """
        joined = set(nodes)
        while len(parts := list(self.parts(joined))) > 1:
            ways = (self._path(part, frozenset(joined) - part) for part in parts)
            way = next((way for way in ways if way), None)
            if way is None:
                break
            joined |= way
        return self._closed(frozenset(joined))

    def grown(self, nodes: Nodes, rings: int) -> Nodes:
        """Return *nodes* with their neighbours up to *rings* steps away."""
        grown = set(nodes)
        for _ in range(rings):
            grown |= {near for place in grown for near in (*self._before[place], *self._after[place])}
        return self._closed(frozenset(grown))

    def parts(self, nodes: Iterable[int]) -> Iterator[Nodes]:
        """Yield the parts of *nodes* that hang together, the one of the first node first."""
        left = set(nodes)
        while left:
            part, queue = set[int](), [min(left)]
            while queue:
                place = queue.pop()
                if place in left:
                    left.discard(place)
                    part.add(place)
                    queue += self._beside[place]
            yield frozenset(part)

    def _path(self, start: Nodes, ends: Nodes) -> set[int]:
        """Return the nodes on a shortest way from *start* to one of *ends*, none where there is no way."""
        came: dict[int, int | None] = dict.fromkeys(sorted(start))
        queue = deque(came)
        while queue:
            place = queue.popleft()
            if place in ends:
                way = set[int]()
                step: int | None = place
                while step is not None:
                    way.add(step)
                    step = came[step]
                return way
            for near in self._beside[place]:
                if near not in came:
                    came[near] = place
                    queue.append(near)
        return set()

    def _closed(self, nodes: Nodes) -> Nodes:
        """Return *nodes* with all that lies on a path from one of them to another."""
        if not nodes:
            return nodes
        low, high = min(nodes), max(nodes)
        fed, feeding = set(nodes), set(nodes)
        for place in range(low, high + 1):
            if not fed.isdisjoint(self._before[place]):
                fed.add(place)
        for place in range(high, low - 1, -1):
            if not feeding.isdisjoint(self._after[place]):
                feeding.add(place)
        return nodes | frozenset(fed & feeding)

    def inputs(self, nodes: Nodes) -> tuple[str, ...]:
        """Return the tensors that *nodes* read and do not write, without weights."""
        own = {name for place in nodes for name in self.nodes[place].output}
        read = (name for place in sorted(nodes) for name in self.nodes[place].input if name)
        return tuple(dict.fromkeys(name for name in read if name not in own and name not in self._constants))

    def outputs(self, nodes: Nodes) -> tuple[str, ...]:
        """Return the tensors that *nodes* write for others, or for the network's outputs."""
        last = {value.name for value in self.model.graph.output}
        made = (name for place in sorted(nodes) for name in self.nodes[place].output if name)
        return tuple(
            name
            for name in made
            if name in last or any(reader not in nodes for reader in self._readers.get(name, ()))
        )

    def cut(self, nodes: Nodes) -> onnx.ModelProto:
        """Return *nodes* as a model of their own: the same nodes, weights and tensor names."""
        piece: onnx.ModelProto = self._extractor.extract_model(
            list(self.inputs(nodes)), list(self.outputs(nodes))
        )
        piece.producer_name = "trtmatrix"
        piece.graph.name = f"piece of {self.model.graph.name}"
        del piece.graph.value_info[:]
        if piece.ir_version < _INITIALIZERS_NEED_NO_INPUT:
            piece.graph.input.extend(
                helper.make_tensor_value_info(tensor.name, tensor.data_type, list(tensor.dims))
                for tensor in piece.graph.initializer
            )
        return piece

    @cached_property
    def _extractor(self) -> Extractor:
        return Extractor(self.model)


def _places(graph: Graph, model: onnx.ModelProto) -> Iterator[tuple[str, int]]:
    """Yield each source op with the place of its node.

    A node may be several source ops (a Gemm is a product and a sum): those in between write no tensor of the
    model, and belong to the node of what reads them.
    """
    makers = {name: place for place, node in enumerate(model.graph.node) for name in node.output if name}
    for op in graph.ops:
        last = op
        while last.output not in makers and (readers := graph.consumers(last.output)):
            last = readers[0]
        if last.output in makers:
            yield op.name, makers[last.output]
