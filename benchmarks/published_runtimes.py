"""What pages of docs/results say of runtimes beside each other, TF-TRT's segments among them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from benchmarks.published_tables import table
from harness.analysis.figures.runtimes import RuntimeFigures, runtime_tables
from harness.analysis.grid import grid_of
from harness.attribution.adoption import pointwise_kernels
from harness.matrix.cell import Cell
from harness.observations.host_clock import by_host_clock
from harness.observations.records import BuildObservation, CellObservation, RunObservation
from harness.written import a_second, milliseconds, percent

TFTRT = "tftrt"
COLUMNS = (
    "runtime", "builds", "latency by the host's clock, ms", "a second", "as fast as {}",
    "layer time in TensorRT", "in reformats", "outside",
)  # fmt: skip
KERNEL_COLUMNS = ("network, treatment", "runtime", "GPU time of all kernels of an inference, ms, each build")
KERNELS = """\
Without what lies between them, which is a large part of an inference at batch 1; from TensorFlow's profiler.
"""
SEGMENT_COLUMNS = (
    "network, treatment", "build", "nodes in segments", "outside", "layers of the largest engine",
    "these one by one, ms", "its op, ms", "1x1 on GEMM kernels",
)  # fmt: skip
MISSING_COLUMNS = ("network, treatment", "runtimes")
SEGMENTS = """\
The largest engine of each build, taken out of its op and profiled layer by layer by plain TensorRT. A
profiler that stops after each layer makes short layers longer than they are: in the tables above they are
scaled to the op's own time.
"""
_NAMES = {"tensorflow": "TensorFlow", TFTRT: "TF-TRT"}


def runtime_lines(run: RunObservation, letters: Mapping[str, str]) -> Iterator[str]:
    """Yield the tables of runtimes beside each other, where TF-TRT was measured.

    :param letters: host to its letter
    """
    own = [seen for seen in run.cells if seen.cell.runtime == TFTRT and seen.builds]
    if not own:
        return
    for one in runtime_tables(grid_of(by_host_clock(run))):
        yield from ("", f"## {one.network} {one.treatment}, host {letters[one.host]}", "")
        columns = [column.format(_NAMES.get(one.against, one.against)) for column in COLUMNS]
        yield from table(columns, map(_row, one.rows))
    kernels = [_kernels(seen) for seen in run.cells if seen.cell.runtime in _NAMES and seen.builds]
    yield from ("", "## The GPU's kernels", "", *KERNELS.splitlines(), "")
    yield from table(KERNEL_COLUMNS, kernels)
    rows = [_segment(seen.cell, build) for seen in own for build in seen.builds if build.status == "ok"]
    yield from ("", "## Engines inside of TF-TRT", "")
    yield from (*SEGMENTS.splitlines(), "")
    yield from table(SEGMENT_COLUMNS, rows)
    missing = [seen.cell for seen in run.cells if not seen.builds]
    if missing:
        yield from (
            "",
            "## Asked for and not measured",
            "",
            "The time on the GPU ended before their turn.",
            "",
        )
        yield from table(MISSING_COLUMNS, _missing(missing))


def _missing(cells: Sequence[Cell]) -> Iterator[list[str]]:
    found: dict[str, list[str]] = {}
    for cell in cells:
        name = f"{cell.network} {cell.treatment.common_label}"
        label = f"{cell.runtime} {cell.version} {cell.treatment.own_label}".strip()
        found.setdefault(name, []).append(label)
    yield from ([name, ", ".join(labels)] for name, labels in found.items())


def _row(one: RuntimeFigures) -> list[str]:
    gain = "" if one.speed_up is None else f"{one.speed_up:.2f} times"
    if one.interval is not None:
        gain += f" ({one.interval[0]:.2f} to {one.interval[1]:.2f})"
    shares = one.shares
    parts = () if shares is None else (shares.segments, shares.reformats, shares.outside)
    return [
        one.name,
        str(len(one.latency.builds)),
        milliseconds(one.latency.middle),
        a_second(one.images_per_s, one.gflops_per_s),
        gain,
        *([percent(part) for part in parts] or ["", "", ""]),
    ]


def _kernels(seen: CellObservation) -> list[str]:
    engines = [build.engine for build in seen.builds if build.status == "ok" and build.engine is not None]
    sums = [sum(layer.time_ms or 0.0 for layer in engine.layers) for engine in engines]
    return [
        f"{seen.cell.network} {seen.cell.treatment.label}",
        f"{seen.cell.runtime} {seen.cell.version}",
        ", ".join(map(milliseconds, sums)),
    ]


def _segment(cell: Cell, build: BuildObservation) -> list[str]:
    facts = build.facts
    inside, outside = facts.get("segment_nodes"), facts.get("outside_segments")
    profiles = facts.get("segment_profiles")
    own = next(iter(profiles.values()), {}) if isinstance(profiles, Mapping) else {}
    kernels = pointwise_kernels(build.engine) if build.engine is not None else None
    return [
        f"{cell.network} {cell.treatment.label}",
        str(build.build),
        " + ".join(map(str, inside)) if isinstance(inside, Sequence) else "",
        ", ".join(f"{count} {op}" for op, count in outside.items()) if isinstance(outside, Mapping) else "",
        str(own.get("layers", "")),
        milliseconds(own["layers_ms"]) if "layers_ms" in own else "",
        milliseconds(own["op_ms"]) if "op_ms" in own else "",
        "" if kernels is None else f"{kernels.on_any_gemm} of {kernels.total}",
    ]
