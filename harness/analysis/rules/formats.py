"""I/O formats: what the network's own inputs and outputs cost by not being what the kernels want."""

from __future__ import annotations

from harness.analysis.rules.base import Cost, Rule
from harness.analysis.rules.carriers import cost_of, timed_engine
from harness.analysis.rules.reformat import executing_reformats
from harness.attribution.adoption import at_boundary
from harness.evidence.records import Evidence
from harness.observations.records import BuildObservation

# What a worker or a reader calls the formats that an engine was asked for and was given.
_FACTS = ("io_formats", "accepted_formats", "refused_formats", "requested_formats")


class FormatsRule(Rule):
    """Cost: time of reformats at network inputs and outputs. Evidence: the formats that were accepted.

    What a native format saves beyond that is the comparison of two treatments
    (:func:`harness.analysis.judge.compare_treatments`).
    """

    name = "formats"
    title = "input and output formats"
    searches = False

    def cost(self, build: BuildObservation) -> Cost | None:
        """Return the cost in *build*, None without layer times."""
        engine = timed_engine(build)
        if engine is None:
            return None
        layers = [x for x in executing_reformats(engine) if at_boundary(engine, x)]
        evidence: dict[str, object] = {"boundary_reformats": len(layers), **_formats(build)}
        return cost_of(engine, layers, evidence)


def _formats(build: BuildObservation) -> dict[str, object]:
    found: dict[str, object] = {key: build.facts[key] for key in _FACTS if key in build.facts}
    if build.evidence is not None:
        found.update({key: build.evidence.facts[key] for key in _FACTS if key in build.evidence.facts})
        found.update(_engine_io(build.evidence))
    return found


def _engine_io(evidence: Evidence) -> dict[str, object]:
    """Return the formats of the tensors that no layer writes (inputs) and no layer reads (outputs)."""
    read = {t.name: t.format for layer in evidence.layers for t in layer.inputs}
    written = {t.name: t.format for layer in evidence.layers for t in layer.outputs}
    if not read or not written:
        return {}
    return {
        "engine_inputs": {name: form for name, form in read.items() if name not in written},
        "engine_outputs": {name: form for name, form in written.items() if name not in read},
    }
