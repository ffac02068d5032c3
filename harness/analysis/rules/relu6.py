"""ReLU6: activations that run as layers of their own instead of inside the convolution before them."""

from __future__ import annotations

from harness.analysis.rules.base import Cost, Rule
from harness.analysis.rules.carriers import cost_of, families_of, timed_engine
from harness.attribution.engine import AttributedEngine, AttributedLayer, LayerRole
from harness.networks.graph import OpKind
from harness.observations.records import BuildObservation

_PIECES = {OpKind.CLIP, OpKind.RELU, OpKind.SUB, OpKind.SHIFT}


def own_activations(engine: AttributedEngine) -> list[AttributedLayer]:
    """Return compute layers that carry nothing but ReLU6 or its pieces (a softmax is another matter)."""
    return [
        layer
        for layer in engine.by_role.get(LayerRole.COMPUTE, ())
        if layer.standalone_activation and _is_relu6(engine, layer)
    ]


def _is_relu6(engine: AttributedEngine, layer: AttributedLayer) -> bool:
    if engine.graph is None or not layer.source_ops:
        return "softmax" not in layer.name.lower() and layer.family != "softmax"
    return all(engine.graph.op(name).kind in _PIECES for name in layer.source_ops)


class Relu6Rule(Rule):
    """Cost: time of activation layers that run on their own. Evidence: how many, and is 6 respected."""

    name = "relu6"
    title = "ReLU6 on its own"
    searches = False

    def cost(self, build: BuildObservation) -> Cost | None:
        """Return the cost in *build*, None without layer times."""
        engine = timed_engine(build)
        if engine is None:
            return None
        layers = own_activations(engine)
        check = build.outputs
        evidence: dict[str, object] = {
            "own_layers": len(layers),
            "kernel_families": families_of(layers),
            # None where outputs were not compared: a bound that nobody looked at is not respected
            "bound_respected": None if check is None else check.valid,
            "output_error": None if check is None else check.error,
        }
        return cost_of(engine, layers, evidence)
