"""Which reformats stand at the edge of the network: at its own inputs and outputs."""

from __future__ import annotations

from collections.abc import Sequence

from harness.attribution.names import LayerName
from harness.evidence.records import EngineLayer


def edge_tensors(layers: Sequence[EngineLayer]) -> tuple[frozenset[str], frozenset[str]]:
    """Return the tensors that no layer writes and those that no layer reads."""
    read = {tensor.name for layer in layers for tensor in layer.inputs}
    written = {tensor.name for layer in layers for tensor in layer.outputs}
    return frozenset(read - written), frozenset(written - read)


def at_edge(
    layer: EngineLayer,
    name: LayerName,
    sides: tuple[Sequence[str], Sequence[str]] | None,
    edges: tuple[frozenset[str], frozenset[str]],
) -> bool:
    """Say whether the reformat *layer* is one of the network's own input or output.

    :param sides: source ops before and after it, None where the network is unknown
    :param edges: of the engine (:func:`edge_tensors`)
    """
    if name.boundary:
        return True
    if sides is not None:
        return bool(sides[0]) != bool(sides[1])
    begins = any(tensor.name in edges[0] for tensor in layer.inputs)
    return begins or any(tensor.name in edges[1] for tensor in layer.outputs)
