"""Reformats between layers: they only change layout or type, around a kernel that wants another.

Those at the network's own inputs and outputs are for the rule on I/O formats: each counts once.
"""

from __future__ import annotations

from collections.abc import Sequence

from harness.analysis.rules.base import Cost, Rule
from harness.analysis.rules.carriers import cost_of, timed_engine
from harness.attribution.adoption import at_boundary, reformats
from harness.attribution.engine import AttributedEngine, AttributedLayer, LayerRole
from harness.observations.records import BuildObservation


def executing_reformats(engine: AttributedEngine) -> Sequence[AttributedLayer]:
    """Return the reformat layers that execute: no-ops of the same name cost nothing and are left out."""
    return engine.by_role.get(LayerRole.REFORMAT, ())


class ReformatRule(Rule):
    """Cost: time of reformats that execute between layers. Evidence: all of them, from what to what."""

    name = "reformat"
    title = "reformats"
    searches = False

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
        between = [x for x in executing_reformats(engine) if not at_boundary(engine, x)]
        return cost_of(engine, between, evidence)
