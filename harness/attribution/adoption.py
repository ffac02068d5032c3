"""How many 1x1 convolutions run on which kernels, and the other counts that stand beside a verdict."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from harness.attribution.engine import (
    AttributedEngine,
    AttributedLayer,
    KernelFamily,
    LayerRole,
)
from harness.attribution.families import GEMM_FAMILIES
from harness.attribution.roofline import time_and_flop_shares
from harness.networks.graph import Graph, OpClass
from harness.remembering import once_each


@dataclass(frozen=True, slots=True)
class PointwiseKernels:
    """Kernels of the 1x1 convolutions of one engine; a count is of convolutions, not of layers.

    :param total: convolutions found in the engine
    :param families: kernel family to number of convolutions
    :param kernels: convolution to its family and kernel name, in network order
    """

    total: int
    families: Mapping[KernelFamily, int]
    kernels: Mapping[str, tuple[KernelFamily, str | None]]

    @property
    def on_gemm_as_conv1x1(self) -> int:
        """Convolutions on the family announced as ``gemm_as_1x1conv``."""
        return self.families.get(KernelFamily.GEMM_AS_CONV1X1, 0)

    @property
    def on_any_gemm(self) -> int:
        """Convolutions on a GEMM kernel of whatever family."""
        return sum(self.families.get(family, 0) for family in GEMM_FAMILIES)

    @property
    def unknown(self) -> int:
        """Convolutions whose kernel is not known."""
        return self.families.get(KernelFamily.UNKNOWN, 0)


@dataclass(frozen=True, slots=True)
class Reformats:
    """Layers that only change layout or type.

    :param executed: those that run, :param time_ms: what they cost
    :param no_ops: those that are listed and never launched, whatever their name
    :param interior, boundary: executed ones between ops, and at the network's own inputs and outputs
    :param transitions: (layout before, layout after) to (count, milliseconds), executed ones only
    """

    executed: int
    time_ms: float
    no_ops: int
    interior: int
    boundary: int
    transitions: Mapping[tuple[str, str], tuple[int, float]]


@dataclass(frozen=True, slots=True)
class SharedLayers:
    """Convolutions in layers that hold several classes of them; each counts for its heaviest op's class.

    :param total: convolutions of one class found in the engine
    :param elsewhere: those of them in layers accounted to another class, whose time they share unseen
    :param guests: convolutions of other classes in the layers accounted to this one
    """

    total: int = 0
    elsewhere: int = 0
    guests: int = 0


@dataclass(frozen=True, slots=True)
class Adoption:
    """The counts of one engine.

    :param depthwise_time_share: part of the layer times, None for a partial profile or none
    :param depthwise_flop_share: part of the network's FLOPs, None where the network is unknown
    :param depthwise_elsewhere: depthwise convolutions that layers of other classes hold: in the share of
        FLOPs, not in that of time
    :param activations: layers that hold nothing but activations; :param activations_ms: what they cost
    """

    pointwise: PointwiseKernels
    reformats: Reformats
    depthwise_time_share: float | None
    depthwise_flop_share: float | None
    depthwise_elsewhere: int
    activations: int
    activations_ms: float

    def as_json(self) -> dict[str, object]:
        """Return the counts as JSON-able values."""
        return {
            "pointwise": self.pointwise.total,
            "on_gemm_as_conv1x1": self.pointwise.on_gemm_as_conv1x1,
            "on_any_gemm": self.pointwise.on_any_gemm,
            "pointwise_families": {str(k): v for k, v in sorted(self.pointwise.families.items())},
            "reformats": self.reformats.executed,
            "reformats_ms": self.reformats.time_ms,
            "reformats_interior": self.reformats.interior,
            "reformats_boundary": self.reformats.boundary,
            "no_ops": self.reformats.no_ops,
            "transitions": [
                {"from": before, "to": after, "count": count, "ms": ms}
                for (before, after), (count, ms) in sorted(self.reformats.transitions.items())
            ],
            "depthwise_time_share": self.depthwise_time_share,
            "depthwise_flop_share": self.depthwise_flop_share,
            "depthwise_elsewhere": self.depthwise_elsewhere,
            "activations": self.activations,
            "activations_ms": self.activations_ms,
        }


@once_each
def adoption(engine: AttributedEngine) -> Adoption:
    """Return the counts of one engine."""
    kind = OpClass.DEPTHWISE.value
    time_share, flop_share = time_and_flop_shares(engine, [kind])[kind]
    lone = [x for x in engine.by_role.get(LayerRole.COMPUTE, ()) if x.standalone_activation]
    return Adoption(
        pointwise=pointwise_kernels(engine),
        reformats=reformats(engine),
        depthwise_time_share=time_share,
        depthwise_flop_share=flop_share,
        depthwise_elsewhere=shared_layers(engine, OpClass.DEPTHWISE).elsewhere,
        activations=len(lone),
        activations_ms=sum(layer.time_ms or 0.0 for layer in lone),
    )


@once_each
def pointwise_kernels(engine: AttributedEngine) -> PointwiseKernels:
    """Return the kernels of the 1x1 convolutions.

    With a network each 1x1 op counts, also where two share a layer; without one, each layer whose filter is
    1x1 with one group.
    """
    kernels = {name: (layer.family, layer.kernel) for name, layer in _pointwise(engine)}
    families = Counter([family for family, _ in kernels.values()])
    return PointwiseKernels(total=len(kernels), families=dict(families), kernels=kernels)


def _pointwise(engine: AttributedEngine) -> list[tuple[str, AttributedLayer]]:
    if engine.graph is None:
        layers = engine.by_role.get(LayerRole.COMPUTE, ())
        return [(f"{x.position}: {x.name}", x) for x in layers if x.op_class == OpClass.POINTWISE]
    carriers, pointwise = engine.layer_of_op(), OpClass.POINTWISE
    return [
        (name, carriers[name])
        for name, kind in _convolutions(engine.graph)
        if kind is pointwise and name in carriers
    ]


_CONVOLUTIONS = frozenset({OpClass.POINTWISE, OpClass.DEPTHWISE, OpClass.CONVOLUTION})


@once_each
def _convolutions(graph: Graph) -> tuple[tuple[str, OpClass], ...]:
    """Return the convolutions of *graph* and their classes, in network order."""
    return tuple((name, kind) for name, kind in graph.classes.items() if kind in _CONVOLUTIONS)


def shared_layers(engine: AttributedEngine, kind: OpClass) -> SharedLayers:
    """Return how convolutions of *kind* share layers with those of other classes; all 0 without a network.

    TensorRT runs a depthwise and the 1x1 convolution behind it as one INT8 kernel (``trt_dep_sep_conv``).
    """
    held = _held(engine)
    return SharedLayers(
        total=sum(count for (own, _), count in held.items() if own is kind),
        elsewhere=sum(count for (own, at), count in held.items() if own is kind and at != kind),
        guests=sum(count for (own, at), count in held.items() if own is not kind and at == kind),
    )


@once_each
def _held(engine: AttributedEngine) -> Mapping[tuple[OpClass, str], int]:
    """Return (class of a convolution, class of the layer that holds it) to their number."""
    if engine.graph is None:
        return {}
    carriers = engine.layer_of_op()
    return Counter(
        [(kind, carriers[name].op_class) for name, kind in _convolutions(engine.graph) if name in carriers]
    )


@once_each
def reformats(engine: AttributedEngine) -> Reformats:
    """Return the reformats that execute and those that do not."""
    executed = engine.by_role.get(LayerRole.REFORMAT, ())
    transitions: dict[tuple[str, str], tuple[int, float]] = {}
    for layer in executed:
        key = (_first(layer.input_formats), _first(layer.output_formats))
        count, ms = transitions.get(key, (0, 0.0))
        transitions[key] = (count + 1, ms + (layer.time_ms or 0.0))
    boundary = sum(at_boundary(engine, layer) for layer in executed)
    return Reformats(
        executed=len(executed),
        time_ms=sum(layer.time_ms or 0.0 for layer in executed),
        no_ops=len(engine.by_role.get(LayerRole.NO_OP, ())),
        interior=len(executed) - boundary,
        boundary=boundary,
        transitions=transitions,
    )


def _first(formats: tuple[str, ...]) -> str:
    return formats[0] if formats else "unknown"


def at_boundary(engine: AttributedEngine, layer: AttributedLayer) -> bool:
    """Say whether a reformat stands at an input or output of the network itself.

    By its name where TensorRT says so, else by having source ops on one side only, or, without a network, by
    its tensors; False where nothing tells.
    """
    # the CPU runtimes name what lies on either side after the layers were made
    return layer.at_edge or (engine.graph is not None and bool(layer.before) != bool(layer.after))
