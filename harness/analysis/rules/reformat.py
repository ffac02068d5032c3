"""Reformats: layers that only change layout or type, around a kernel that wants another."""

from __future__ import annotations

from harness.analysis.rules.base import Cost, Rule
from harness.analysis.rules.carriers import cost_of, timed_engine
from harness.attribution.adoption import reformats
from harness.attribution.engine import AttributedEngine, AttributedLayer, LayerRole
from harness.observations.records import BuildObservation


def executing_reformats(engine: AttributedEngine) -> list[AttributedLayer]:
    """Return the reformat layers that execute: no-ops of the same name cost nothing and are left out."""
    return [layer for layer in engine.layers if layer.role is LayerRole.REFORMAT]


class ReformatRule(Rule):
    """Cost: time of reformat layers that execute. Evidence: how many, where, from what layout to what."""

    name = "reformat"
    title = "reformats"

    def cost(self, build: BuildObservation) -> Cost | None:
        """Return the cost in *build*, None without layer times."""
        engine = timed_engine(build)
        if engine is None:
            return None
        counts = reformats(engine)
        evidence = {
            "reformats": counts.executed,
            "interior": counts.interior,
            "boundary": counts.boundary,
            "no_ops": counts.no_ops,
            "transitions": {
                f"{before} -> {after}": {"count": count, "ms": ms}
                for (before, after), (count, ms) in sorted(counts.transitions.items())
            },
        }
        return cost_of(engine, executing_reformats(engine), evidence)
