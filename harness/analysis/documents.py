"""Verdicts and figures as the typed documents that programs read."""

from __future__ import annotations

from typing import Any

from harness.analysis.answers.answer import Answer, RuntimeAnswer
from harness.analysis.answers.best import Best
from harness.analysis.beside_documents import (
    alone_record,
    neighbours_record,
    relu6_record,
    runtime_table_record,
)
from harness.analysis.figures.kernels import GroupCounts, SearchSummary, kernels_of
from harness.analysis.figures.latency import latency_of
from harness.analysis.figures.outlying import OutlyingBuild
from harness.analysis.figures.roofline import RooflineFigures, roofline_of
from harness.analysis.figures.times import class_times
from harness.analysis.groups import BuildGroup
from harness.analysis.run_analysis import RunAnalysis
from harness.analysis.verdict import Verdict
from harness.observations.identity import Identity
from harness.observations.profiling import Profiling
from harness.store.documents import figures, verdicts
from harness.store.documents.verdict import LayerRecord, VerdictRecord


def verdicts_document(analysis: RunAnalysis, latency_pass: str = verdicts.LATENCY_PASS) -> verdicts.Verdicts:
    """Return the document of *analysis* (schema ``trtmatrix.verdicts/1``).

    :param latency_pass: the pass that the latency's verdicts are about
    """
    return verdicts.Verdicts(
        baseline=analysis.baseline,
        latency_pass=latency_pass,
        verdicts=[verdict_record(verdict) for verdict in analysis.verdicts],
        pooling=list(analysis.grid.pooling),
        answers=[_answer(answer) for answer in analysis.answers],
        short=[
            verdicts.ShortRecord(
                runtime=one.runtime,
                device=one.device,
                version=one.version,
                lines=list(one.lines),
                leads=list(one.leads),
            )
            for one in analysis.short
        ],
        outlying_builds=[outlying_record(build) for build in analysis.outlying_builds],
        relu6=[relu6_record(one) for one in analysis.relu6],
        neighbours=[neighbours_record(row.name, sides) for row in analysis.rows for sides in row.sides],
        runtimes=[runtime_table_record(table) for table in analysis.runtimes],
        sections={
            name: verdicts.SectionRecord(
                heading=section.heading,
                sentences=list(section.sentences),
                head=list(section.head),
                rows=[list(row) for row in section.rows],
            )
            for name, section in analysis.sections.items()
        },
        alone=[alone_record(one) for one in analysis.alone],
    )


def verdict_record(verdict: Verdict) -> VerdictRecord:
    """Return the record of one verdict; numbers that are not finite become None."""
    said: dict[str, Any] = verdict.as_json()
    layers = [LayerRecord(**layer) for layer in said["layers"]]
    return VerdictRecord(
        **{
            **said,
            "layers": layers,
            "interval": None if said["interval"] is None else tuple(said["interval"]),
            "difference_interval": None
            if said["difference_interval"] is None
            else tuple(said["difference_interval"]),
            "builds": tuple(said["builds"]),
        }
    )


def outlying_record(build: OutlyingBuild) -> figures.OutlyingRecord:
    """Return the record of a build outside of what its like do."""
    return figures.OutlyingRecord(
        subject=build.subject,
        release=build.release.label,
        build=build.build,
        latency_ms=build.latency_ms,
        usual_ms=build.usual_ms,
        times=build.times,
        classes=[
            figures.ClassDifferenceRecord(op_class=str(one.op_class), ms=one.ms, others_ms=one.others_ms)
            for one in build.classes
        ],
        layout=None
        if build.layout is None
        else figures.LayoutRecord(
            layout=build.layout.layout, share=build.layout.share, others=build.layout.others
        ),
        reformats=build.reformats,
    )


def cell_figures(group: BuildGroup) -> figures.CellFigures:
    """Return the figures of *group*."""
    latency, times = latency_of(group), class_times(group)
    kernels, roofline = kernels_of(group), roofline_of(group)
    return figures.CellFigures(
        identity=None if group.identity is None else _identity(group.identity, group.started),
        typical_build=None if group.typical_build is None else group.typical_build.build,
        passes={} if latency is None else dict(latency.passes),
        enqueue_ms=None if latency is None else latency.enqueue_ms,
        launch_bound=group.launch_bound,
        layers_ms=None if times is None else times.total_ms,
        profiling=None if times is None or times.profiling is None else _profiling(times.profiling),
        layers=[] if times is None else list(times.layers),
        classes=[]
        if times is None
        else [
            figures.ClassTimeRecord(op_class=str(name), ms=ms, share=share) for name, ms, share in times.parts
        ],
        adoption=[] if kernels is None else [dict(counts.as_json()) for counts in kernels.adoptions],
        searches=[] if kernels is None else [_search(search) for search in kernels.searches],
        roofline=None if roofline is None else _roofline(roofline),
    )


def _identity(identity: Identity, started: str) -> figures.IdentityRecord:
    return figures.IdentityRecord(
        run=identity.run,
        pool=identity.pool,
        started=started or None,
        digest=identity.digest,
        software=identity.software,
        host=identity.host,
    )


def _profiling(found: Profiling) -> figures.ProfilingRecord:
    return figures.ProfilingRecord(
        way=found.way,
        layers_ms=found.layers_ms,
        inference_ms=found.inference_ms,
        plain_ms=found.plain_ms,
        cost=found.cost,
    )


def _roofline(found: RooflineFigures) -> figures.RooflineRecord:
    return figures.RooflineRecord(
        end_to_end_gflops_per_s=found.end_to_end,
        classes=[
            figures.RooflineClassRecord(
                op_class=one.name, ms=one.time_ms, bound_ms=one.bound_ms, gflops_per_s=one.gflops_per_s
            )
            for one in found.classes
        ],
        peaks=None if found.peaks is None else found.peaks.source,
    )


def _search(search: SearchSummary | None) -> figures.SearchRecord | None:
    if search is None:
        return None
    return figures.SearchRecord(
        build=search.build,
        layers=search.layers,
        timed=search.timed_themselves,
        inherited=search.inherited,
        gemm_as_conv1x1=_counts(search.gemm_as_conv1x1),
        any_gemm=_counts(search.any_gemm),
        gemm_lost_layers=search.gemm_lost.layers,
        elsewhere=search.gemm_lost.elsewhere,
        gemm_best_ms=search.gemm_lost.best_ms,
        gemm_chosen_ms=search.gemm_lost.chosen_ms,
        lost=[
            figures.LostLayerRecord(
                layer=one.layer,
                best_ms=one.best_ms,
                chosen_ms=one.chosen_ms,
                chosen=one.chosen,
                same_formats=one.same_formats,
            )
            for one in search.lost
        ],
    )


def _counts(counts: GroupCounts) -> figures.KernelCounts:
    return figures.KernelCounts(
        offered=counts.offered, timed=counts.timed, chosen=counts.chosen, cannot_tell=counts.cannot_tell
    )


def _answer(answer: Answer) -> verdicts.AnswerRecord:
    return verdicts.AnswerRecord(
        subject=answer.subject,
        best=_best(answer.best),
        as_cuda_graph=None if answer.graph is None else _best(answer.graph),
        launch_bound=answer.launch_bound,
        changes=[
            verdicts.ChangeRecord(cell=v.cell, against=v.against, verdict=v.verdict, effect=v.effect)
            for v in answer.changes
        ],
        undecided=answer.undecided,
        recorded=answer.recorded,
        notes=list(answer.notes),
        name=answer.name,
        runtimes=[_runtime(one) for one in answer.runtimes],
    )


def _runtime(one: RuntimeAnswer) -> verdicts.RuntimeRecord:
    return verdicts.RuntimeRecord(
        runtime=one.runtime,
        builds=dict(one.builds),
        device=one.device,
        best=_best(one.best),
        findings=[
            verdicts.FindingRecord(
                bottleneck=found.bottleneck,
                title=found.title,
                text=found.text,
                verdict=found.word,
                state=found.state,
            )
            for found in one.findings
        ],
        on_gemm=one.kernels.gemm,
        since=one.kernels.since,
        gemm_as_conv1x1=one.kernels.family,
        remedies=[
            verdicts.RemedyRecord(
                remedy=found.remedy.name,
                text=found.text,
                how=found.remedy.how,
                measure=found.remedy.measure,
            )
            for found in one.remedies
        ],
    )


def _best(best: Best) -> verdicts.BestRecord:
    return verdicts.BestRecord(
        release=best.release.label,
        ms=best.milliseconds,
        low_ms=best.low,
        high_ms=best.high,
        not_told_from=[release.label for release in best.ties],
        others=best.others,
        images_per_s=best.speed.images_per_s,
        gflops_per_s=best.speed.gflops_per_s,
    )
