"""Attribution by data flow: which ops lie between the tensors an engine layer reads and those it writes."""

from __future__ import annotations

from collections.abc import Sequence

from harness.attribution.matching import OpMatcher
from harness.attribution.names import LayerName
from harness.evidence.records import EngineLayer
from harness.networks.graph import Graph, SourceOp


class TensorFlow:
    """Follows engine tensors, through reformats, to tensors of the network.

    :param graph: the network
    :param matcher: ties tensor names to ops (``(Unnamed Layer* 1) [Activation]_output`` too)
    :param layers: all layers of the engine
    """

    def __init__(self, graph: Graph, matcher: OpMatcher, layers: Sequence[EngineLayer]) -> None:
        self._graph, self._matcher = graph, matcher
        # A layer of one input and one output whose names TensorRT made up only passes its tensor on.
        self._same = {
            layer.outputs[0].name: layer.inputs[0].name
            for layer in layers
            if len(layer.inputs) == len(layer.outputs) == 1 and _is_copy(layer)
        }
        self._back = {source: made for made, source in self._same.items()}

    def tensor(self, name: str) -> str | None:
        """Return the network's tensor that the engine's tensor *name* holds, None where it cannot be told."""
        for _ in range(len(self._same) + 1):
            if name in self._graph.shapes:
                return name
            if (op := self._matcher.find(name)) is not None and name not in self._same:
                return self._graph.op(op).output
            if name not in self._same:
                break
            name = self._same[name]
        return None

    def between(self, layer: EngineLayer) -> tuple[str, ...]:
        """Return the ops from *layer*'s inputs to its outputs, in network order, empty where unsure."""
        ends = [self._ahead(t.name) for t in layer.outputs]
        begins = {t for t in (self.tensor(i.name) for i in layer.inputs) if t is not None}
        if not ends or not begins or None in ends:
            return ()
        found: set[str] = set()
        waiting = [end for end in ends if end is not None]
        while waiting:
            tensor = waiting.pop()
            op = self._graph.producer(tensor)
            if tensor in begins or (op is not None and op.name in found):
                continue
            if op is None:
                return ()  # Reached a network input that the layer does not read: the ends do not fit.
            found.add(op.name)
            waiting.extend(op.inputs)
        return self._matcher.in_order(found)

    def _ahead(self, name: str) -> str | None:
        """As :meth:`tensor`, also through the reformat that reads *name*."""
        found = self.tensor(name)
        for _ in range(len(self._back)):
            if found is not None or name not in self._back:
                break
            name = self._back[name]
            found = name if name in self._graph.shapes else None
        return found

    def sides(
        self, layer: EngineLayer, name: LayerName, target: Sequence[str]
    ) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return the ops before and after a reformat; empty on the side of the network's own edge.

        :param target: ops of the layer that the reformat is named after
        """
        if layer.inputs and (tensor := self.tensor(layer.inputs[0].name)) is not None:
            producer = self._graph.producer(tensor)
            before = (producer.name,) if producer else ()
            if name.side == "output" and tensor in self._graph.outputs:
                return before, ()
            readers = tuple(op.name for op in self._graph.consumers(tensor))
            after = tuple(target) if name.side == "input" and target else readers
            return before, after
        inside = [self._graph.op(op) for op in target]
        if name.side == "input":
            return self._producers(inside, name.index), tuple(target)
        if name.side == "output":
            return tuple(target), self._consumers(inside)
        return (), ()

    def _producers(self, inside: Sequence[SourceOp], index: int | None) -> tuple[str, ...]:
        outputs = {op.output for op in inside}
        outer = list(dict.fromkeys(t for op in inside for t in op.inputs if t not in outputs))
        if index is not None and index < len(outer):
            outer = [outer[index]]
        return tuple(p.name for t in outer if (p := self._graph.producer(t)) is not None)

    def _consumers(self, inside: Sequence[SourceOp]) -> tuple[str, ...]:
        names = {op.name for op in inside}
        readers = (r.name for op in inside for r in self._graph.consumers(op.output))
        return tuple(dict.fromkeys(r for r in readers if r not in names))


def _is_copy(layer: EngineLayer) -> bool:
    return (layer.type or "").lower() in ("reformat", "noop", "myelinreformat") or layer.name.startswith(
        "Reformatting CopyNode"
    )
