"""Which engine layer feeds which, and in what format: the edges of an engine's graph.

By the tensors that the runtime lists for its layers; where it lists none (the export of a profile, a list of
names), by the source ops that the layers carry. Nothing is drawn between layers of which neither is known.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from harness.attribution.layouts import layout_of
from harness.evidence.records import TensorInfo
from harness.networks.graph import Graph


@dataclass(frozen=True, slots=True)
class Edge:
    """A tensor on its way.

    :param source: place of the layer that writes it, None for an input of the network
    :param target: place of the layer that reads it, None for an output of the network
    :param format: layout and type (``hwc8 fp16``), empty where nothing says them
    :param dimensions: empty where they are not known
    """

    source: int | None
    target: int | None
    tensor: str
    format: str = ""
    dimensions: tuple[int, ...] = ()

    @property
    def label(self) -> str:
        """``hwc8 fp16 1x32x112x112``."""
        return " ".join(word for word in (self.format, "x".join(map(str, self.dimensions))) if word)


class Wired(Protocol):
    """What edges are found between."""

    @property
    def inputs(self) -> tuple[TensorInfo, ...]:
        """The tensors it reads."""
        ...

    @property
    def outputs(self) -> tuple[TensorInfo, ...]:
        """The tensors it writes."""
        ...

    @property
    def source_ops(self) -> tuple[str, ...]:
        """The source ops it carries."""
        ...

    @property
    def before(self) -> tuple[str, ...]:
        """Of a reformat: the source ops before it."""
        ...

    @property
    def after(self) -> tuple[str, ...]:
        """Of a reformat: the source ops behind it."""
        ...


def edges_between(layers: Sequence[Wired], graph: Graph | None) -> tuple[Edge, ...]:
    """Return the edges between *layers*, in the order of what they lead to.

    :param layers: of one engine, in execution order
    :param graph: the network, None where it is not known
    """
    if any(layer.inputs or layer.outputs for layer in layers):
        return tuple(_by_tensors(layers))
    return tuple(dict.fromkeys(_by_ops(layers, graph))) if graph is not None else ()


def _by_tensors(layers: Sequence[Wired]) -> Iterator[Edge]:
    """Yield an edge a tensor and reader. Several layers write one tensor where a concatenation is none."""
    writers: dict[str, list[int]] = {}
    for at, layer in enumerate(layers):
        for tensor in layer.outputs:
            writers.setdefault(tensor.name, []).append(at)
    read = set()
    for at, layer in enumerate(layers):
        for tensor in layer.inputs:
            read.add(tensor.name)
            for source in writers.get(tensor.name, [None]):
                if source != at:
                    yield _edge(source, at, tensor)
    for at, layer in enumerate(layers):
        yield from (_edge(at, None, tensor) for tensor in layer.outputs if tensor.name not in read)


def _edge(source: int | None, target: int | None, tensor: TensorInfo) -> Edge:
    return Edge(source, target, tensor.name, _format(tensor), tensor.dimensions or ())


def _format(tensor: TensorInfo) -> str:
    """Return the short words for a layout of TensorRT, another runtime's own word with the type behind it."""
    said = layout_of(tensor)
    if said == "unknown":
        return tensor.format or ""
    own = tensor.format if tensor.format and " " not in said and " " not in tensor.format else ""
    return f"{own} {said}".strip()


def _by_ops(layers: Sequence[Wired], graph: Graph) -> Iterator[Edge]:
    """Yield an edge from the layer of an op to the layers of those that read it, through reformats."""
    carrier = {op: at for at, layer in enumerate(layers) for op in layer.source_ops}
    bridges = {
        (before, after): at
        for at, layer in enumerate(layers)
        for before in layer.before
        for after in layer.after
    }
    for at, layer in enumerate(layers):
        for name in layer.source_ops:
            for tensor in graph.op(name).inputs:
                op = graph.producer(tensor)
                source = carrier.get(op.name) if op is not None else None
                if source == at or (op is not None and source is None):
                    continue
                shape = tuple(graph.shapes.get(tensor, ()))
                through = bridges.get((op.name, name)) if op is not None else None
                if through is not None:
                    yield Edge(source, through, tensor, dimensions=shape)
                yield Edge(source if through is None else through, at, tensor, dimensions=shape)
    for tensor in graph.outputs:
        op = graph.producer(tensor)
        if op is not None and op.name in carrier:
            yield Edge(carrier[op.name], None, tensor, dimensions=tuple(graph.shapes.get(tensor, ())))
