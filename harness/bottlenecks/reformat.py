"""Reformats: layers that only change layout or type, around a kernel that wants another."""

from __future__ import annotations

from collections import Counter

from harness.bottlenecks.base import Cost
from harness.bottlenecks.carriers import cost_of, timed_picture
from harness.layers.names import parse_name
from harness.layers.observation import BuildObservation
from harness.layers.picture import LayerRole, Picture, PictureLayer


def executing_reformats(picture: Picture) -> list[PictureLayer]:
    """Return the reformat layers that execute: no-ops of the same name cost nothing and are left out."""
    return [layer for layer in picture.layers if layer.role is LayerRole.REFORMAT]


def at_boundary(picture: Picture, layer: PictureLayer) -> bool:
    """Return whether a reformat stands at an input or output of the network.

    By its name where TensorRT says so (8 and later), else by having a source op on one side only.
    """
    if parse_name(layer.name).boundary:
        return True
    return picture.graph is not None and bool(layer.before) != bool(layer.after)


def layout_transitions(layers: list[PictureLayer]) -> dict[str, dict[str, float]]:
    """Return ``from -> to`` to the number of reformats and their milliseconds, formats as printed."""
    count: Counter[str] = Counter()
    times: dict[str, float] = {}
    for layer in layers:
        sides = (layer.input_formats[:1] or ("unknown",)) + (layer.output_formats[:1] or ("unknown",))
        key = " -> ".join(sides)
        count[key] += 1
        times[key] = times.get(key, 0.0) + (layer.time_ms or 0.0)
    return {key: {"count": count[key], "ms": times[key]} for key in sorted(count)}


class ReformatRule:
    """Cost: time of reformat layers that execute. Evidence: how many, where, from what to what."""

    name = "reformat"
    title = "reformats"

    def cost(self, build: BuildObservation) -> Cost | None:
        """Return the cost in *build*, None without layer times."""
        picture = timed_picture(build)
        if picture is None:
            return None
        layers = executing_reformats(picture)
        boundary = sum(at_boundary(picture, layer) for layer in layers)
        evidence = {
            "reformats": len(layers),
            "interior": len(layers) - boundary,
            "boundary": boundary,
            "no_ops": sum(layer.role is LayerRole.NO_OP for layer in picture.layers),
            "transitions": layout_transitions(layers),
        }
        return cost_of(picture, layers, evidence)
