"""Engine layers of any TensorRT version tied to the source ops of the network.

Ways, the surest first; :attr:`AttributedLayer.attributed_by` says which one it was:

``metadata``  the engine itself lists the network's ops (TensorRT 10, and other runtimes);
``name``      the fused name is made of the names of ops (:mod:`harness.attribution.names`);
``subgraph``  ``{ForeignNode[a...b]}``: the ops from a to b that no other layer claims;
``tensors``   the layer's tensors are those of the network: the ops between its inputs and its outputs;
``structure`` the names are foreign, but the convolutions are the network's, one by one
              (:mod:`harness.attribution.structure`);
``order``     a kernel inside a subgraph: the ops that lie between its neighbours' and nobody claims.

The time of a layer is shared among its ops by :func:`harness.attribution.shares.share_by_cost`. What
cannot be attributed keeps its time, as :attr:`AttributedEngine.unattributed_ms`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from harness.attribution.carrying import PendingLayer, find_ops, is_quantize
from harness.attribution.edges import at_edge, edge_tensors
from harness.attribution.engine import AttributedEngine, AttributedLayer, LayerRole
from harness.attribution.families import kernel_family
from harness.attribution.guess import guess_class
from harness.attribution.joining import KernelNames, TimedLayer, join_times
from harness.attribution.layouts import layout_of
from harness.attribution.matching import OpMatcher
from harness.attribution.names import LayerName, NameKind, parse_name
from harness.attribution.shares import heaviest_class, share_by_cost
from harness.evidence.records import Evidence
from harness.networks.graph import Graph, OpClass

QUANTIZE = "quantize"
"""Op class of layers that quantise because the model says so (``Origin`` QDQ): not an inserted reformat."""

_CONSTANT = re.compile(r"(?i)constant|shape_call")


def attribute(
    graph: Graph | None, evidence: Evidence, aliases: Mapping[str, str] | None = None
) -> AttributedEngine:
    """Return the engine of one build, attributed.

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
    pending = [_start(item, evidence, matcher) for item in timed]
    if graph is not None and matcher is not None:
        find_ops(graph, matcher, pending, partial=evidence.partial)
    edges = edge_tensors(evidence.layers)
    for item in pending:
        if item.role is LayerRole.REFORMAT:
            sides = (item.before, item.after) if graph is not None else None
            item.at_edge = at_edge(item.layer, item.name, sides, edges)
    version = evidence.facts.get("tensorrt")
    finish = _Finisher(graph, KernelNames(evidence), str(version) if version else None)
    layers = tuple(finish(position, item) for position, item in enumerate(pending))
    return AttributedEngine(
        layers=layers,
        graph=graph,
        total_ms=sum(layer.time_ms or 0.0 for layer in layers),
        unattributed_ms=sum(layer.time_ms or 0.0 for layer in layers if is_unattributed(layer)),
        partial=evidence.partial,
        batch_known=evidence.facts.get("batch") != "unknown",
    )


def is_unattributed(layer: AttributedLayer) -> bool:
    """Say whether *layer* computes something of which no source op is known."""
    computes = layer.role in (LayerRole.COMPUTE, LayerRole.UNKNOWN)
    return computes and not layer.source_ops and layer.op_class != QUANTIZE


def _all_names(evidence: Evidence) -> list[str]:
    names = [layer.name for layer in evidence.layers] + [row.name for row in evidence.times]
    return names + [t.name for layer in evidence.layers for t in (*layer.inputs, *layer.outputs)]


def _start(item: TimedLayer, evidence: Evidence, matcher: OpMatcher | None) -> PendingLayer:
    name = matcher.parse(item.layer.name) if matcher else parse_name(item.layer.name, lambda _: False)
    # A table leaves out rows of zero: a layer that a whole profile does not show did not run.
    profiled = bool(evidence.times) and not evidence.partial
    return PendingLayer(item, name, _role(item, name, profiled=profiled))


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


class _Finisher:
    def __init__(self, graph: Graph | None, kernels: KernelNames, version: str | None) -> None:
        self._graph, self._kernels, self._version = graph, kernels, version

    def __call__(self, position: int, item: PendingLayer) -> AttributedLayer:
        layer, kernel = item.layer, self._kernels.find(item.layer)
        op_class_, standalone = self._class(item)
        role = LayerRole.UNKNOWN if item.computes and op_class_ == "unknown" else item.role
        shares = share_by_cost(self._graph, item.ops) if self._graph is not None and item.ops else {}
        return AttributedLayer(
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
            at_edge=item.at_edge,
            inputs=layer.inputs,
            outputs=layer.outputs,
        )

    def _class(self, item: PendingLayer) -> tuple[str, bool]:
        if not item.computes:
            return str(item.role), False
        if is_quantize(item.layer) and not item.ops:
            return QUANTIZE, False
        if self._graph is None or not item.ops:
            guessed = guess_class(item.layer, item.name)
            return guessed, guessed == OpClass.ACTIVATION
        classes = {self._graph.classes[name] for name in item.ops}
        return heaviest_class(self._graph, item.ops), classes == {OpClass.ACTIVATION}
