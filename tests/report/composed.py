"""Runs composed in code for the report: every time is made up, every name can be hostile."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from harness.analysis.grid import grid_of
from harness.analysis.judge import judge
from harness.analysis.run_analysis import RunAnalysis, analyse
from harness.analysis.verdict import Verdict
from harness.attribution.engine import AttributedEngine, AttributedLayer, KernelFamily, LayerRole
from harness.matrix.cell import Cell, Treatment
from harness.networks.graph import Graph, OpKind, SourceOp
from harness.observations.records import BuildObservation, CellObservation, RunObservation
from harness.plugins import registry
from harness.store.documents.machine import Machine
from harness.store.documents.manifest import Manifest, Matrix

CLASSES = ("pointwise", "depthwise", "convolution", "activation")


def graph(names: Sequence[str]) -> Graph:
    """A chain of ReLUs on 1x8x4x4 tensors, one op a name."""
    ops = tuple(SourceOp(name, OpKind.RELU, (f"t{i}",), f"t{i + 1}") for i, name in enumerate(names))
    shapes = {f"t{i}": (1, 8, 4, 4) for i in range(len(ops) + 1)}
    return Graph("composed", "clip", 1, ("t0",), (f"t{len(ops)}",), ops, shapes, {}, "sha256:00")


def layers(names: Sequence[str], factor: float = 1.0, kernel: str = "sgemm_128x64") -> list[AttributedLayer]:
    """One layer a name: classes in turn, 0.01 ms for the first, 0.02 ms for the second and so on."""
    return [
        AttributedLayer(
            position=index,
            name=name,
            type="CaskConvolution",
            kernel=kernel,
            tactic=None,
            family=KernelFamily.GEMM,
            role=LayerRole.COMPUTE,
            op_class=CLASSES[index % 4],
            time_ms=0.01 * (index + 1) * factor,
            source_ops=(name,),
            shares={name: 1.0},
        )
        for index, name in enumerate(names)
    ]


def engine(
    rows: Sequence[AttributedLayer], network: Graph | None = None, *, partial: bool = False
) -> AttributedEngine:
    """The engine of *rows*."""
    return AttributedEngine(tuple(rows), network, sum(row.time_ms or 0.0 for row in rows), 0.0, partial)


def cell(
    version: str,
    latencies: Sequence[float] = (),
    found: AttributedEngine | None = None,
    *,
    network: str = "mobilenet_v2",
    runtime: str = "tensorrt",
    status: str = "measured",
    reason: str = "",
    repeat: str = "",
    host: str = "host-a",
    treatment: Treatment | None = None,
    facts: dict[str, object] | None = None,
) -> CellObservation:
    """A cell with one build a latency, all of one engine."""
    builds = tuple(
        BuildObservation(
            build=number,
            status="ok",
            host=host,
            passes={"latency": np.full(5, latency)},
            engine=found,
            facts=facts or {},
            round=number,
        )
        for number, latency in enumerate(latencies)
    )
    made = Cell(network, treatment or Treatment(), runtime, version, "venv", repeat)
    return CellObservation(made, status, reason, builds)


def on_hosts(
    version: str, treatment: Treatment, models: Mapping[str, str] | None = None, **latencies: list[float]
) -> CellObservation:
    """A cell with builds on several hosts: ``a=[1.0, 1.1]`` are two on ``host-a``, of ``models["a"]``."""
    found = engine(layers(("a", "b", "c", "d")))
    parts = [
        cell(
            version,
            values,
            found,
            treatment=treatment,
            host=f"host-{name}",
            facts={"gpu": models[name]} if models else {},
        )
        for name, values in latencies.items()
    ]
    builds = [build for part in parts for build in part.builds]
    return replace(parts[0], builds=tuple(replace(b, build=i) for i, b in enumerate(builds)))


def run(*cells: CellObservation, description: str = "composed", text: str = "") -> RunObservation:
    """A run of *cells*."""
    manifest = Manifest(
        started=datetime(2026, 1, 1, tzinfo=UTC),
        seed=1,
        machine=Machine(cpu="composed"),
        matrix=Matrix(description=description, text=text),
    )
    return RunObservation((Path("composed"),), manifest, cells)


def analysed(run: RunObservation, verdicts: Sequence[Verdict] | None = None) -> RunAnalysis:
    """Return the analysis of *run*, with other *verdicts* than its own where they are given."""
    verdicts = judged(run) if verdicts is None else verdicts
    return analyse(grid_of(run), verdicts, rules=registry.bottlenecks())


def judged(run: RunObservation, baseline: str | RunObservation = "previous") -> list[Verdict]:
    """Return the verdicts of the registered rules on *run*."""
    against = baseline if isinstance(baseline, str) else grid_of(baseline)
    return judge(grid_of(run), against, rules=registry.bottlenecks())
