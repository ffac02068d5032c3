"""What the pointwise and the depthwise rule share: time of one class of convolutions above its bound."""

from __future__ import annotations

from collections.abc import Mapping

from harness.bottlenecks.base import Cost
from harness.bottlenecks.carriers import cost_of, families_of, tells_classes, timed_picture
from harness.layers.observation import BuildObservation
from harness.layers.picture import LayerRole, PictureLayer
from harness.networks.graph import OpClass


def layers_of_class(build: BuildObservation, op_class: OpClass) -> list[PictureLayer]:
    """Return the compute layers that are accounted to *op_class*, in execution order."""
    layers = build.picture.layers if build.picture is not None else ()
    return [x for x in layers if x.op_class == op_class and x.role is LayerRole.COMPUTE]


def convolution_cost(
    build: BuildObservation, op_class: OpClass, evidence: Mapping[str, object]
) -> Cost | None:
    """Return the time of *op_class* above its roofline bound, None where the build cannot tell.

    :param evidence: of the rule; time, bound and kernel families are put beside it
    """
    picture = timed_picture(build)
    if picture is None or not tells_classes(picture):
        return None
    layers = layers_of_class(build, op_class)
    spent = sum(layer.time_ms or 0.0 for layer in layers)
    shared: dict[str, object] = {
        "time_ms": spent,
        "time_share": None if picture.partial else spent / picture.total_ms,
        "bound_ms": None,
        "bound": "no peaks known",
        "layers": len(layers),
        "kernel_families": families_of(layers),
    }
    return cost_of(picture, layers, {**shared, **evidence})
