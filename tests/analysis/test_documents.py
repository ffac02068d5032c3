"""Verdicts and figures as documents: what is written is read back, and says what the page does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.analysis.documents import cell_figures, verdicts_document
from harness.analysis.grid import Grid, grid_of
from harness.analysis.judge import judge
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
