"""Ops of the graph that ran, and layers of the engines inside it, tied to source ops."""

from __future__ import annotations

from harness.attribution.engine import AttributedEngine, KernelFamily, LayerRole
from harness.attribution.families import kernel_family
from harness.attribution.fused import Claim, assemble
from harness.evidence.records import EngineLayer, Evidence
from harness.networks.graph import Graph
from harness.runtimes.tensorflow.attribute import claim as claim_of_op
from harness.runtimes.tftrt.names import is_constant, turns, type_of


def attribute_tftrt(graph: Graph | None, evidence: Evidence) -> AttributedEngine:
    """Return the engine of a build whose evidence :mod:`harness.runtimes.tftrt.evidence` has read."""
    ops = {op.name for op in graph.ops} if graph is not None else set()

    def claim(layer: EngineLayer) -> Claim:
        return _claim(ops, layer) if layer.attributes.get("segment") else claim_of_op(ops, layer)

    return assemble(graph, evidence, claim)


def _claim(ops: set[str], layer: EngineLayer) -> Claim:
    if is_constant(layer.name):
        return Claim(LayerRole.NO_OP, KernelFamily.NO_OP)
    if turns(layer.name):
        return Claim(LayerRole.REFORMAT, KernelFamily.REFORMAT)
    original = layer.attributes.get("original_names", [])
    assert isinstance(original, list)
    found = tuple(str(name) for name in original if name in ops)
    kind = "PointWise" if layer.name.startswith("PWN(") else type_of(layer.name)
    family = kernel_family(layer.kernel, layer.type or kind, name=layer.name, tactic=layer.tactic)
    return Claim(LayerRole.COMPUTE, family, found, "name" if found else "")
