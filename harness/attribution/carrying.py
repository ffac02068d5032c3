"""Which source ops an engine layer carries, found in as many ways as there are (see ``attribution.py``)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from harness.attribution.engine import LayerRole
from harness.attribution.flow import TensorFlow
from harness.attribution.joining import TimedLayer
from harness.attribution.matching import OpMatcher, cut_name
from harness.attribution.names import LayerName, NameKind
from harness.attribution.structure import match_structure
from harness.evidence.records import EngineLayer
from harness.networks.graph import Graph, OpKind

_ONNX_METADATA = re.compile(r"\[ONNX Layer: (?P<name>[^\]\x1e]*)\]")
_QUANTIZE_NAME = re.compile(r"(De)?[Qq]uantize(Linear)?(_\d+)?$|/(fake_quant|FakeQuant)")


@dataclass(slots=True)
class PendingLayer:
    """A layer on its way into the engine."""

    timed: TimedLayer
    name: LayerName
    role: LayerRole
    ops: tuple[str, ...] = ()
    by: str = ""
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    at_edge: bool = False

    @property
    def layer(self) -> EngineLayer:
        """The engine layer."""
        return self.timed.layer

    @property
    def computes(self) -> bool:
        """It is there to compute something."""
        return self.role in (LayerRole.COMPUTE, LayerRole.UNKNOWN)


def is_quantize(layer: EngineLayer) -> bool:
    """Say whether *layer* quantises because the model asks for it."""
    if str(layer.attributes.get("origin", "")).upper() == "QDQ":
        return True
    return _named_quantize(layer.name)


@lru_cache(maxsize=65536)
def _named_quantize(name: str) -> bool:
    return " " not in name and _QUANTIZE_NAME.search(name) is not None


def find_ops(graph: Graph, matcher: OpMatcher, pending: Sequence[PendingLayer], *, partial: bool) -> None:
    """Fill in the ops of each layer, and what lies on either side of a reformat.

    :param partial: the layers are a part of the network: nothing is told from what is missing
    """
    for item in pending:
        if item.computes or (item.role is LayerRole.NO_OP and item.name.kind is not NameKind.REFORMAT):
            _by_metadata_or_name(graph, matcher, item)
    _by_subgraph(graph, matcher, pending)
    flow = TensorFlow(graph, matcher, [item.layer for item in pending])
    for item in pending:
        if item.computes and not item.ops and (ops := flow.between(item.layer)):
            item.ops, item.by = ops, "tensors"
    _by_structure(graph, pending)
    if not partial:
        _by_order(graph, matcher, pending)
    carriers = {item.layer.name: item.ops for item in pending if item.ops}
    for item in pending:
        if item.role in (LayerRole.REFORMAT, LayerRole.NO_OP) and not item.ops:
            item.before, item.after = flow.sides(item.layer, item.name, _target(matcher, item, carriers))


def _by_metadata_or_name(graph: Graph, matcher: OpMatcher, item: PendingLayer) -> None:
    listed = matcher.find_all(original_names(item.layer))
    if item.name.kind is NameKind.COPY:
        # `<tensor> copy` replaces a concatenation: the work is that of the op that reads the tensor.
        tensor = item.name.parts[0]
        op = matcher.find(tensor)
        readers = graph.consumers(graph.op(op).output if op else tensor)
        named: tuple[str, ...] = tuple(r.name for r in readers if r.kind is OpKind.CONCAT)[:1]
    elif item.name.kind is NameKind.FOREIGN:
        return
    else:
        named = _named(matcher, item)
    if listed:
        item.ops, item.by = matcher.in_order({*listed, *named}), "metadata"
    elif named:
        item.ops, item.by = named, "name"


def _named(matcher: OpMatcher, item: PendingLayer) -> tuple[str, ...]:
    parts = item.name.parts
    if parts and cut_name(item.layer.name) and matcher.find(parts[-1]) is None:
        whole = matcher.find_cut(parts[-1])
        parts = (*parts[:-1], *([whole] if whole else []))
    return matcher.find_all(parts)


def original_names(layer: EngineLayer) -> list[str]:
    """Return the network's names that the engine itself gives for *layer* (metadata, joined by U+001E)."""
    names = layer.attributes.get("original_names")
    found = [str(name) for name in names] if isinstance(names, list | tuple) else []
    metadata = layer.attributes.get("metadata")
    if isinstance(metadata, str):
        for piece in metadata.split("\x1e"):
            marked = _ONNX_METADATA.findall(piece)
            found.extend(marked or [piece.strip()])
    return [name for name in dict.fromkeys(found) if name]


def _by_subgraph(graph: Graph, matcher: OpMatcher, pending: Sequence[PendingLayer]) -> None:
    claimed = {op for item in pending for op in item.ops}
    for item in pending:
        if item.name.kind is not NameKind.FOREIGN or item.ops:
            continue
        places = [matcher.place(op) for op in matcher.find_all(item.name.parts)]
        if places:
            inside = graph.ops[min(places) : max(places) + 1]
            item.ops, item.by = tuple(op.name for op in inside if op.name not in claimed), "subgraph"
            claimed.update(item.ops)


def _by_structure(graph: Graph, pending: Sequence[PendingLayer]) -> None:
    computing = [item for item in pending if item.computes and not is_quantize(item.layer)]
    if any(item.ops for item in computing):
        return  # Some names are the network's: what is left over is no other export of it.
    for place, ops in match_structure(graph, [item.layer for item in computing]).items():
        computing[place].ops, computing[place].by = ops, "structure"


def _by_order(graph: Graph, matcher: OpMatcher, pending: Sequence[PendingLayer]) -> None:
    claimed = {op for item in pending for op in item.ops}
    computing = [item for item in pending if item.computes and not is_quantize(item.layer)]
    start = 0
    while start < len(computing):
        end = start
        while end < len(computing) and not computing[end].ops:
            end += 1
        group = computing[start:end]
        if group and all(_anonymous(item) for item in group):
            first = max((matcher.place(op) for op in computing[start - 1].ops), default=-1) if start else -1
            last = (
                min((matcher.place(op) for op in computing[end].ops), default=len(graph.ops))
                if end < len(computing)
                else len(graph.ops)
            )
            free = [op.name for op in graph.ops[first + 1 : last] if op.name not in claimed]
            _hand_out(free, group)
        start = end + 1


def _hand_out(free: Sequence[str], group: Sequence[PendingLayer]) -> None:
    if len(group) == 1 and free:
        group[0].ops, group[0].by = tuple(free), "order"
    elif len(group) == len(free):
        for item, op in zip(group, free, strict=True):
            item.ops, item.by = (op,), "order"


def _anonymous(item: PendingLayer) -> bool:
    """A layer whose name says nothing of its ops; a name that merely fails to match is left alone."""
    return item.name.kind is NameKind.MYELIN or item.layer.name.startswith("(Unnamed Layer")


def _target(
    matcher: OpMatcher, item: PendingLayer, carriers: Mapping[str, tuple[str, ...]]
) -> tuple[str, ...]:
    target = item.name.target
    if target is None:
        return ()
    if target in carriers:
        return carriers[target]
    # The reformatters of 5 to 7 name the convolution, whatever else was fused into its layer.
    return matcher.find_all(matcher.parse(target).parts)
