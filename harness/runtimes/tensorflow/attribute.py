"""Nodes of TensorFlow's rewritten graph tied to the source ops.

The worker says which nodes it wrote for each source op. Grappler calls a fused node after the last of what
went into it, so that the end of a node is known, and whatever has no node of its own went into the one that
reads it (:func:`harness.attribution.fused.spread`). A bias of its own belongs to the convolution it was
written for.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import cache
from pathlib import Path

from harness.attribution.engine import AttributedEngine, KernelFamily, LayerRole
from harness.attribution.families import FamilyRule, kernel_family, load_rules
from harness.attribution.fused import Claim, assemble
from harness.evidence.records import EngineLayer, Evidence
from harness.networks.graph import Graph

_LAID = re.compile(r"/to_n(hwc|chw)$")
_LAYOUT_OPTIMIZER = "LayoutOptimizer"


@cache
def rules() -> tuple[FamilyRule, ...]:
    """Return the kernel families of TensorFlow's CPU kernels."""
    return load_rules(Path(__file__).with_name("families.toml"))


def attribute_tensorflow(graph: Graph | None, evidence: Evidence) -> AttributedEngine:
    """Return the engine of a build whose evidence :mod:`harness.runtimes.tensorflow.evidence` has read."""
    ops = {op.name for op in graph.ops} if graph is not None else set()
    return assemble(graph, evidence, lambda layer: claim(ops, layer))


def claim(ops: Collection[str], layer: EngineLayer) -> Claim:
    """Return role, family and the source ops, of those called *ops*, that *layer* was written for."""
    # Kernels of the GPU are those of cuDNN and cuBLAS, which TensorRT has, too; what is Eigen's says its op.
    on_gpu = "kernels" in layer.attributes
    family = kernel_family(layer.kernel, layer.type) if on_gpu else KernelFamily.UNKNOWN
    if family is KernelFamily.UNKNOWN:
        family = kernel_family(None if on_gpu else layer.kernel, layer.type, rules=rules())
    if layer.type == "Transpose" and (_LAID.search(layer.name) or _LAYOUT_OPTIMIZER in layer.name):
        return Claim(LayerRole.REFORMAT, KernelFamily.REFORMAT)
    original = layer.attributes.get("original_names", [])
    assert isinstance(original, list)
    found = tuple(str(name) for name in original if name in ops)
    if not found and layer.type == "Identity":
        return Claim(LayerRole.NO_OP, KernelFamily.NO_OP)
    return Claim(LayerRole.COMPUTE, family, found, "metadata" if found else "")
