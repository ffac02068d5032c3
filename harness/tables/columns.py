"""The tables of a run and their columns: name, type and meaning, the same for CSV, Parquet and DataFrames."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Column(NamedTuple):
    """One column; any value of it may be missing.

    :param kind: ``str``, ``int``, ``float``, ``bool``, or ``list`` of ``str``
    """

    name: str
    kind: type
    meaning: str


BUILD = (
    Column("cell", str, "id of the cell: network, treatment, runtime and version"),
    Column("host", str, "machine and device that it was measured on"),
    Column("build", int, "number within the cell, from 0"),
)
"""What every table of builds begins with; join on it."""

TABLES: Mapping[str, tuple[Column, ...]] = {
    "builds": (
        *BUILD,
        Column("network", str, "network"),
        Column("treatment", str, "label of the treatment"),
        Column("precision", str, "as asked for"),
        Column("batch", int, "as asked for"),
        Column("relu6", str, "form of ReLU6: clip, relu_sub"),
        Column("runtime", str, "runtime"),
        Column("version", str, "version of the runtime"),
        Column("environment", str, "venv, docker, current ..."),
        Column("repeat", str, "of the second arm of an A/A pair"),
        Column("group", str, "what tells it from builds of this cell and host that it is not averaged with"),
        Column("gpu", str, "model"),
        Column("round", int, "round of the run"),
        Column("block", str, "what builds that were measured side by side share"),
        Column("started", str, "UTC, ISO 8601"),
        Column("status", str, "ok, failed, invalid ..."),
        Column("reason", str, "why, where it is not ok"),
        Column("typical", bool, "the build of the middle layer time of its cell and host"),
        Column("latency_ms", float, "as it is judged: relative to its block, else the median"),
        Column("cuda_graph_ms", float, "median as one CUDA graph"),
        Column("cold_l2_ms", float, "median with a cold L2 cache"),
        Column("enqueue_ms", float, "median host time of the launch"),
        Column("layers_ms", float, "sum of the layer times; never a latency"),
        Column("unattributed_ms", float, "of it, what no source op is known for"),
        Column("layers", int, "engine layers"),
        Column("waited", float, "wall time over CPU time, less 1"),
        Column("throttled", int, "samples left out, taken with clocks held down"),
        Column("launch_bound", bool, "whether launching bounds it"),
        Column("outputs_valid", bool, "outputs within the bound"),
        Column("outputs_error", float, "largest difference from the reference, over its largest value"),
        Column("outputs_bound", float, "what was allowed"),
        Column("engine_bytes", int, "size of the serialized engine"),
        Column("build_seconds", float, "time that building took"),
    ),
    "samples": (
        *BUILD,
        Column("pass", str, "latency, cuda_graph, cold_l2 ..."),
        Column("samples", int, "inferences, those that were throttled left out"),
        Column("median_ms", float, "of the samples"),
        Column("mean_ms", float, "of the samples"),
        Column("std_ms", float, "standard deviation of the samples"),
        Column("min_ms", float, "of the samples"),
        Column("p5_ms", float, "5th percentile"),
        Column("p95_ms", float, "95th percentile"),
        Column("max_ms", float, "of the samples"),
    ),
    "layers": (
        *BUILD,
        Column("position", int, "place in the order of execution, from 0"),
        Column("name", str, "as the runtime names it"),
        Column("type", str, "as the runtime names it"),
        Column("op_class", str, "pointwise, depthwise ...: class of its heaviest source op"),
        Column("role", str, "compute, reformat, no_op, unknown"),
        Column("family", str, "kind of kernel"),
        Column("kernel", str, "as the runtime names it"),
        Column("tactic", str, "id of the tactic, as printed"),
        Column("time_ms", float, "median of the profile"),
        Column("share", float, "of the sum of the layer times; none of a part of a network"),
        Column("source_ops", list, "ops of the network that it carries"),
        Column("before", list, "of a reformat: source ops before it"),
        Column("after", list, "of a reformat: source ops behind it"),
        Column("inputs", list, "tensors that it reads"),
        Column("input_formats", list, "their formats"),
        Column("outputs", list, "tensors that it writes"),
        Column("output_formats", list, "their formats"),
    ),
    "tactics": (
        *BUILD,
        Column("layer", str, "layer that the builder searched a tactic for"),
        Column("runner", str, "implementation family, as printed"),
        Column("formats", str, "format combination, as printed"),
        Column("tactic", str, "as printed"),
        Column("tactic_id", str, "0x and 16 digits"),
        Column("kernel", str, "as printed"),
        Column("family", str, "kind of kernel"),
        Column("time_ms", float, "as the builder timed it; none where it did not"),
        Column("fastest", bool, "the fastest of its search"),
        Column("chosen", bool, "what the engine was given"),
    ),
    "verdicts": (
        Column("network", str, "network"),
        Column("treatment", str, "label of the treatment"),
        Column("runtime", str, "runtime"),
        Column("version", str, "version that is judged"),
        Column("against", str, "version or arm that it is compared with"),
        Column("kind", str, "version, aa, run"),
        Column("host", str, "machine and device"),
        Column("group", str, "what tells the builds from others of this cell and host"),
        Column("bottleneck", str, "name of a rule, or latency"),
        Column("verdict", str, "the one word"),
        Column("state", str, "present, absent"),
        Column("change", str, "removed, reduced, unchanged, regressed"),
        Column("effect", float, "new / old"),
        Column("low", float, "lower end of its interval"),
        Column("high", float, "upper end of its interval"),
        Column("difference", float, "of a bottleneck: change of its cost as a share of the old layer time"),
        Column("difference_low", float, "lower end of its interval"),
        Column("difference_high", float, "upper end of its interval"),
        Column("builds_old", int, "builds used of the old side"),
        Column("builds_new", int, "builds used of the new side"),
        Column("smallest_detectable", float, "smallest change that these builds could have shown"),
        Column("measured", str, "side by side (in blocks of one build a side said so), one after the other"),
        Column("layers", list, "that carry it"),
        Column("reason", str, "in words"),
        Column("settles", str, "what would settle it where it cannot be told"),
        Column("cell", str, "id of the cell that is judged"),
        Column("against_cell", str, "id of the cell that it is compared with"),
    ),
}
"""Table to its columns."""
