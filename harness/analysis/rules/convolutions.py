"""What the pointwise and the depthwise rule share: time of one class of convolutions above its bound."""

from __future__ import annotations

from collections.abc import Mapping

from harness.analysis.rules.base import Cost
from harness.analysis.rules.carriers import cost_of, families_of, tells_classes, timed_engine
from harness.attribution.adoption import SharedLayers, shared_layers
from harness.attribution.engine import AttributedEngine, AttributedLayer, LayerRole
from harness.attribution.peaks import beaten_peaks, peaks_for, precision_of
from harness.attribution.roofline import class_bounds_ms
from harness.networks.graph import OpClass
from harness.observations.records import BuildObservation


def layers_of_class(build: BuildObservation, op_class: OpClass) -> list[AttributedLayer]:
    """Return the compute layers that are accounted to *op_class*, in execution order."""
    layers = build.engine.by_role.get(LayerRole.COMPUTE, ()) if build.engine is not None else ()
    return [layer for layer in layers if layer.op_class == op_class]


def convolution_cost(
    build: BuildObservation, op_class: OpClass, evidence: Mapping[str, object]
) -> Cost | None:
    """Return the time of *op_class* above its roofline bound, None where the build cannot tell.

    :param evidence: of the rule; time, bound and kernel families are put beside it
    """
    engine = timed_engine(build)
    if engine is None or not tells_classes(engine):
        return None
    layers = layers_of_class(build, op_class)
    spent = sum(layer.time_ms or 0.0 for layer in layers)
    bound_ms, source = roofline_bound(build, engine, op_class)
    beside = shared_layers(engine, op_class)
    shared: dict[str, object] = {
        "time_ms": spent,
        "time_share": None if engine.partial else spent / engine.total_ms,
        "bound_ms": bound_ms,
        "bound": source,
        "layers": len(layers),
        "kernel_families": families_of(layers),
        "elsewhere": beside.elsewhere,
        "guests": beside.guests,
    }
    every = {**shared, **evidence}
    return cost_of(engine, layers, every, bound_ms=bound_ms or 0.0, note=_shared_note(beside))


def _shared_note(beside: SharedLayers) -> str:
    """Say of layers that hold convolutions of several classes where their time is counted."""
    notes = []
    if beside.elsewhere:
        notes.append(f"{beside.elsewhere} of the {beside.total} run, and count, in layers of another class")
    if beside.guests:
        notes.append(f"convolutions of another class that run, and count, in these layers: {beside.guests}")
    return "; ".join(notes)


def roofline_bound(
    build: BuildObservation, engine: AttributedEngine, op_class: OpClass
) -> tuple[float | None, str]:
    """Return the least time of *op_class* in this engine, ms, and how the peaks of the device are known.

    None where the device, the precision or the network is unknown: the cost is then the whole time.
    """
    facts = dict(build.evidence.facts if build.evidence is not None else {}) | dict(build.facts)
    precision, peaks = precision_of(facts), peaks_for(facts)
    if precision is None or peaks is None:
        return None, beaten_peaks(facts) or "no peaks known"
    if engine.graph is None or not engine.batch_known:
        return None, "network or batch unknown"
    return class_bounds_ms(engine, peaks, precision).get(op_class, 0.0), peaks.source
