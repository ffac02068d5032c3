"""The tables of a bundle. Readable with any Parquet reader, years later."""

from __future__ import annotations

import pyarrow as pa


def _column(name: str, kind: pa.DataType, meaning: str, *, nullable: bool = False) -> pa.Field:
    return pa.field(name, kind, nullable=nullable, metadata={"meaning": meaning})


SAMPLES = pa.schema(
    [
        _column("cell", pa.string(), "cell id"),
        _column("build", pa.int32(), "build number within the cell, from 0"),
        _column("round", pa.int32(), "round of the run in which it was measured, from 0"),
        _column("host", pa.string(), "host it was measured on"),
        _column("pass", pa.string(), "latency, cuda_graph, cold_l2 ..."),
        _column("process", pa.int32(), "process of the build, from 0"),
        _column("cycle", pa.int32(), "cycle of the pass, from 0"),
        _column("slice", pa.int32(), "place of the build in its cycle, from 0"),
        _column("sample", pa.int32(), "sample of the slice, from 0"),
        _column("clock", pa.string(), "gpu (CUDA events) or host"),
        _column("start_ns", pa.int64(), "host time at the start, ns since 1970 UTC", nullable=True),
        _column("latency_ms", pa.float64(), "one inference, ms: GPU time on a GPU, wall time on a CPU"),
        _column("enqueue_ms", pa.float64(), "host time of the launch, ms", nullable=True),
        _column("host_ms", pa.float64(), "host time from launch to completion, ms", nullable=True),
        _column("cpu_ms", pa.float64(), "CPU time of the process in it, ms", nullable=True),
        _column("throttled", pa.bool_(), "taken while the device's clocks were held down", nullable=True),
    ],
    metadata={"schema": "trtmatrix.sample_rows/2"},
)
"""One row a timed inference."""

LAYER_TIMES = pa.schema(
    [
        _column("cell", pa.string(), "cell id"),
        _column("build", pa.int32(), "build number within the cell, from 0"),
        _column("position", pa.int32(), "place in the runtime's own order, from 0"),
        _column("name", pa.string(), "engine layer, as the runtime names it"),
        _column("type", pa.string(), "engine layer type, as the runtime names it", nullable=True),
        _column("kernel", pa.string(), "kernel or primitive", nullable=True),
        _column("average_ms", pa.float64(), "mean over the profile pass, ms", nullable=True),
        _column("median_ms", pa.float64(), "median over the profile pass, ms", nullable=True),
        _column("samples_ms", pa.list_(pa.float64()), "single runs, ms, where known", nullable=True),
    ],
    metadata={"schema": "trtmatrix.layer_times/1"},
)
"""One row an engine layer and build; join on (cell, build)."""
