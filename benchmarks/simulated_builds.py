"""Simulated builds with known truth: what the verdict engine is tried on before it sees a measurement.

Nothing here is measured. The model, all of it drawn anew for each draw:

- a build's speed scatters by 1.6 % (log-normal), and one build in fifty is 8 % slower besides;
- the host drifts by up to 1 % from the first round to the last, the same for both versions, whose order
  within a round is random;
- a build has 10 windows of 20 samples; samples scatter by 0.5 % and one in fifty takes half as long again;
- one window in twenty is throttled to four fifths of its speed, and nine of ten such windows are marked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from harness.attribution.engine import AttributedEngine, AttributedLayer, KernelFamily, LayerRole
from harness.matrix.cell import Cell, Treatment
from harness.observations.records import BuildObservation, CellObservation, RunObservation
from harness.store.documents.manifest import Manifest

Generator = np.random.Generator
WINDOWS, SAMPLES = 10, 20
TIMES = {
    "pointwise": 0.30,
    "depthwise": 0.25,
    "activation": 0.08,
    "reformat": 0.03,
    "boundary": 0.01,
    "other": 0.33,
}
"""Shares of the layer time: three bottlenecks present, one absent, one hardly there."""


@dataclass(frozen=True)
class Model:
    """How builds scatter; fractions of 1."""

    build: float = 0.016
    outliers: float = 0.02
    outlier_size: float = 0.08
    drift: float = 0.01
    throttled: float = 0.05
    marked: float = 0.9


def simulated_run(
    rng: Generator, builds: int, slowdown: float, model: Model = Model(), *, layers: bool = False
) -> RunObservation:
    """Return versions 1.0 and 2.0 with *builds* each; the true ratio of all their times is *slowdown*.

    :param layers: with a per-layer profile of each build, whose classes scatter by 1.6 % of their own
    """
    drifts = np.linspace(0, rng.uniform(-model.drift, model.drift), 2 * builds)
    made: dict[str, list[BuildObservation]] = {"1.0": [], "2.0": []}
    for number in range(builds):
        for place, version in enumerate(rng.permutation(["1.0", "2.0"])):
            truth = 0.4 * (slowdown if version == "2.0" else 1.0)
            level = truth * float(np.exp(drifts[2 * number + place])) * _build_factor(rng, model)
            made[str(version)].append(_build(rng, number, level, model, layers))
    return RunObservation(
        (Path("simulated"),), Manifest(), tuple(_cell(v, found) for v, found in made.items())
    )


def _build_factor(rng: Generator, model: Model) -> float:
    slow = 1 + model.outlier_size if rng.random() < model.outliers else 1.0
    return float(np.exp(rng.normal(0, model.build))) * slow


def _build(rng: Generator, number: int, level: float, model: Model, layers: bool) -> BuildObservation:
    samples = level * np.exp(rng.normal(0, 0.005, (WINDOWS, SAMPLES)))
    samples *= np.where(rng.random(samples.shape) < 0.02, 1.5, 1.0)
    hot = rng.random(WINDOWS) < model.throttled
    samples[hot] /= 0.8
    left_out = hot & (rng.random(WINDOWS) < model.marked)
    return BuildObservation(
        build=number,
        status="ok",
        host="simulated",
        passes={"latency": samples[~left_out].ravel()},
        throttled=int(left_out.sum()) * SAMPLES,
        engine=_engine(rng, level, model) if layers else None,
        round=number,
    )


def _engine(rng: Generator, level: float, model: Model) -> AttributedEngine:
    times = {name: level * share * float(np.exp(rng.normal(0, model.build))) for name, share in TIMES.items()}
    return AttributedEngine(tuple(_layers(times)), None, sum(times.values()), 0.0)


def _layers(times: Mapping[str, float]) -> list[AttributedLayer]:
    def layer(name: str, op_class: str, ms: float, role: LayerRole, own: bool = False) -> AttributedLayer:
        family = KernelFamily.UNKNOWN
        return AttributedLayer(
            0, name, None, None, None, family, role, op_class, ms, standalone_activation=own
        )

    compute, reformat = LayerRole.COMPUTE, LayerRole.REFORMAT
    return [
        layer("pointwise", "pointwise", times["pointwise"], compute),
        layer("depthwise", "depthwise", times["depthwise"], compute),
        layer("relu6", "activation", times["activation"], compute, own=True),
        layer("reformat", "reformat", times["reformat"], reformat),
        replace(layer("input", "reformat", times["boundary"], reformat), at_edge=True),
        layer("other", "other", times["other"], compute),
    ]


def _cell(version: str, builds: list[BuildObservation]) -> CellObservation:
    cell = Cell("simulated", Treatment(), "simulated", version, "none")
    return CellObservation(cell, "measured", builds=tuple(builds))
