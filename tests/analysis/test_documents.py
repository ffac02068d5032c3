"""Verdicts and figures as documents: what is written is read back, and says what the page does."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.analysis.documents import cell_figures, outlying_record, verdicts_document
from harness.analysis.figures.kernels import kernels_of
from harness.analysis.figures.latency import latency_of
from harness.analysis.figures.outlying import ClassDifference, LayoutDifference, OutlyingBuild
from harness.analysis.figures.roofline import roofline_of
from harness.analysis.figures.times import class_times
from harness.analysis.grid import Grid, grid_of
from harness.analysis.groups import Release
from harness.analysis.judge import judge
from harness.analysis.rules.base import RuleSection
from harness.analysis.rules.builtin import trtmatrix_bottlenecks
from harness.analysis.run_analysis import RunAnalysis, analyse
from harness.plugins.reading import observe
from harness.store.documents.base import json_text, read_document
from harness.store.documents.verdicts import Verdicts
from tests.report.composed import cell, engine, graph, layers, run
from tests.runtimes.worker_builds import FP16_CLIP, FP16_PIECES, bundle, v1, v2

RULES = {rule.name: rule for rule in trtmatrix_bottlenecks()}


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Grid:
    """Two versions of v2, and both forms of ReLU6 of v1, as an H100 built them."""
    builds = (v2("8.5.3.1"), v2("8.6.0"), FP16_CLIP, FP16_PIECES, v1("8.6.0"))
    return grid_of(observe([bundle(builds, tmp_path_factory.mktemp("bundle") / "run")]))


@pytest.fixture(scope="module")
def analysis(recorded: Grid) -> RunAnalysis:
    return analyse(recorded, judge(recorded, rules=RULES), rules=RULES)


def test_a_document_is_read_back_as_it_was_written(analysis: RunAnalysis, tmp_path: Path) -> None:
    document = verdicts_document(analysis, "cuda_graph")
    path = tmp_path / "verdicts.json"
    path.write_text(json_text(document), encoding="utf-8")
    assert read_document(path, Verdicts) == document
    stated = json.loads(path.read_text(encoding="utf-8"))
    assert (stated["schema"], stated["pass"]) == ("trtmatrix.verdicts/1", "cuda_graph")


def test_verdicts_of_the_document_are_those_that_were_given(analysis: RunAnalysis) -> None:
    records = json.loads(json_text(verdicts_document(analysis)))["verdicts"]
    assert records == [json.loads(json.dumps(verdict.as_json())) for verdict in analysis.verdicts]


def test_the_document_has_the_figures_that_the_page_draws(analysis: RunAnalysis) -> None:
    document = verdicts_document(analysis)
    assert [answer.subject for answer in document.answers] == [a.subject for a in analysis.answers]
    (pieces,) = document.relu6
    assert (pieces.clip.on_gemm, pieces.pieces.on_gemm) == ([14], [1])
    (sides,) = document.neighbours
    assert (sides.old, sides.new) == ("tensorrt 8.5.3.1", "tensorrt 8.6.0")
    assert [op.op for op in sides.ops] == [op.op for op in analysis.rows[0].sides[0].ops[:10]]
    assert document.pooling == []


def test_an_outlying_build_says_what_carries_the_difference() -> None:
    names = ("a", "b", "c", "d")
    grid = grid_of(run(cell("8.5", [1.0, 1.5, 1.02], engine(layers(names), graph(names)))))
    (build,) = verdicts_document(analyse(grid, [], rules={})).outlying_builds
    assert (build.release, build.build, build.usual_ms) == ("tensorrt 8.5", 1, 1.02)
    assert (build.classes, build.layout, build.reformats) == ([], None, (0, 0.0))


def test_figures_of_a_cell_say_what_was_searched_and_what_the_device_could_do(recorded: Grid) -> None:
    group = next(g for g in recorded.groups if g.cell.version == "8.6.0" and g.cell.network == "mobilenet_v2")
    figures = cell_figures(group)
    assert figures.typical_build == group.observed[0].build
    assert figures.layers == [78]
    assert sum(one.share or 0.0 for one in figures.classes) == pytest.approx(1.0)
    (search,) = figures.searches
    assert search is not None
    assert (search.gemm_as_conv1x1.offered, search.gemm_lost_layers, search.elsewhere) == (1, 12, 12)
    assert figures.adoption[0]["on_any_gemm"] == 23
    assert figures.identity is not None
    assert figures.identity.digest.startswith("sha256:")


def test_a_cell_without_builds_has_no_figures(compose: Any) -> None:
    (group,) = grid_of(compose.run(compose.cell("1.0", status="unavailable"))).groups
    figures = cell_figures(group)
    assert (figures.identity, figures.typical_build, figures.roofline) == (None, None, None)
    assert (figures.classes, figures.passes, figures.searches) == ([], {}, [])


def said(value: Any) -> Any:
    """A figure's value as a document has it."""
    return [said(inner) for inner in value] if isinstance(value, list | tuple) else value


def is_record(value: Any) -> bool:
    return hasattr(value, "__dataclass_fields__") or hasattr(value, "__struct_fields__")


def assert_same(record: Any, figure: Any, **renamed: str) -> None:
    """Each plain field of *record* has the value of the field of that name, or of its other name, there."""
    compared = 0
    for name in type(record).__struct_fields__:
        value = getattr(record, name)
        other = renamed.get(name, name)
        if hasattr(figure, other) and not (isinstance(value, dict) or is_record(value)):
            expected = said(getattr(figure, other))
            if not (isinstance(expected, list) and any(map(is_record, expected))):
                assert said(value) == (getattr(expected, "label", expected)), name
                compared += 1
    assert compared


def test_answers_say_what_the_figures_say(analysis: RunAnalysis) -> None:
    names = {"ms": "milliseconds", "low_ms": "low", "high_ms": "high"}
    for record, answer in zip(verdicts_document(analysis).answers, analysis.answers, strict=True):
        assert_same(record, answer)
        assert_same(record.best, answer.best, **names)
        assert record.best.not_told_from == [release.label for release in answer.best.ties]
        assert len(record.changes) == len(answer.changes)
        for change, verdict in zip(record.changes, answer.changes, strict=True):
            assert_same(change, verdict)


def test_a_best_as_cuda_graph_stands_beside_the_best(compose: Any) -> None:
    def launched(version: str, graph_ms: float) -> Any:
        builds = [
            replace(
                compose.build(number, 1.0 + number / 1e3),
                passes={"latency": np.full(3, 1.0 + number / 1e3), "cuda_graph": np.full(3, graph_ms)},
                facts={"launch_bound": True},
            )
            for number in range(2)
        ]
        return compose.cell(version, builds)

    grid = grid_of(compose.run(launched("1.0", 0.5), launched("2.0", 0.25)))
    (record,) = verdicts_document(analyse(grid, judge(grid, rules={}), rules={})).answers
    assert record.as_cuda_graph is not None
    assert (record.as_cuda_graph.release, record.as_cuda_graph.ms) == ("tensorrt 2.0", pytest.approx(0.25))
    assert record.as_cuda_graph.low_ms == pytest.approx(0.25)
    assert record.as_cuda_graph.high_ms == pytest.approx(0.25)
    assert (record.as_cuda_graph.others, record.launch_bound) == (1, (4, 4))


def test_forms_and_neighbours_say_what_the_figures_say(analysis: RunAnalysis) -> None:
    document = verdicts_document(analysis)
    (record,), (figure,) = document.relu6, analysis.relu6
    assert_same(record, figure)
    assert record.release == figure.release.label
    for form, known in ((record.clip, figure.clip), (record.pieces, figure.pieces)):
        assert_same(form, known)
    (record_of,) = document.neighbours
    sides = analysis.rows[0].sides[0]
    assert_same(record_of, sides, totals_ms="totals")
    assert record_of.rest == {name: (old, new) for name, old, new in sides.rest}
    for op, known_op in zip(record_of.ops, sides.ops, strict=False):
        first, second = known_op.first, known_op.second
        assert (op.old_ms, op.old_kernel) == (
            (None, "") if first is None else (first.time_ms, first.kernel or first.type or "")
        )
        assert (op.new_ms, op.new_kernel) == (
            (None, "") if second is None else (second.time_ms, second.kernel or second.type or "")
        )


def test_figures_of_a_cell_say_what_the_figures_say(recorded: Grid) -> None:
    for group in recorded.groups:
        record, latency = cell_figures(group), latency_of(group)
        kernels, times, roofline = kernels_of(group), class_times(group), roofline_of(group)
        if latency is not None:
            assert_same(record, latency)
        assert times is not None
        assert (record.layers_ms, record.layers) == (times.total_ms, list(times.layers))
        assert [(x.op_class, x.ms, x.share) for x in record.classes] == list(times.parts)
        assert kernels is not None
        assert record.adoption == [dict(counts.as_json()) for counts in kernels.adoptions]
        for search, known in zip(record.searches, kernels.searches, strict=True):
            assert (search is None) is (known is None)
            if search is not None and known is not None:
                assert_same(search, known, timed="timed_themselves")
                assert_same(search.any_gemm, known.any_gemm)
                assert_same(search.gemm_as_conv1x1, known.gemm_as_conv1x1)
                assert (search.gemm_best_ms, search.gemm_chosen_ms) == (
                    known.gemm_lost.best_ms,
                    known.gemm_lost.chosen_ms,
                )
                for lost, layer in zip(search.lost, known.lost, strict=True):
                    assert_same(lost, layer)
        assert (record.roofline is None) is (roofline is None)
        if record.roofline is not None and roofline is not None:
            assert record.roofline.end_to_end_gflops_per_s == roofline.end_to_end
            assert [(x.op_class, x.ms, x.bound_ms, x.gflops_per_s) for x in record.roofline.classes] == [
                (x.name, x.time_ms, x.bound_ms, x.gflops_per_s) for x in roofline.classes
            ]
        assert record.identity is not None
        assert group.identity is not None
        assert_same(record.identity, group.identity, started="none")


def test_a_section_of_a_rule_is_in_the_document(analysis: RunAnalysis) -> None:
    section = RuleSection("Warm", ("It was.", "Both."), ("cache", "hits"), (("l2", "9"), ("l1", "3")))
    document = verdicts_document(replace(analysis, sections={"warm": section}))
    assert list(document.sections) == ["warm"]
    assert_same(document.sections["warm"], section)


def test_an_outlying_build_is_recorded_with_what_the_others_do() -> None:
    figure = OutlyingBuild(
        subject="mobilenet_v2",
        release=Release("tensorrt", "8.6.0"),
        build=3,
        latency_ms=1.2,
        usual_ms=1.0,
        times=1.2,
        classes=(ClassDifference("depthwise", 0.5, 0.3),),
        layout=LayoutDifference("nhwc8", 0.75, 0.25),
        reformats=(4, 2.0),
    )
    record = outlying_record(figure)
    assert_same(record, figure)
    assert_same(record.classes[0], figure.classes[0])
    assert record.layout is not None
    assert_same(record.layout, figure.layout)
