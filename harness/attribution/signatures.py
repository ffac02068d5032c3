"""Which engine layers are equal to the builder: same operations, shapes and parameters, other weights."""

from __future__ import annotations

from harness.attribution.engine import AttributedEngine, AttributedLayer
from harness.attribution.names import parse_name
from harness.evidence.records import EngineLayer, Evidence
from harness.networks.graph import Graph, SourceOp

_ATTRIBUTES = ("kernel", "stride", "groups", "out_maps", "activation")


def signatures(engine: AttributedEngine, evidence: Evidence) -> dict[int, object]:
    """Return layer position to a value that is equal for equal layers; what cannot be told is missing.

    From the network where it is known (shapes and attributes of the source ops), else from what the engine
    says of the layer (shapes of its tensors, filter, stride), its name's form included.
    """
    by_name: dict[str, EngineLayer] = {layer.name: layer for layer in evidence.layers}
    found: dict[int, object] = {}
    for layer in engine.layers:
        value = _of_ops(engine.graph, layer) or _of_layer(by_name.get(layer.name))
        if value is not None:
            found[layer.position] = value
    return found


def _of_ops(graph: Graph | None, layer: AttributedLayer) -> object | None:
    if graph is None or not layer.source_ops:
        return None
    return tuple(_of_op(graph, graph.op(name)) for name in layer.source_ops)


def _of_op(graph: Graph, op: SourceOp) -> object:
    shapes = tuple(graph.shapes[tensor] for tensor in (*op.inputs, op.output))
    return (op.kind, shapes, tuple(sorted((k, repr(v)) for k, v in op.attributes.items())))


def _of_layer(layer: EngineLayer | None) -> object | None:
    shapes = tuple(t.dimensions for t in (*layer.inputs, *layer.outputs)) if layer else ()
    if layer is None or not shapes or None in shapes:
        return None
    told = tuple(repr(layer.attributes.get(key)) for key in _ATTRIBUTES)
    name = parse_name(layer.name)
    return (shapes, told, name.kind, len(name.parts))
