"""Builds of H100 hosts in one report: their tensor formats, and hosts kept apart."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.analysis.figures.relu6 import relu6_figures
from harness.analysis.grid import grid_of
from harness.attribution.forensics import LayerForensics, pointwise_forensics
from harness.matrix.cell import Treatment
from harness.observations.records import RunObservation
from harness.plugins.reading import observe
from harness.report.render import render
from harness.report.words import lost_layer, some_of
from tests.report.composed import analysed, cell, engine, graph, layers, on_hosts, run
from tests.report.parsed import Parsed
from tests.runtimes.worker_builds import (
    FORMATS,
    FP16_CLIP,
    FP16_PIECES,
    INT8,
    PIECES,
    WorkerBuild,
    bundle,
    v1,
    v2,
)

CLIP, SUB = Treatment(), Treatment(relu6="relu_sub")
NAMES = ("a", "b", "c", "d")


# a bundle of recorded builds


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> RunObservation:
    """Two versions of one cell, ReLU6 in pieces on another host, and a build that tried tensor formats."""
    builds = (v2("8.5.3.1"), v2("8.6.0"), PIECES, FORMATS)
    return observe([bundle(builds, tmp_path_factory.mktemp("bundle") / "run")])


@pytest.fixture(scope="module")
def page(recorded: RunObservation) -> Parsed:
    """The report of it."""
    return Parsed(render(analysed(recorded)))


def test_recorded_builds_are_read_back_as_measured(recorded: RunObservation) -> None:
    assert [found.cell.version for found in recorded.cells] == ["8.5.3.1", "8.6.0", "8.6.0", "8.6.0"]
    assert [len(found.good) for found in recorded.cells] == [1, 1, 1, 1]
    for found in recorded.cells[:3]:
        (build,) = found.good
        assert set(build.passes) == {"latency", "cuda_graph", "cold_l2"}
        assert build.throttled == 0
        assert build.latency_ms == pytest.approx(build.facts["latency_median_ms"], abs=1e-6)
        assert build.trials == ()


def test_the_formats_section_has_what_was_accepted_and_what_was_refused(page: Parsed) -> None:
    assert "formats" in page.ids
    assert "formats-mobilenet-v1-fp16-b1-clip-core" in page.ids
    behind = page.text.rpartition("Tensor formats of inputs and outputs")[2]
    section, following, _ = behind.partition("Side by side: source op by source op")
    assert following
    assert "8 accepted, 6 refused" in section
    for name in ("LINEAR", "CHW2", "HWC8", "CHW4", "CHW16", "CHW32", "HWC16"):
        assert f"\n{name}fp16" in section
    assert "DHWC8: tensor format DHWC8: not one that this worker can fill" in section


def test_formats_are_set_beside_the_first_with_what_their_engines_reformat(recorded: RunObservation) -> None:
    (view,) = (row for row in analysed(recorded, []).rows if row.formats)
    (table,) = view.formats
    assert table.release.label == "tensorrt 8.6.0"
    assert str(FORMATS.document("build.json")["host"]).startswith(table.host)
    rows = {(row.trial.name, row.trial.io_type): row for row in table.accepted}
    assert rows["LINEAR", "fp32"].against_first == 1.0
    executed = {key: row.reformats.executed for key, row in rows.items() if row.reformats is not None}
    assert executed == {("LINEAR", "fp32"): 2, ("HWC8", "fp16"): 0, ("CHW32", "fp16"): 2}
    assert all(row.against_first is not None for row in rows.values())
    assert len(table.refused) == 6


def test_pieces_measured_on_one_host_and_the_clip_on_another_are_not_compared(
    recorded: RunObservation, page: Parsed
) -> None:
    new, pieces = recorded.cells[1:3]
    assert (new.cell.treatment.relu6, pieces.cell.treatment.relu6) == ("clip", "relu_sub")
    assert {build.host for build in new.builds} != {build.host for build in pieces.builds}
    assert relu6_figures(grid_of(recorded)) == ()
    assert "No version was measured with both forms on one host." in page.text


# hosts, composed


@pytest.mark.parametrize(
    ("clip", "pieces", "factors"),
    [
        ({"a": [1.0, 1.0]}, {"b": [9.0, 9.0]}, []),
        ({"a": [1.0, 1.0], "b": [2.0, 2.0]}, {"b": [3.0, 3.0]}, [1.5]),
        ({"a": [1.0, 1.0], "b": [2.0, 2.0]}, {"a": [3.0, 3.0], "b": [3.0, 3.0]}, [3.0, 1.5]),
    ],
    ids=["no host has both", "one host has both", "both hosts have both"],
)
def test_forms_of_relu6_are_compared_within_a_host_only(
    clip: dict[str, list[float]], pieces: dict[str, list[float]], factors: list[float]
) -> None:
    rows = relu6_figures(grid_of(run(on_hosts("8.6", CLIP, **clip), on_hosts("8.6", SUB, **pieces))))
    assert [row.factor for row in rows] == pytest.approx(factors)


def test_one_build_of_each_form_is_shown_without_a_change() -> None:
    observed = run(on_hosts("8.6", CLIP, a=[1.0]), on_hosts("8.6", SUB, a=[1.5]))
    (row,) = relu6_figures(grid_of(observed))
    assert (row.extra_ms, row.factor, row.interval) == (0.5, None, None)
    assert "ReLU6 in three pieces against one clip" in Parsed(render(analysed(observed))).text


def test_forms_of_relu6_are_listed_by_release_with_their_kernels_and_cuda_graphs(
    recorded: RunObservation,
) -> None:
    """Engines as recorded, of the clip for both forms; the times are composed."""
    graph = {"clip": 0.4, "relu_sub": 0.5}
    cells = []
    for found in recorded.cells[1::-1]:
        for relu6, ms in graph.items():
            treatment = replace(found.cell.treatment, relu6=relu6)
            passes = {"latency": np.array([ms + 0.1]), "cuda_graph": np.array([ms])}
            builds = tuple(replace(b, passes=passes) for b in found.builds)
            cells.append(replace(found, cell=replace(found.cell, treatment=treatment), builds=builds))
    rows = relu6_figures(grid_of(replace(recorded, cells=tuple(cells))))
    assert [row.release.version for row in rows] == ["8.5.3.1", "8.6.0"]
    for row, on_gemm in zip(rows, (1, 23), strict=True):
        assert [(f.on_gemm, f.pointwise, f.graph_ms) for f in (row.clip, row.pieces)] == [
            ((on_gemm,), 35, 0.4),
            ((on_gemm,), 35, 0.5),
        ]
    page = Parsed(render(analysed(replace(recorded, cells=tuple(cells)), []))).text
    assert "as a CUDA graph, ms" in page
    assert "0.400 → 0.500" in page
    assert "23 → 23 of 35" in " ".join(page.split())


@pytest.mark.parametrize(
    ("build", "layers", "elsewhere", "gemm_is_faster", "shown"),
    [
        (v2("8.6.0"), 12, 12, True, "12 (12 in other formats): 0.0853, 0.0941"),
        (v1("8.6.0"), 2, 0, False, "2: 0.0194, 0.0180"),
        (v2("8.5.3.1"), 0, 0, False, "none"),
    ],
    ids=str,
)
def test_where_gemm_kernels_lost_it_is_said_to_which_time_and_to_which_layout(
    build: WorkerBuild, layers: int, elsewhere: int, gemm_is_faster: bool, shown: str, tmp_path: Path
) -> None:
    observed = observe([bundle((build,), tmp_path / "run")])
    (row,) = analysed(observed, []).rows
    (search,) = row.kernels[0].searches
    assert search is not None
    lost = search.gemm_lost
    assert (lost.layers, lost.elsewhere) == (layers, elsewhere)
    assert search.any_gemm.chosen + lost.layers == search.any_gemm.timed
    assert (lost.best_ms < lost.chosen_ms) == gemm_is_faster
    assert shown in " ".join(Parsed(render(analysed(observed))).text.split())


def test_a_build_without_tactics_in_its_log_says_so_beside_one_with(tmp_path: Path) -> None:
    """As with a timing cache: the builds after the first have nothing to time."""
    observed = observe([bundle((v2("8.6.0", 1), v2("8.6.0")), tmp_path / "run")])
    (row,) = analysed(observed, []).rows
    assert [search and search.build for search in row.kernels[0].searches] == [0, None]
    text = " ".join(Parsed(render(analysed(observed))).text.split())
    assert "23, 34 of 35 1/1/0, ?/?/0" in text
    assert "gemm_as_conv1x1 was timed and lost, in build 0:" in text
    # the two engines differ in layers and kernels
    assert "78 to 89" in text
    page = render(analysed(observed))
    assert re.search(r'title="sm\d+_\w+ \(1 of 2 builds\)"', page)


@pytest.mark.parametrize("elsewhere", [False, True])
def test_gemm_as_conv1x1_timed_for_other_formats_than_the_chosen_is_said_to_be_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, elsewhere: bool
) -> None:
    def searched(*seen: Any) -> tuple[LayerForensics, ...]:
        found = pointwise_forensics(*seen)
        return tuple(map(apart, found)) if elsewhere else found

    def apart(layer: LayerForensics) -> LayerForensics:
        best = layer.gemm_as_conv1x1.best
        rest = (replace(s, candidates=tuple(c for c in s.candidates if c != best)) for s in layer.searches)
        return replace(layer, searches=tuple(rest))

    monkeypatch.setattr("harness.analysis.figures.kernels.pointwise_forensics", searched)
    (row,) = analysed(observe([bundle((v2("8.6.0"),), tmp_path / "run")]), []).rows
    (search,) = row.kernels[0].searches
    assert search is not None
    assert [lost_layer(lost).endswith(", in other formats") for lost in search.lost] == [elsewhere]


def test_recorded_forms_of_relu6_show_that_the_pieces_keep_gemm_kernels_away(tmp_path: Path) -> None:
    observed = observe([bundle((FP16_PIECES, FP16_CLIP), tmp_path / "run")])
    (row,) = relu6_figures(grid_of(observed))
    assert (row.clip.on_gemm, row.pieces.on_gemm, row.clip.pointwise) == ((14,), (1,), 14)
    assert (row.clip.activations, row.pieces.activations) == (0, 14)
    assert row.clip.graph_ms is not None
    assert row.pieces.graph_ms is not None
    assert row.clip.graph_ms < row.pieces.graph_ms < (row.pieces.latency_ms or 0)
    assert "14 → 1 of 14" in " ".join(Parsed(render(analysed(observed))).text.split())


def test_depthwise_convolutions_inside_a_1x1_layer_are_counted_beside_their_share(tmp_path: Path) -> None:
    observed = observe([bundle((INT8, FP16_CLIP), tmp_path / "run")])
    rows = [row.kernels[0].depthwise_elsewhere for row in analysed(observed, []).rows]
    assert sorted(rows) == [(0,), (4,)]
    text = " ".join(Parsed(render(analysed(observed))).text.split())
    assert "31.7 % / 3.0 % 4 inside others" in text
    assert "31.7 % and 4 inside others" in text
    assert text.count("inside others") == 2
    assert "depthwise_separable 4, gemm 1, implicit_gemm 9" in text


@pytest.mark.parametrize(("said", "shown"), [(True, "1 of 1"), (False, "0 of 1"), (None, "")])
def test_a_build_that_cannot_say_whether_launching_bounds_it_says_neither(
    said: bool | None, shown: str
) -> None:
    drawn = engine(layers(("a", "b")), graph(("a", "b")))
    found = run(cell("8.5", [1.0], drawn, facts={"launch_bound": said}))
    (row,) = analysed(found, []).rows
    assert some_of(row.kernels[0].launch_bound) == shown
    assert row.latency[0].launch_bound == (int(said is True), int(said is not None))
