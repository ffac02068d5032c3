"""A second opinion on the reference outputs of a user's ONNX file: onnxruntime's CPU provider, if there.

A runtime is called invalid by the reference, so the reference has to be right first: an op may be read
wrongly here, or mean something else to everybody else.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import onnx

from harness.networks.graph import FloatArray, Graph

LARGEST_DIFFERENCE = 1e-3
"""Share of the largest value by which two FP32 evaluations may differ; the order of sums does less."""


def doubt_of(graph: Graph, inputs: Mapping[str, FloatArray], reference: Mapping[str, FloatArray]) -> str:
    """Say why *reference* cannot be trusted; empty where it can, or where nobody else can be asked.

    :param inputs: the tensors that the reference was computed from, by name
    """
    proto = graph.meta.get("proto")
    if not isinstance(proto, onnx.ModelProto):
        return ""
    found = _second_opinion(proto, inputs)
    for name, array in reference.items():
        other = found.get(name)
        if other is None:
            continue
        if other.shape != array.shape:
            return (
                f"the reference of output '{name}' has shape {array.shape}, onnxruntime's CPU provider "
                f"gives {other.shape}: it cannot be trusted, and nothing is measured against it"
            )
        scale = max(float(np.max(np.abs(array), initial=0.0)), 1e-30)
        difference = float(np.max(np.abs(array - other), initial=0.0)) / scale
        if not difference <= LARGEST_DIFFERENCE:
            return (
                f"the reference of output '{name}' differs from onnxruntime's CPU provider by "
                f"{difference:.3g} of its largest value: it cannot be trusted, nothing is measured against it"
            )
    return ""


def _second_opinion(proto: onnx.ModelProto, inputs: Mapping[str, FloatArray]) -> dict[str, FloatArray]:
    """Outputs by name, none where onnxruntime is not installed or does not take the model."""
    try:
        import onnxruntime
    except ImportError:
        return {}
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    names = [value.name for value in proto.graph.output]
    try:
        session = onnxruntime.InferenceSession(
            proto.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
        found = session.run(names, dict(inputs))
    except Exception:  # noqa: BLE001 - whatever it cannot load or run: its errors have no common base
        return {}
    return {name: np.asarray(array, np.float32) for name, array in zip(names, found, strict=True)}
