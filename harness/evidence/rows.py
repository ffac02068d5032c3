"""Rows as plain data, with the keys of the record (docs/reference/record.md)."""

from __future__ import annotations

from collections.abc import Mapping

from harness.evidence.records import (
    Combination,
    Decision,
    EngineLayer,
    InferenceTime,
    LayerTime,
    SkippedRunner,
    Summary,
    TensorInfo,
)
from harness.evidence.sinks import Row
from harness.evidence.tactic_groups import TacticRow

STATISTICS = ("min", "max", "mean", "median", "p90", "p95", "p99")
_METRICS = ("gpu_ms", "host_ms", "latency_ms", "enqueue_ms", "h2d_ms", "d2h_ms")
_TACTIC_KEYS = (
    "engine",
    "layer",
    "runner",
    "formats",
    "tactic",
    "tactic_id",
    "kernel",
    "time_ms",
    "fastest",
    "chosen",
)


def tactic_as_row(row: TacticRow) -> dict[str, object]:
    """A tactic row with its keys."""
    return dict(zip(_TACTIC_KEYS, row, strict=True))


def as_row(row: Row) -> dict[str, object]:
    """Any other row with its keys; decisions and combinations are none and raise TypeError."""
    if isinstance(row, LayerTime):
        return _layer_time(row)
    if isinstance(row, EngineLayer):
        return _engine_layer(row)
    if isinstance(row, SkippedRunner):
        return {"engine": row.engine, "layer": row.layer, "runner": row.runner, "reason": row.reason}
    if isinstance(row, Summary):
        return _summary(row)
    if isinstance(row, InferenceTime):
        keys = ("engine", "gpu_ms", "host_ms", "enqueue_ms", "h2d_ms", "d2h_ms")
        return {key: getattr(row, key) for key in keys}
    assert isinstance(row, Decision | Combination)
    raise TypeError(f"{type(row).__name__} is not a row of the record")


def _layer_time(row: LayerTime) -> dict[str, object]:
    return {
        "engine": row.engine,
        "name": row.name,
        "total_ms": row.total_ms,
        "average_ms": row.average_ms,
        "median_ms": row.median_ms,
        "percent": row.percent,
        "cumulative_percent": row.cumulative_percent,
    }


def _engine_layer(row: EngineLayer) -> dict[str, object]:
    return {
        "engine": row.engine,
        "name": row.name,
        "type": row.type,
        "tactic": row.tactic,
        "kernel": row.kernel,
        "inputs": [_tensor(tensor) for tensor in row.inputs],
        "outputs": [_tensor(tensor) for tensor in row.outputs],
    }


def _tensor(tensor: TensorInfo) -> dict[str, object]:
    dimensions = None if tensor.dimensions is None else list(tensor.dimensions)
    return {
        "name": tensor.name,
        "dimensions": dimensions,
        "format": tensor.format,
        "datatype": tensor.datatype,
    }


def _summary(row: Summary) -> dict[str, object]:
    metrics: dict[str, object] = {key: _spread(getattr(row, key)) for key in _METRICS}
    return {
        "engine": row.engine,
        "throughput_qps": row.throughput_qps,
        **metrics,
        "build_s": row.build_s,
    }


def _spread(spread: Mapping[str, float]) -> dict[str, float | None]:
    """The statistics every metric has, null where not printed, then other percentiles that were asked for."""
    known: dict[str, float | None] = {key: spread.get(key) for key in STATISTICS}
    known.update((key, value) for key, value in spread.items() if key not in known)
    return known
