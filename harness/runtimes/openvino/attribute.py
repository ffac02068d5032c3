"""Nodes of OpenVINO's executed graph tied to the source ops by the names that the plugin itself keeps.

``originalLayersNames`` lists what was fused into a node. A convolution's name there is ``<op>/WithoutBiases``
beside the op's own; the last op of the network goes by the name of the network's output; names that the
plugin made up (``Multiply_17661``) stand for parts of ops that are listed too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from harness.attribution.engine import AttributedEngine, KernelFamily, LayerRole
from harness.attribution.families import FamilyRule, kernel_family, load_rules
from harness.attribution.fused import Claim, assemble
from harness.evidence.records import EngineLayer, Evidence
from harness.networks.graph import Graph

_PRECISION = re.compile(r"_(FP32|FP16|BF16|I8|U8|I32|I64|f32|f16|bf16|i8|u8|i32|i64|BOOL|boolean|undef)$")
_BIASLESS = "/WithoutBiases"
_ENDS = frozenset({"Input", "Output", "Parameter", "Result"})


@cache
def rules() -> tuple[FamilyRule, ...]:
    """Return the kernel families of OpenVINO's CPU plugin."""
    return load_rules(Path(__file__).with_name("families.toml"))


def attribute_openvino(graph: Graph | None, evidence: Evidence) -> AttributedEngine:
    """Return the engine of a build whose evidence :mod:`harness.runtimes.openvino.evidence` has read."""
    names = source_names(graph) if graph is not None else {}
    return assemble(graph, evidence, lambda layer: claim(names, layer))


def source_names(graph: Graph) -> dict[str, str]:
    """Return every name under which OpenVINO may know an op, to the op's own."""
    by_output = {op.output: op.name for op in graph.ops}
    return {**by_output, **{op.name: op.name for op in graph.ops}}


def claim(names: Mapping[str, str], layer: EngineLayer) -> Claim:
    """Return role, family and source ops of *layer*."""
    if layer.type in _ENDS:
        return Claim(LayerRole.NO_OP, KernelFamily.NO_OP)
    primitive = _PRECISION.sub("", layer.kernel or "")
    family = kernel_family(primitive or None, layer.type, rules=rules())
    original = layer.attributes.get("original_names", [])
    assert isinstance(original, list)
    ops = [names[name] for full in original if (name := str(full).removesuffix(_BIASLESS)) in names]
    if not ops and layer.type in ("Reorder", "Transpose"):
        # Counted as not run: a buffer passed on, since the layouts agree in memory. (The plugin says so of
        # everything below a microsecond, so it means nothing of a layer that carries ops.)
        if layer.attributes.get("status") == "EXECUTED":
            return Claim(LayerRole.REFORMAT, KernelFamily.REFORMAT)
        return Claim(LayerRole.NO_OP, KernelFamily.NO_OP)
    return Claim(LayerRole.COMPUTE, family, tuple(dict.fromkeys(ops)), "metadata")
