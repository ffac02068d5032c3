"""Nodes of onnxruntime's optimized graph tied to the source ops.

A fused node is named after the last tensor of what was fused into it, as far as onnxruntime still knew it:
``expanded_conv/depthwise/Relu6_nchwc`` ends in that tensor; a convolution that took over the sum of a
residual keeps its own name and has a fourth input. So the end of a node is found, and whatever has no node of
its own went into the node that reads it (:func:`harness.attribution.fused.spread`).
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from harness.attribution.engine import AttributedEngine, LayerRole
from harness.attribution.families import FamilyRule, kernel_family, load_rules
from harness.attribution.fused import Claim, assemble
from harness.evidence.records import EngineLayer, Evidence
from harness.networks.graph import Graph, OpClass, OpKind, SourceOp, op_class

_SUFFIX = "_nchwc"
_REORDERS = ("ReorderInput", "ReorderOutput")


@cache
def rules() -> tuple[FamilyRule, ...]:
    """Return the kernel families of onnxruntime's CPU kernels."""
    return load_rules(Path(__file__).with_name("families.toml"))


def attribute_onnxruntime(graph: Graph | None, evidence: Evidence) -> AttributedEngine:
    """Return the engine of a build whose evidence :mod:`harness.runtimes.onnxruntime.evidence` has read."""
    return assemble(graph, evidence, lambda layer: claim(graph, layer))


def claim(graph: Graph | None, layer: EngineLayer) -> Claim:
    """Return role, family and last source op of *layer* (none of a network that is not known)."""
    family = kernel_family(layer.kernel, layer.type, rules=rules())
    if layer.type in _REORDERS:
        return Claim(LayerRole.REFORMAT, family)
    end, by = last_op(graph, layer) if graph is not None else (None, "")
    if end is None and layer.type == "Transpose":
        # Not one of the network: inserted for a kernel that wants another layout.
        return Claim(LayerRole.REFORMAT, family)
    return Claim(LayerRole.COMPUTE, family, (end.name,) if end is not None else (), by)


def last_op(graph: Graph, layer: EngineLayer) -> tuple[SourceOp | None, str]:
    """Return the source op whose output *layer* computes, and how it was found."""
    for tensor in layer.outputs:
        if (op := graph.producer(tensor.name)) is not None:
            return op, "tensors"
    name = str(layer.attributes.get("printed_name", layer.name)).removesuffix(_SUFFIX)
    op = graph.producer(name)
    if op is None:
        op = next((op for op in graph.ops if op.name == name), None)
    return (_with_fused(graph, op, layer), "name") if op is not None else (None, "")


def _with_fused(graph: Graph, op: SourceOp, layer: EngineLayer) -> SourceOp:
    """Step over the residual's sum and the activation that *layer* says it has taken over."""
    if "sum_input" in layer.attributes and op.kind is OpKind.CONV:
        op = next((reader for reader in graph.consumers(op.output) if reader.kind is OpKind.ADD), op)
    if "activation" in layer.attributes and op_class(op) is not OpClass.ACTIVATION:
        readers = graph.consumers(op.output)
        op = next((reader for reader in readers if op_class(reader) is OpClass.ACTIVATION), op)
    return op
