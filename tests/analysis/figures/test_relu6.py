"""One clip beside three pieces, of one version on one host."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from harness.analysis.figures.relu6 import relu6_figures
from harness.analysis.grid import grid_of
from harness.attribution.engine import KernelFamily, LayerRole
from harness.matrix.cell import Treatment
from harness.observations.records import CellObservation
from tests.report.composed import cell, engine, layers, on_hosts, run

CLIP, PIECES = Treatment(), Treatment(relu6="relu_sub")


def of(treatment: Treatment, version: str, latencies: list[float], moved: int = 0) -> CellObservation:
    """A cell whose engine has a 1x1 convolution on a GEMM, one elsewhere, and *moved* reformats."""
    rows = layers(("a", "b", "c", "d"))
    rows[1] = replace(rows[1], op_class="pointwise", family=KernelFamily.IMPLICIT_GEMM)
    rows[3] = replace(rows[3], standalone_activation=True)
    extra = [
        replace(layer, role=LayerRole.REFORMAT, op_class="reformat", time_ms=0.5, source_ops=())
        for layer in layers([f"r{n}" for n in range(moved)])
    ]
    return cell(version, latencies, engine([*rows, *extra]), treatment=treatment)


def test_the_forms_of_a_version_stand_beside_each_other() -> None:
    cells = of(CLIP, "1.0", [1.0, 1.0]), of(PIECES, "1.0", [1.5, 1.5, 1.5], moved=2)
    (found,) = relu6_figures(grid_of(run(*cells)))
    assert (found.release.version, found.host) == ("1.0", "")
    assert found.extra_ms == pytest.approx(0.5)
    assert found.factor == pytest.approx(1.5)
    assert found.interval == (pytest.approx(1.5), pytest.approx(1.5))
    assert (found.clip.latency_ms, found.pieces.latency_ms) == (pytest.approx(1.0), pytest.approx(1.5))
    assert (found.clip.activations, found.clip.activations_ms) == (1.0, pytest.approx(0.04))
    assert (found.clip.reformats, found.pieces.reformats) == (0.0, 2.0)
    assert (found.clip.reformats_ms, found.pieces.reformats_ms) == (0.0, 1.0)
    assert (found.clip.graph_ms, found.pieces.graph_ms) == (None, None)
    assert found.subject == cells[0].cell.without_relu6


def test_kernels_are_counted_in_builds_where_they_are_known() -> None:
    clip, pieces = of(CLIP, "1.0", [1.0, 1.0]), of(PIECES, "1.0", [1.5, 1.5])
    (found,) = relu6_figures(grid_of(run(clip, pieces)))
    assert (found.clip.on_gemm, found.clip.pointwise) == ((1, 1), 2)
    first, second = clip.builds
    assert first.engine is not None
    unknown = tuple(replace(layer, family=KernelFamily.UNKNOWN) for layer in first.engine.layers)
    second = replace(second, engine=replace(first.engine, layers=unknown))
    (found,) = relu6_figures(grid_of(run(replace(clip, builds=(first, second)), pieces)))
    assert (found.clip.on_gemm, found.clip.pointwise) == ((1,), 2)


def test_builds_without_layers_or_a_spread_say_less() -> None:
    cells = cell("1.0", [1.0], treatment=CLIP), cell("1.0", [1.5, 1.5], treatment=PIECES)
    (found,) = relu6_figures(grid_of(run(*cells)))
    assert (found.factor, found.interval, found.extra_ms) == (None, None, pytest.approx(0.5))
    assert (found.clip.on_gemm, found.clip.pointwise, found.clip.activations) == ((), 0, 0.0)
    bare = replace(cells[0], builds=tuple(replace(b, passes={}) for b in cells[0].builds))
    (found,) = relu6_figures(grid_of(run(bare, cells[1])))
    assert (found.extra_ms, found.clip.latency_ms) == (None, None)


def test_graphs_are_shown_where_they_were_measured() -> None:
    clip = cell("1.0", [1.0, 1.0], treatment=CLIP)
    builds = tuple(replace(b, passes={**b.passes, "cuda_graph": np.full(2, 0.25)}) for b in clip.builds)
    pieces = cell("1.0", [1.5], treatment=PIECES)
    (found,) = relu6_figures(grid_of(run(replace(clip, builds=builds), pieces)))
    assert (found.clip.graph_ms, found.pieces.graph_ms) == (pytest.approx(0.25), None)


def test_only_versions_that_were_measured_in_both_forms_have_one_from_old_to_new() -> None:
    cells = [
        *(cell(version, [1.0], treatment=form) for form in (PIECES, CLIP) for version in ("10.0", "9.0")),
        cell("8.0", [1.0], treatment=CLIP),
        cell("7.0", [1.0], treatment=CLIP),
        cell("7.0", status="failed", treatment=PIECES),
    ]
    found = relu6_figures(grid_of(run(*cells)))
    assert [row.release.version for row in found] == ["9.0", "10.0"]


def test_hosts_are_told_apart_where_there_are_several() -> None:
    cells = [on_hosts("1.0", form, a=[1.0, 1.0], b=[2.0, 2.0]) for form in (CLIP, PIECES)]
    found = relu6_figures(grid_of(run(*cells)))
    assert [row.host for row in found] == ["host-a", "host-b"]
    assert [row.clip.latency_ms for row in found] == [pytest.approx(1.0), pytest.approx(2.0)]
    alone = [on_hosts("1.0", CLIP, a=[1.0, 1.0], b=[2.0, 2.0]), on_hosts("1.0", PIECES, b=[2.0])]
    assert [row.host for row in relu6_figures(grid_of(run(*alone)))] == [""]
