"""Tensor formats at the network's inputs and outputs: which a version accepts, and what each saves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.analysis.grid import GridRow
from harness.analysis.groups import BuildGroup, Release
from harness.attribution.adoption import Reformats, reformats
from harness.attribution.format_trial import FormatTrial


@dataclass(frozen=True)
class FormatRow:
    """One format.

    :param against_first: its latency over that of the first accepted (linear, FP32)
    :param layers_ms: its layer times added up, which is no latency and has no launches in it
    """

    trial: FormatTrial
    reformats: Reformats | None
    against_first: float | None
    layers_ms: float | None


@dataclass(frozen=True)
class FormatTable:
    """One version: the formats that it accepted, then those that it refused.

    :param bound: allowed error of outputs at this precision, None where they were not checked
    """

    release: Release
    host: str
    bound: float | None
    accepted: tuple[FormatRow, ...]
    refused: tuple[FormatTrial, ...]


def format_tables(row: GridRow) -> tuple[FormatTable, ...]:
    """Return one table a build of *row* that tried formats."""
    return tuple(table for group in row.groups for table in formats_of(group))


def formats_of(group: BuildGroup) -> tuple[FormatTable, ...]:
    """Return one table a good build of *group* that tried formats."""
    return tuple(
        FormatTable(
            group.release,
            build.host,
            build.outputs.bound if build.outputs is not None else None,
            _accepted(build.trials),
            tuple(trial for trial in build.trials if not trial.accepted),
        )
        for build in group.good
        if build.trials
    )


def _accepted(trials: Sequence[FormatTrial]) -> tuple[FormatRow, ...]:
    first = next((t.latency_ms for t in trials if t.accepted), None)
    return tuple(_row(trial, first) for trial in trials if trial.accepted)


def _row(trial: FormatTrial, first: float | None) -> FormatRow:
    known = trial.engine if trial.engine is not None and trial.engine.layers else None
    return FormatRow(
        trial=trial,
        reformats=reformats(known) if known is not None else None,
        against_first=trial.latency_ms / first if first and trial.latency_ms is not None else None,
        layers_ms=known.total_ms if known is not None else None,
    )
