"""The rows of the tables of a run, made from its grid."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from harness.analysis.documents import verdict_record
from harness.analysis.grid import Grid
from harness.analysis.groups import BuildGroup
from harness.analysis.verdict import Verdict
from harness.attribution.engine import AttributedEngine, AttributedLayer
from harness.attribution.families import kernel_family
from harness.observations.records import BuildObservation, median_ms

Row = dict[str, Any]


def build_rows(grid: Grid) -> Iterator[Row]:
    """Yield a row for each build, good or not, in the order of the run."""
    for group, build in _builds(grid):
        cell, engine, outputs = group.cell, build.engine, build.outputs
        enqueue, started = build.enqueue_ms, build.identity.started
        yield {
            **_head(group, build),
            "network": cell.network,
            "treatment": cell.treatment.label,
            "precision": cell.treatment.precision,
            "batch": cell.treatment.batch,
            "relu6": cell.treatment.relu6,
            "runtime": cell.runtime,
            "version": cell.version,
            "environment": cell.environment,
            "repeat": cell.repeat,
            "group": group.name,
            "gpu": build.facts.get("gpu"),
            "round": build.round,
            "block": build.block,
            "started": None if started is None else started.isoformat(),
            "status": build.status,
            "reason": build.reason,
            "typical": build is group.typical_build,
            "latency_ms": build.latency_ms,
            "cuda_graph_ms": build.median_of("cuda_graph"),
            "cold_l2_ms": build.median_of("cold_l2"),
            "enqueue_ms": median_ms(enqueue) if enqueue is not None and enqueue.size else None,
            "layers_ms": None if engine is None else engine.total_ms,
            "unattributed_ms": None if engine is None else engine.unattributed_ms,
            "layers": None if engine is None else len(engine.layers),
            "waited": build.waited,
            "throttled": build.throttled,
            "launch_bound": build.launch_bound,
            "outputs_valid": None if outputs is None else outputs.valid,
            "outputs_error": None if outputs is None else outputs.error,
            "outputs_bound": None if outputs is None else outputs.bound,
            "engine_bytes": build.facts.get("engine_bytes"),
            "build_seconds": build.facts.get("build_seconds"),
        }


def sample_rows(grid: Grid) -> Iterator[Row]:
    """Yield a summary of each pass of each build; single samples are in the run's ``samples.parquet``."""
    for group, build in _builds(grid):
        for name, samples in build.passes.items():
            if samples.size:
                low, high = np.percentile(samples, (5, 95))
                yield {
                    **_head(group, build),
                    "pass": name,
                    "samples": int(samples.size),
                    "median_ms": median_ms(samples),
                    "mean_ms": float(samples.mean()),
                    "std_ms": float(samples.std(ddof=1)) if samples.size > 1 else None,
                    "min_ms": float(samples.min()),
                    "p5_ms": float(low),
                    "p95_ms": float(high),
                    "max_ms": float(samples.max()),
                }


def layer_rows(grid: Grid) -> Iterator[Row]:
    """Yield a row for each engine layer of each build, no-ops among them."""
    for group, build in _builds(grid):
        if build.engine is not None:
            head = _head(group, build)
            yield from ({**head, **_layer(layer, build.engine)} for layer in build.engine.layers)


def _layer(layer: AttributedLayer, engine: AttributedEngine) -> Row:
    whole = engine.total_ms > 0 and not engine.partial and layer.time_ms is not None
    return {
        "position": layer.position,
        "name": layer.name,
        "type": layer.type,
        "op_class": str(layer.op_class),
        "role": layer.role.value,
        "family": layer.family.value,
        "kernel": layer.kernel,
        "tactic": layer.tactic,
        "time_ms": layer.time_ms,
        "share": (layer.time_ms or 0.0) / engine.total_ms if whole else None,
        "source_ops": list(layer.source_ops),
        "before": list(layer.before),
        "after": list(layer.after),
        "inputs": [tensor.name for tensor in layer.inputs],
        "input_formats": list(layer.input_formats),
        "outputs": [tensor.name for tensor in layer.outputs],
        "output_formats": list(layer.output_formats),
    }


def tactic_rows(grid: Grid) -> Iterator[Row]:
    """Yield a row for each tactic that a builder log shows: offered, timed or chosen."""
    for group, build in _builds(grid):
        if build.evidence is None:
            continue
        head, version = _head(group, build), str(build.facts.get("tensorrt") or "") or None
        for one in build.evidence.tactics:
            yield {
                **head,
                "layer": one.layer,
                "runner": one.runner,
                "formats": one.formats,
                "tactic": one.tactic,
                "tactic_id": one.tactic_id,
                "kernel": one.kernel,
                "family": kernel_family(one.kernel, one.runner, tactic=one.tactic, version=version).value,
                "time_ms": one.time_ms,
                "fastest": one.fastest,
                "chosen": one.chosen,
            }


def verdict_rows(verdicts: Sequence[Verdict]) -> Iterator[Row]:
    """Yield a row for each verdict."""
    for one in map(verdict_record, verdicts):
        low, high = one.interval or (None, None)
        difference_low, difference_high = one.difference_interval or (None, None)
        yield {
            "network": one.network,
            "treatment": one.treatment,
            "runtime": one.runtime,
            "version": one.version,
            "against": one.against,
            "kind": one.kind,
            "host": one.host,
            "group": one.group,
            "bottleneck": one.bottleneck,
            "verdict": str(one.verdict),
            "state": None if one.state is None else str(one.state),
            "change": None if one.change is None else str(one.change),
            "effect": one.effect,
            "low": low,
            "high": high,
            "difference": one.difference,
            "difference_low": difference_low,
            "difference_high": difference_high,
            "builds_old": one.builds[0],
            "builds_new": one.builds[1],
            "smallest_detectable": one.smallest_detectable,
            "measured": one.measured,
            "layers": [layer.name for layer in one.layers],
            "reason": one.reason,
            "settles": one.settles,
            "cell": one.cell,
            "against_cell": one.against_cell,
        }


def _builds(grid: Grid) -> Iterator[tuple[BuildGroup, BuildObservation]]:
    return ((group, build) for group in grid.groups for build in group.observed)


def _head(group: BuildGroup, build: BuildObservation) -> Row:
    return {"cell": group.cell.id, "host": build.host, "build": build.build}
