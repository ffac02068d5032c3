"""Attribution by structure: an engine whose names are all foreign, of a network that is known.

An export of the same architecture through another framework shares no name with the graph, but its
convolutions come in the same order with the same filters and shapes. Where they do, one by one, each engine
layer gets its convolution, and what lies between two convolutions goes to the layers between them by class,
or to the layer before where it was fused. The classifier may differ (a product in place of a 1x1
convolution, other classes). A single convolution that differs, and nothing is attributed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from harness.attribution.guess import guess_class
from harness.attribution.names import parse_name
from harness.evidence.records import EngineLayer
from harness.networks.graph import Graph, OpClass, OpKind, SourceOp, op_class

_CONVOLUTIONS = (OpClass.POINTWISE, OpClass.DEPTHWISE, OpClass.CONVOLUTION)
_LEAST = 5
"""Fewer convolutions than this are no structure: too many networks begin alike."""
_CLIP_INSIDE = re.compile(r"__myl_(Max|Min)")

_Shape = tuple[tuple[int, int], bool, int, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class _Anchor:
    """A layer and the convolution it runs: places in the engine and in the network."""

    layer: int
    op: int


def match_structure(graph: Graph, layers: Sequence[EngineLayer]) -> dict[int, tuple[str, ...]]:
    """Return index of a layer to its ops, in network order; empty where the structures differ.

    :param layers: compute layers of one engine, in execution order
    """
    anchors = _anchors(graph, layers)
    found: dict[int, list[str]] = {anchor.layer: [graph.ops[anchor.op].name] for anchor in anchors}
    for number, anchor in enumerate(anchors):
        after = anchors[number + 1] if number + 1 < len(anchors) else _Anchor(len(layers), len(graph.ops))
        free = list(graph.ops[anchor.op + 1 : after.op])
        for place in range(anchor.layer + 1, after.layer):
            kind = guess_class(layers[place], parse_name(layers[place].name))
            index = next((i for i, op in enumerate(free) if _fits(kind, op_class(op))), None)
            if index is not None:
                # `__myl_MaxMinMea_...`: the clip before the mean is in the kernel, as its name says.
                first = 0 if _CLIP_INSIDE.match(layers[place].name) else index
                found[place] = [op.name for op in free[first : index + 1]]
                del free[first : index + 1]
        found[anchor.layer].extend(op.name for op in free)
    return {place: tuple(names) for place, names in found.items()}


def _anchors(graph: Graph, layers: Sequence[EngineLayer]) -> list[_Anchor]:
    ours = [(place, _shape_of_op(graph, op)) for place, op in enumerate(graph.ops) if op.kind is OpKind.CONV]
    theirs = [
        (place, shape)
        for place, layer in enumerate(layers)
        if guess_class(layer, parse_name(layer.name)) in _CONVOLUTIONS
        and (shape := _shape_of_layer(layer)) is not None
    ]
    if len(ours) < _LEAST or not len(ours) - 1 <= len(theirs) <= len(ours):
        return []
    pairs = list(zip(ours, theirs, strict=False))
    if pairs and pairs[-1][0][1] != pairs[-1][1][1] and len(theirs) == len(ours):
        pairs.pop()  # A classifier of other classes.
    if any(one[1] != other[1] for one, other in pairs):
        return []
    return [_Anchor(layer=other[0], op=one[0]) for one, other in pairs]


def _shape_of_op(graph: Graph, op: SourceOp) -> _Shape:
    kernel = op.attributes.get("kernel")
    window = (int(kernel[0]), int(kernel[1])) if isinstance(kernel, list | tuple) else (0, 0)
    output = graph.shapes[op.output]
    return window, op_class(op) is OpClass.DEPTHWISE, output[1], output[2:]


def _shape_of_layer(layer: EngineLayer) -> _Shape | None:
    kernel, maps = layer.attributes.get("kernel"), layer.attributes.get("out_maps")
    dimensions = layer.outputs[0].dimensions if layer.outputs else None
    if not isinstance(kernel, list | tuple) or len(kernel) != 2 or dimensions is None or len(dimensions) < 3:
        return None
    groups = layer.attributes.get("groups", 1)
    channels = maps if isinstance(maps, int) else dimensions[-3]
    depthwise = isinstance(groups, int) and groups > 1
    return (int(kernel[0]), int(kernel[1])), depthwise, channels, tuple(dimensions[-2:])


def _fits(kind: str, wanted: OpClass) -> bool:
    if kind in (OpClass.DENSE, OpClass.POINTWISE):
        return wanted in (OpClass.DENSE, OpClass.POINTWISE)
    return kind == wanted
