"""What pages of docs/results have beyond two versions: outputs, containers, versions alone, failures."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from harness.attribution.adoption import pointwise_kernels
from harness.matrix.cell import Cell
from harness.observations.records import BuildObservation, RunObservation
from harness.written import change, interval, milliseconds

COST = ".container_cost.json"
"""Ends the name of what ``benchmarks/container_cost.py --out`` wrote, beside the bundle of the same host."""


class Section(NamedTuple):
    """A table with what is said above it."""

    said: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


def sections(
    run: RunObservation, compared: Collection[str], costs: Sequence[dict[str, Any]]
) -> Iterator[Section]:
    """Yield the sections that have rows.

    :param compared: networks with treatment that versions are compared on
    :param costs: what containers cost, as ``container_cost.py`` wrote it
    """
    built = [(seen.cell, [b for b in seen.builds if b.status == "ok"]) for seen in run.cells]
    good = [(cell, builds) for cell, builds in built if builds]
    contained = any(seen.cell.environment == "docker" for seen in run.cells)
    every = (
        Section(
            "With no other version beside it:",
            ("network, treatment", "version", "environment", "latency, ms", "1x1 on GEMM kernels"),
            [_alone(cell, builds) for cell, builds in good if contained and subject(cell) not in compared],
        ),
        Section(
            "Outputs, largest absolute difference from the reference over its largest absolute value:",
            ("network, treatment", "version", "environment", "worst build", "bound"),
            [_outputs(cell, builds) for cell, builds in good if contained],
        ),
        Section(
            "One engine loaded by processes in a virtual environment, by as many more there (A/A) and in\n"
            "containers, side by side (`benchmarks/container_cost.py`), 95 % intervals over processes:",
            ("cell", "processes of each", "what", "virtual environment", "container", "A/A"),
            [row for one in costs for row in _cost(one)],
        ),
        Section(
            "Failed, and the run went on:",
            ("cell", "reason"),
            [[seen.cell.id, seen.reason] for seen in run.cells if seen.status == "failed"],
        ),
    )
    return (one for one in every if one.rows)


def subject(cell: Cell) -> str:
    """Return network and treatment as the tables have them."""
    return f"{cell.network} {cell.treatment.label}"


def _alone(cell: Cell, builds: Sequence[BuildObservation]) -> list[str]:
    latency = ", ".join(milliseconds(build.latency_ms) for build in builds)
    kernels = [pointwise_kernels(build.engine) for build in builds if build.engine is not None]
    told = ", ".join(f"{one.on_any_gemm} of {one.total}" for one in kernels)
    return [subject(cell), cell.version, cell.environment, latency, told]


def _outputs(cell: Cell, builds: Sequence[BuildObservation]) -> list[str]:
    checked = [build.outputs for build in builds if build.outputs is not None]
    worst = max(checked, key=lambda one: one.error / one.bound)
    return [subject(cell), cell.version, cell.environment, f"{worst.error:.2g}", f"{worst.bound:.2g}"]


def _cost(one: dict[str, Any]) -> Iterator[list[str]]:
    head = [one["cell"]["venv"], str(len(one["ready_seconds"]["docker"]))]
    ready = {arm: f"{np.median(seconds):.2f} s" for arm, seconds in one["ready_seconds"].items()}
    yield [*head, "start until loaded", ready["venv"], ready["docker"], ready["aa"]]
    for columns in one["passes"].values():
        for name, told in columns.items():
            if told:
                ratios = [told["over_venv"][arm] for arm in ("docker", "aa")]
                said = [f"{change(factor)} ({interval((low, high))})" for factor, low, high in ratios]
                words = name.removesuffix("_ms")
                yield [*head, words, f"{milliseconds(told['median_ms']['venv'])} ms", *said]
