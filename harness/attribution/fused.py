"""Engine layers of a fused graph tied to the source ops they carry, and the attributed engine made of them.

For runtimes that tell which source tensor or node a layer ends in (or all the nodes it was made of). Two
steps: the ops that the runtime names; then every op that nobody named was fused into what reads it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from harness.attribution.engine import AttributedEngine, AttributedLayer, KernelFamily, LayerRole
from harness.attribution.shares import heaviest_class, in_network_order, share_by_cost
from harness.evidence.records import EngineLayer, Evidence
from harness.networks.graph import Graph, OpClass, SourceOp, op_class


@dataclass(frozen=True, slots=True)
class Claim:
    """What one engine layer is: its role, its kernel's family, and the source ops it is known to carry.

    :param by: how the ops were found (see :attr:`AttributedLayer.attributed_by`)
    """

    role: LayerRole
    family: KernelFamily
    ops: tuple[str, ...] = ()
    by: str = ""


_HEAVY = frozenset({OpClass.POINTWISE, OpClass.DEPTHWISE, OpClass.CONVOLUTION, OpClass.DENSE})


def spread(graph: Graph, claims: Sequence[Claim]) -> list[Claim]:
    """Give every op that no layer claims to the layers that carry its readers (else its inputs' producers).

    An op without a layer of its own ran inside another: a bias inside its convolution, a dropped reshape
    inside what follows. Where layers are left that carry nothing known, an op may as well have run in one of
    those: then only light ops are given away, and only to their readers.
    """
    certain = all(claim.ops for claim in claims if claim.role in (LayerRole.COMPUTE, LayerRole.UNKNOWN))
    owners: dict[str, list[int]] = {}
    for position, claim in enumerate(claims):
        for name in claim.ops:
            owners.setdefault(name, []).append(position)
    named = set(owners)
    for op in reversed(graph.ops):  # readers first, so that a chain of unclaimed ops ends in one layer
        if op.name not in named and (certain or op_class(op) not in _HEAVY):
            readers = [at for reader in graph.consumers(op.output) for at in owners.get(reader.name, ())]
            owners[op.name] = list(dict.fromkeys(readers))
    for op in graph.ops if certain else ():  # what nobody reads belongs to what it reads
        if not owners[op.name]:
            sources = _producers(graph, op)
            owners[op.name] = [at for source in sources for at in owners[source.name]][:1]
    return [
        Claim(
            claim.role,
            claim.family,
            in_network_order(graph, [name for name, places in owners.items() if at in places]),
            claim.by,
        )
        for at, claim in enumerate(claims)
    ]


def _producers(graph: Graph, op: SourceOp) -> list[SourceOp]:
    return [source for tensor in op.inputs if (source := graph.producer(tensor)) is not None]


def assemble(
    graph: Graph | None, evidence: Evidence, claim: Callable[[EngineLayer], Claim]
) -> AttributedEngine:
    """Return the engine of one build, attributed.

    :param claim: role, family and named ops of a layer; called once for each, in order
    """
    claims = [claim(layer) for layer in evidence.layers]
    if graph is not None:
        claims = spread(graph, claims)
    times = {row.position: row.typical_ms for row in evidence.times}
    neighbours = _Neighbours(evidence.layers, claims)
    layers = tuple(
        _engine_layer(graph, layer, claims[at], times.get(layer.position), neighbours)
        for at, layer in enumerate(evidence.layers)
    )
    unattributed = sum(
        layer.time_ms or 0.0
        for layer in layers
        if layer.role in (LayerRole.COMPUTE, LayerRole.UNKNOWN) and not layer.source_ops
    )
    total = sum(layer.time_ms or 0.0 for layer in layers)
    return AttributedEngine(layers, graph, total, unattributed, evidence.partial)


def _engine_layer(
    graph: Graph | None,
    layer: EngineLayer,
    claim: Claim,
    time_ms: float | None,
    neighbours: _Neighbours,
) -> AttributedLayer:
    reformats = claim.role is LayerRole.REFORMAT
    computes = claim.role in (LayerRole.COMPUTE, LayerRole.UNKNOWN)
    ops = claim.ops if computes else ()
    return AttributedLayer(
        position=layer.position,
        name=layer.name,
        type=layer.type,
        kernel=layer.kernel,
        tactic=layer.tactic,
        family=claim.family,
        role=claim.role,
        op_class=_class(graph, claim.role, ops),
        time_ms=time_ms,
        source_ops=ops,
        shares=share_by_cost(graph, ops) if graph is not None else {},
        before=neighbours.before(layer) if reformats else (),
        after=neighbours.after(layer) if reformats else (),
        input_formats=tuple(tensor.format for tensor in layer.inputs if tensor.format),
        output_formats=tuple(tensor.format for tensor in layer.outputs if tensor.format),
        standalone_activation=_only_activations(graph, ops),
        attributed_by=claim.by if ops else "",
        inputs=layer.inputs,
        outputs=layer.outputs,
    )


def _class(graph: Graph | None, role: LayerRole, ops: Sequence[str]) -> str:
    if role in (LayerRole.REFORMAT, LayerRole.NO_OP):
        return str(role)
    return heaviest_class(graph, ops) if graph is not None else str(LayerRole.UNKNOWN)


def _only_activations(graph: Graph | None, ops: Sequence[str]) -> bool:
    if graph is None or not ops:
        return False
    return all(op_class(graph.op(name)) is OpClass.ACTIVATION for name in ops)


class _Neighbours:
    """Which source ops lie on either side of a reformat, through others and through no-ops."""

    def __init__(self, layers: Sequence[EngineLayer], claims: Sequence[Claim]) -> None:
        # None for a layer to look through.
        self._ops: Mapping[int, tuple[str, ...] | None] = {
            layer.position: None if claim.role in (LayerRole.REFORMAT, LayerRole.NO_OP) else claim.ops
            for layer, claim in zip(layers, claims, strict=True)
        }
        self._writer: dict[str, EngineLayer] = {}
        self._readers: dict[str, list[EngineLayer]] = {}
        for layer in layers:
            for tensor in layer.outputs:
                self._writer[tensor.name] = layer
            for tensor in layer.inputs:
                self._readers.setdefault(tensor.name, []).append(layer)

    def before(self, layer: EngineLayer) -> tuple[str, ...]:
        """Return the ops of the layers that write what *layer* reads."""
        found: list[str] = []
        for tensor in layer.inputs:
            writer = self._writer.get(tensor.name)
            if writer is not None:
                ops = self._ops[writer.position]
                found.extend(self.before(writer) if ops is None else ops)
        return tuple(dict.fromkeys(found))

    def after(self, layer: EngineLayer) -> tuple[str, ...]:
        """Return the ops of the layers that read what *layer* writes."""
        found: list[str] = []
        for tensor in layer.outputs:
            for reader in self._readers.get(tensor.name, ()):
                ops = self._ops[reader.position]
                found.extend(self.after(reader) if ops is None else ops)
        return tuple(dict.fromkeys(found))
