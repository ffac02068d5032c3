"""Engine layers of any TensorRT version tied to the source ops of the network.

Ways, the surest first; :attr:`PictureLayer.attributed_by` says which one it was:

``metadata``  the engine itself lists the network's ops (TensorRT 10, and other runtimes);
``name``      the fused name is made of the names of ops (:mod:`harness.layers.names`);
``subgraph``  ``{ForeignNode[a...b]}``: the ops from a to b that no other layer claims;
``tensors``   the layer's tensors are those of the network: the ops between its inputs and its outputs;
``order``     a kernel inside a subgraph: the ops that lie between its neighbours' and nobody claims.

The time of a layer is shared among its ops by :func:`harness.layers.shares.share_by_cost`. What cannot be
attributed keeps its time, as :attr:`Picture.unattributed_ms`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from harness.evidence.records import EngineLayer, Evidence
from harness.layers.families import kernel_family
from harness.layers.flow import TensorFlow
from harness.layers.guess import guess_class
from harness.layers.joining import KernelNames, TimedLayer, join_times
from harness.layers.layouts import layout_of
from harness.layers.matching import OpMatcher, cut_name
from harness.layers.names import LayerName, NameKind, parse_name
from harness.layers.picture import LayerRole, Picture, PictureLayer
from harness.layers.shares import heaviest_class, share_by_cost
from harness.networks.graph import Graph, OpClass, OpKind, op_class

QUANTIZE = "quantize"
"""Op class of layers that quantise because the model says so (``Origin`` QDQ): not an inserted reformat."""

_ONNX_METADATA = re.compile(r"\[ONNX Layer: (?P<name>[^\]\x1e]*)\]")
_QUANTIZE_NAME = re.compile(r"(De)?[Qq]uantize(Linear)?(_\d+)?$|/(fake_quant|FakeQuant)")
_CONSTANT = re.compile(r"(?i)constant|shape_call")


@dataclass(slots=True)
class _Work:
    """A layer on its way into the picture."""

    timed: TimedLayer
    name: LayerName
    role: LayerRole
    ops: tuple[str, ...] = ()
    by: str = ""
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    produces: list[str] = field(default_factory=list)

    @property
    def layer(self) -> EngineLayer:
        return self.timed.layer

    @property
    def computes(self) -> bool:
        return self.role in (LayerRole.COMPUTE, LayerRole.UNKNOWN)


def attribute(graph: Graph | None, evidence: Evidence, aliases: Mapping[str, str] | None = None) -> Picture:
    """Return the picture of one build.

    :param graph: the network; None where it is unknown: nothing is attributed, classes are told from types,
        shapes and names
    :param aliases: foreign name, or regular expression for its start, to op name; default: what the evidence
        carries under ``facts["aliases"]``
    :raises UsageError: an alias is no valid regular expression
    """
    if aliases is None:
        known = evidence.facts.get("aliases")
        aliases = {str(k): str(v) for k, v in known.items()} if isinstance(known, Mapping) else {}
    timed = join_times(evidence)
    matcher = OpMatcher(graph, aliases, _all_names(evidence)) if graph is not None else None
    work = [_start(item, evidence, matcher) for item in timed]
    if graph is not None and matcher is not None:
        _attribute_all(graph, matcher, work, partial=evidence.partial)
    version = evidence.facts.get("tensorrt")
    finish = _Finisher(graph, KernelNames(evidence), str(version) if version else None)
    layers = tuple(finish(position, item) for position, item in enumerate(work))
    return Picture(
        layers=layers,
        graph=graph,
        total_ms=sum(layer.time_ms or 0.0 for layer in layers),
        unattributed_ms=sum(layer.time_ms or 0.0 for layer in layers if is_unattributed(layer)),
        partial=evidence.partial,
    )


def is_unattributed(layer: PictureLayer) -> bool:
    """Say whether *layer* computes something of which no source op is known."""
    computes = layer.role in (LayerRole.COMPUTE, LayerRole.UNKNOWN)
    return computes and not layer.source_ops and layer.op_class != QUANTIZE


def _all_names(evidence: Evidence) -> list[str]:
    names = [layer.name for layer in evidence.layers] + [row.name for row in evidence.times]
    return names + [t.name for layer in evidence.layers for t in (*layer.inputs, *layer.outputs)]


def _start(item: TimedLayer, evidence: Evidence, matcher: OpMatcher | None) -> _Work:
    name = parse_name(item.layer.name, matcher.knows if matcher else lambda _: False)
    # A table leaves out rows of zero: a layer that a whole profile does not show did not run.
    profiled = bool(evidence.times) and not evidence.partial
    return _Work(item, name, _role(item, name, profiled=profiled))


def _role(item: TimedLayer, name: LayerName, *, profiled: bool) -> LayerRole:
    kind = (item.layer.type or "").lower()
    idle = item.time_ms == 0 or (item.time_ms is None and profiled)
    if kind == "noop" or (idle and _CONSTANT.search(kind + item.layer.name)):
        return LayerRole.NO_OP
    if is_quantize(item.layer):
        return LayerRole.COMPUTE
    if name.kind is NameKind.REFORMAT or kind in ("reformat", "myelinreformat"):
        return LayerRole.NO_OP if idle else LayerRole.REFORMAT
    return LayerRole.COMPUTE


def is_quantize(layer: EngineLayer) -> bool:
    """Say whether *layer* quantises because the model asks for it."""
    if str(layer.attributes.get("origin", "")).upper() == "QDQ":
        return True
    return " " not in layer.name and _QUANTIZE_NAME.search(layer.name) is not None


# Which ops


def _attribute_all(graph: Graph, matcher: OpMatcher, work: Sequence[_Work], *, partial: bool) -> None:
    for item in work:
        if item.computes or (item.role is LayerRole.NO_OP and item.name.kind is not NameKind.REFORMAT):
            _by_metadata_or_name(graph, matcher, item)
    _by_subgraph(graph, matcher, work)
    flow = TensorFlow(graph, matcher, [item.layer for item in work])
    for item in work:
        if item.computes and not item.ops and (ops := flow.between(item.layer)):
            item.ops, item.by = ops, "tensors"
    if not partial:
        _by_order(graph, matcher, work)
    carriers = {item.layer.name: item.ops for item in work if item.ops}
    for item in work:
        if item.role in (LayerRole.REFORMAT, LayerRole.NO_OP) and not item.ops:
            item.before, item.after = flow.sides(item.layer, item.name, _target(matcher, item, carriers))


def _by_metadata_or_name(graph: Graph, matcher: OpMatcher, item: _Work) -> None:
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


def _named(matcher: OpMatcher, item: _Work) -> tuple[str, ...]:
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


def _by_subgraph(graph: Graph, matcher: OpMatcher, work: Sequence[_Work]) -> None:
    claimed = {op for item in work for op in item.ops}
    for item in work:
        if item.name.kind is not NameKind.FOREIGN or item.ops:
            continue
        places = [matcher.place(op) for op in matcher.find_all(item.name.parts)]
        if places:
            inside = graph.ops[min(places) : max(places) + 1]
            item.ops, item.by = tuple(op.name for op in inside if op.name not in claimed), "subgraph"
            claimed.update(item.ops)


def _by_order(graph: Graph, matcher: OpMatcher, work: Sequence[_Work]) -> None:
    claimed = {op for item in work for op in item.ops}
    computing = [item for item in work if item.computes and not is_quantize(item.layer)]
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


def _hand_out(free: Sequence[str], group: Sequence[_Work]) -> None:
    if len(group) == 1 and free:
        group[0].ops, group[0].by = tuple(free), "order"
    elif len(group) == len(free):
        for item, op in zip(group, free, strict=True):
            item.ops, item.by = (op,), "order"


def _anonymous(item: _Work) -> bool:
    """A layer whose name says nothing of its ops; a name that merely fails to match is left alone."""
    return item.name.kind is NameKind.MYELIN or item.layer.name.startswith("(Unnamed Layer")


def _target(matcher: OpMatcher, item: _Work, carriers: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    target = item.name.target
    if target is None:
        return ()
    if target in carriers:
        return carriers[target]
    # The reformatters of 5 to 7 name the convolution, whatever else was fused into its layer.
    return matcher.find_all(parse_name(target, matcher.knows).parts)


# The finished layer


class _Finisher:
    def __init__(self, graph: Graph | None, kernels: KernelNames, version: str | None) -> None:
        self._graph, self._kernels, self._version = graph, kernels, version

    def __call__(self, position: int, item: _Work) -> PictureLayer:
        layer, kernel = item.layer, self._kernels.find(item.layer)
        op_class_, standalone = self._class(item)
        role = LayerRole.UNKNOWN if item.computes and op_class_ == "unknown" else item.role
        shares = share_by_cost(self._graph, item.ops) if self._graph is not None and item.ops else {}
        return PictureLayer(
            position=position,
            name=layer.name,
            type=layer.type,
            kernel=kernel,
            tactic=layer.tactic,
            family=kernel_family(
                kernel, layer.type, name=layer.name, tactic=layer.tactic, version=self._version
            ),
            role=role,
            op_class=op_class_,
            time_ms=item.timed.time_ms,
            source_ops=item.ops,
            shares=shares,
            before=item.before,
            after=item.after,
            input_formats=tuple(layout_of(tensor) for tensor in layer.inputs),
            output_formats=tuple(layout_of(tensor) for tensor in layer.outputs),
            standalone_activation=standalone,
            attributed_by=item.by,
        )

    def _class(self, item: _Work) -> tuple[str, bool]:
        if not item.computes:
            return str(item.role), False
        if is_quantize(item.layer) and not item.ops:
            return QUANTIZE, False
        if self._graph is None or not item.ops:
            guessed = guess_class(item.layer, item.name)
            return guessed, guessed == OpClass.ACTIVATION
        classes = {op_class(self._graph.op(name)) for name in item.ops}
        return heaviest_class(self._graph, item.ops), classes == {OpClass.ACTIVATION}
