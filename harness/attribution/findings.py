"""What single rows of a profile already say: reformats and activation pieces around each convolution.

A partial profile, quoted in a forum, allows no share of the whole and no FLOP/s. It does allow this: what
the reformats around a convolution cost beside the convolution itself, and what an activation costs that
runs in pieces.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.attribution.engine import AttributedEngine, AttributedLayer, LayerRole
from harness.attribution.guess import is_activation_name
from harness.attribution.names import LayerName, NameKind, parse_name
from harness.networks.graph import Graph, OpClass, SourceOp, op_class
from harness.written import number_of, percent

_CONVOLUTIONS = (OpClass.DEPTHWISE, OpClass.POINTWISE, OpClass.CONVOLUTION)
Rows = tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class ConvolutionBlock:
    """A convolution with what stands around it; times in milliseconds.

    :param name: the convolution, as the engine layer's first part names it; empty for an activation whose
        convolution is not among the rows
    :param time_ms: of the convolution's own layer, None where it is not among the rows
    :param reformats: engine layers that reformat for it, those that execute
    :param activation: the activation behind it that runs on its own, empty where it is fused
    :param pieces: the engine layers of that activation
    """

    name: str
    op_class: str
    time_ms: float | None
    reformats: Rows = ()
    activation: str = ""
    pieces: Rows = ()

    @property
    def reformats_ms(self) -> float:
        """Time of the reformats."""
        return _sum(self.reformats)

    @property
    def activation_ms(self) -> float:
        """Time of the activation's pieces."""
        return _sum(self.pieces)

    def sentences(self) -> list[str]:
        """Return what there is to say, one line a finding."""
        found = []
        if self.reformats:
            beside = "" if self.time_ms is None else f" beside {self.time_ms:.3f} ms of its convolution"
            found.append(
                f"{self.name}: {_count(self.reformats, 'reformat')}, {self.reformats_ms:.3f} ms{beside}"
            )
        if self.pieces:
            inside = " in pieces" if len(self.pieces) > 1 else " on its own"
            found.append(
                f"{self.activation}:{inside}, {_count(self.pieces, 'layer')}, {self.activation_ms:.3f} ms"
            )
        return found


def block_findings(engine: AttributedEngine) -> tuple[ConvolutionBlock, ...]:
    """Return a block for each convolution that has reformats or an activation of its own, in engine order.

    Grouped by source ops where the network is known, else by names: ``X/depthwise`` with
    ``X/depthwise input reformatter 0`` and, in the same scope, ``X/Relu6`` and ``X/Relu6/relu1``.
    """
    groups: dict[str, _Group] = {}
    for layer in engine.layers:
        name = parse_name(layer.name)
        if layer.role is LayerRole.REFORMAT and name.target is not None:
            served = layer.before if name.side == "output" else layer.after
            key = _convolution_key(served or parse_name(name.target).parts or (name.target,))
            groups.setdefault(key, _Group()).reformats.append(layer)
        elif layer.standalone_activation and layer.role is LayerRole.COMPUTE:
            key, root = _activation_key(engine.graph, layer, name)
            group = groups.setdefault(key, _Group())
            group.activation = group.activation or root
            group.pieces.append(layer)
        elif layer.op_class in _CONVOLUTIONS:
            group = groups.setdefault(_convolution_key(layer.source_ops or _own_parts(name, layer)), _Group())
            group.convolution = group.convolution or layer
    blocks = (_block(group) for group in groups.values())
    return tuple(block for block in blocks if block.reformats or block.pieces)


def depthwise_sentence(engine: AttributedEngine, blocks: Sequence[ConvolutionBlock]) -> str:
    """Say whether depthwise convolutions are slow because of the reformats around them.

    :param blocks: those of *engine*
    :return: one line; empty where no depthwise convolution is timed
    """
    times = [
        layer.time_ms for layer in engine.layers if layer.op_class == OpClass.DEPTHWISE and layer.time_ms
    ]
    if not times:
        return ""
    own = math.fsum(times)
    moved = [row for block in blocks if block.op_class == OpClass.DEPTHWISE for row in block.reformats]
    said = f"depthwise convolutions: {len(times)}, {own:.3f} ms"
    if not moved:
        return f"{said}; not slowed by reformats, there are none around them"
    beside = _sum(tuple(moved))
    share = beside / (own + beside)
    return (
        f"{said}; {_count(moved, 'reformat')} around them, {beside:.3f} ms more: {percent(share, 0)} of both"
    )


class _Group:
    def __init__(self) -> None:
        self.convolution: AttributedLayer | None = None
        self.activation = ""
        self.reformats: list[AttributedLayer] = []
        self.pieces: list[AttributedLayer] = []


def _block(group: _Group) -> ConvolutionBlock:
    convolution = group.convolution
    name = ""
    if convolution is not None:
        name = _own_parts(parse_name(convolution.name), convolution)[0]
    elif group.reformats and (target := parse_name(group.reformats[0].name).target):
        name = next(iter(parse_name(target).parts), target)
    return ConvolutionBlock(
        name=name,
        op_class=convolution.op_class if convolution else "unknown",
        time_ms=convolution.time_ms if convolution else None,
        reformats=_rows(group.reformats),
        activation=group.activation,
        pieces=_rows(group.pieces),
    )


def _rows(layers: Sequence[AttributedLayer]) -> Rows:
    return tuple((layer.name, layer.time_ms or 0.0) for layer in layers)


def _own_parts(name: LayerName, layer: AttributedLayer) -> tuple[str, ...]:
    parts = name.parts if name.kind is not NameKind.FOREIGN else ()
    return parts or layer.source_ops or (layer.name,)


def _convolution_key(parts: Sequence[str]) -> str:
    """Return the scope of the first part that is no activation: `a/expand` of `a/expand/Conv2D`."""
    first = next((part for part in parts if not is_activation_name(part)), parts[0] if parts else "")
    return first.rpartition("/")[0] or first


def _activation_key(graph: Graph | None, layer: AttributedLayer, name: LayerName) -> tuple[str, str]:
    """Return the key of the convolution before an activation, and what the activation is called."""
    named = [part for part in name.parts if not part.startswith("(Unnamed")] or name.parts
    roots = [root for part in named if (root := _activation_root(part))]
    root = roots[0] if roots else layer.name
    if graph is not None and layer.source_ops:
        before = _before(graph, graph.op(layer.source_ops[0]))
        if before is not None:
            return before.name.rpartition("/")[0] or before.name, root
    return root.rpartition("/")[0] or root, root


def _activation_root(part: str) -> str:
    """Return the activation that *part* is, or is a piece of: `X/Relu6` of `X/Relu6/relu1`."""
    pieces = part.split("/")
    for end in range(1, len(pieces) + 1):
        if is_activation_name("/" + pieces[end - 1]):
            return "/".join(pieces[:end])
    return ""


def _before(graph: Graph, op: SourceOp) -> SourceOp | None:
    """Return the op whose output the activation *op* is a piece of works on."""
    found: SourceOp | None = op
    while found is not None and op_class(found) is OpClass.ACTIVATION:
        found = graph.producer(found.inputs[0])
    return found


def _sum(rows: Rows) -> float:
    # Printed figures have three decimals; their sum is exact to the last one again.
    return round(math.fsum(ms for _, ms in rows), 9)


def _count(rows: Sequence[object], what: str) -> str:
    return number_of(len(rows), what)


def totals(blocks: Sequence[ConvolutionBlock]) -> Mapping[str, float]:
    """Return milliseconds of all reformats and all activations in *blocks*."""
    return {
        "reformats_ms": round(math.fsum(block.reformats_ms for block in blocks), 9),
        "activations_ms": round(math.fsum(block.activation_ms for block in blocks), 9),
    }
