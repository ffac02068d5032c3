"""Tensor formats at the network's inputs and outputs: which a version accepts, and what each saves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.analysis.hosts import HostNames
from harness.attribution.adoption import Reformats, reformats
from harness.attribution.format_trial import FormatTrial
from harness.observations.records import CellObservation, RunObservation
from harness.report.columns import Release, anchor, release_of, subjects


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

    :param host: as rows show it
    :param bound: allowed error of outputs at this precision, None where they were not checked
    """

    release: Release
    host: str
    bound: float | None
    accepted: tuple[FormatRow, ...]
    refused: tuple[FormatTrial, ...]


@dataclass(frozen=True)
class FormatView:
    """One subject."""

    subject: str
    anchor: str
    tables: tuple[FormatTable, ...]


def format_views(run: RunObservation) -> tuple[FormatView, ...]:
    """Return one view a subject of which formats were tried."""
    views = []
    names = HostNames.of(run)
    for subject, cells in subjects(run).items():
        tables = tuple(table for found in cells for table in _tables(found, names))
        if tables:
            views.append(FormatView(subject, anchor("formats", subject), tables))
    return tuple(views)


def _tables(found: CellObservation, names: HostNames) -> list[FormatTable]:
    return [
        FormatTable(
            release_of(found),
            names.label(build.host),
            build.outputs.bound if build.outputs is not None else None,
            _accepted(build.trials),
            tuple(trial for trial in build.trials if not trial.accepted),
        )
        for build in found.good
        if build.trials
    ]


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
