"""Records of what stands beside verdicts and answers: ReLU6, neighbours, runtimes, builds alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from msgspec import structs

from harness.analysis.figures.alone import AloneFigures
from harness.analysis.figures.relu6 import Form, Relu6Figures
from harness.analysis.figures.runtimes import RuntimeFigures, RuntimeTable
from harness.analysis.figures.sides import NeighbourSides
from harness.analysis.side_by_side import ComparedOp
from harness.store.documents import beside

MOST_OPS = 10
"""Source ops of two versions side by side that a document has, those of the largest difference."""


def alone_record(one: AloneFigures) -> beside.AloneRecord:
    """Return the record of the processes of a host that were measured both ways."""
    return beside.AloneRecord(
        host=one.host,
        beside_ms=one.beside_ms,
        alone_ms=one.alone_ms,
        apart=one.apart,
        interval=one.interval,
        further_than_material=one.further_than_material,
        processes=[beside.BothWaysRecord(**asdict(process)) for process in one.processes],
        text=one.words,
    )


def runtime_table_record(table: RuntimeTable) -> beside.RuntimeTableRecord:
    """Return the record of runtimes beside each other."""
    return beside.RuntimeTableRecord(
        network=table.network,
        treatment=table.treatment,
        host=table.host,
        against=table.against,
        rows=[_beside(row) for row in table.rows],
    )


def _beside(row: RuntimeFigures) -> beside.BesideRecord:
    shares = row.shares
    return beside.BesideRecord(
        release=row.release,
        label=row.label,
        builds=len(row.latency.builds),
        ms=row.latency.middle,
        low_ms=row.latency.low,
        high_ms=row.latency.high,
        images_per_s=row.images_per_s,
        gflops_per_s=row.gflops_per_s,
        speed_up=row.speed_up,
        interval=row.interval,
        shares=None
        if shares is None
        else beside.SharesRecord(
            segments=shares.segments, reformats=shares.reformats, outside=shares.outside
        ),
        by_gpu=row.by_gpu,
    )


def relu6_record(one: Relu6Figures) -> beside.Relu6Record:
    """Return the record of what ReLU6 in pieces costs."""
    return beside.Relu6Record(
        subject=one.subject,
        host=one.host,
        release=one.release.label,
        clip=_form(one.clip),
        pieces=_form(one.pieces),
        extra_ms=one.extra_ms,
        factor=one.factor,
        interval=one.interval,
    )


def _form(form: Form) -> beside.FormRecord:
    return beside.FormRecord(
        latency_ms=form.latency_ms,
        graph_ms=form.graph_ms,
        on_gemm=list(form.on_gemm),
        pointwise=form.pointwise,
        activations=form.activations,
        activations_ms=form.activations_ms,
        reformats=form.reformats,
        reformats_ms=form.reformats_ms,
    )


def neighbours_record(subject: str, sides: NeighbourSides) -> beside.NeighboursRecord:
    """Return the record of a version beside the one before it, on *subject*."""
    return beside.NeighboursRecord(
        subject=subject,
        old=sides.old.label,
        new=sides.new.label,
        builds=sides.builds,
        totals_ms=sides.totals,
        ops=_ops(sides.ops[:MOST_OPS]),
        rest={name: (old, new) for name, old, new in sides.rest},
    )


def _ops(ops: Sequence[ComparedOp]) -> list[beside.OpRecord]:
    records = []
    for one in ops:
        first, second = one.first, one.second
        record = beside.OpRecord(op=one.op, old_ms=None, new_ms=None)
        if first is not None:
            kernel = first.kernel or first.type or ""
            record = structs.replace(record, old_ms=first.time_ms, old_kernel=kernel)
        if second is not None:
            kernel = second.kernel or second.type or ""
            record = structs.replace(record, new_ms=second.time_ms, new_kernel=kernel)
        records.append(record)
    return records
