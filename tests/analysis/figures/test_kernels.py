"""Kernels of every build, and how the builder's search came to them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.analysis.figures.kernels import (
    GroupCounts,
    LostLayer,
    LostSearches,
    kernel_figures,
    kernels_of,
    search_summary,
)
from harness.analysis.grid import grid_of
from harness.analysis.groups import BuildGroup
from harness.attribution.attribute import attribute
from harness.attribution.engine import KernelFamily, LayerRole
from harness.evidence.records import EngineLayer, Evidence, Tactic
from harness.networks.mobilenet import MobileNetV2
from harness.observations.records import BuildObservation, CellObservation
from tests.report.composed import cell, engine, layers, run

GEMM_AS = "sm70_xmma_gemm_as_conv1x1_f32f32_f32_f32_tn_n_simt_small_batch_bias_relu"
IMPLICIT = "sm80_xmma_fprop_implicit_gemm_f32f32_f32f32_f32_nhwckrsc_nhwc_simple_t1r1s1"
NETWORK = MobileNetV2().graph()
FIRST, SECOND = "Conv_1/Conv2D", "Logits/Conv2d_1c_1x1/Conv2D"
WON, LOST = "0x1fb90698107bb33a", "0x20582"
LINEAR, NATIVE = "Float(1) -> Float(1)", "Half(8) -> Half(8)"


def tactic(layer: str, kernel: str | None, name: str, ms: float, formats: str = LINEAR) -> Tactic:
    return Tactic(layer, "CaskConvolution", formats, name, None, kernel, ms)


def searched(*tactics: Tactic) -> BuildObservation:
    """A build of two 1x1 convolutions that run the same tactic, with a builder log."""
    rows = tuple(EngineLayer(i, name, "CaskConvolution", WON) for i, name in enumerate((FIRST, SECOND)))
    evidence = Evidence(layers=rows, tactics=tactics)
    made = attribute(NETWORK, evidence)
    timed = tuple(replace(layer, time_ms=0.5) for layer in made.layers)
    found = replace(made, layers=timed, total_ms=1.0)
    return BuildObservation(0, "ok", "host-a", engine=found, evidence=evidence)


def group(*builds: BuildObservation) -> BuildGroup:
    return grid_of(run(replace(cell("8.6.0"), builds=builds))).rows[0].groups[0]


def test_a_search_is_summed_up_over_the_1x1_convolutions() -> None:
    build = searched(
        tactic(FIRST, IMPLICIT, WON, 1.0),
        tactic(FIRST, GEMM_AS, LOST, 1.25),
        tactic(SECOND, IMPLICIT, WON, 2.0),
    )
    found = search_summary(replace(build, build=7))
    assert found is not None
    assert (found.build, found.layers, found.timed_themselves, found.inherited) == (7, 2, 2, 0)
    assert found.gemm_as_conv1x1 == GroupCounts(offered=1, timed=1, chosen=0, cannot_tell=0)
    assert found.any_gemm == GroupCounts(offered=1, timed=1, chosen=0, cannot_tell=0)
    assert found.gemm_lost == LostSearches(layers=1, elsewhere=0, best_ms=1.25, chosen_ms=1.0)
    assert found.lost == (LostLayer(FIRST, 1.25, 1.0, IMPLICIT, same_formats=True),)


def test_a_layer_that_the_log_does_not_show_cannot_be_told() -> None:
    found = search_summary(searched(tactic(FIRST, IMPLICIT, WON, 1.0)))
    assert found is not None
    assert (found.timed_themselves, found.inherited) == (1, 0)
    assert found.gemm_as_conv1x1 == GroupCounts(offered=0, timed=0, chosen=0, cannot_tell=1)


def test_a_kernel_that_was_timed_in_other_formats_lost_elsewhere() -> None:
    found = search_summary(
        searched(tactic(FIRST, IMPLICIT, WON, 1.0, NATIVE), tactic(FIRST, GEMM_AS, LOST, 0.75))
    )
    assert found is not None
    assert found.gemm_lost == LostSearches(layers=1, elsewhere=1, best_ms=0.75, chosen_ms=1.0)
    assert [lost.same_formats for lost in found.lost] == [False]


def test_what_won_is_called_by_its_runner_where_the_log_names_no_kernel() -> None:
    found = search_summary(searched(tactic(FIRST, None, WON, 1.0), tactic(FIRST, GEMM_AS, LOST, 1.5)))
    assert found is not None
    assert [lost.chosen for lost in found.lost] == ["CaskConvolution"]


def test_a_kernel_that_won_lost_nothing() -> None:
    found = search_summary(searched(*(tactic(name, GEMM_AS, WON, 1.0) for name in (FIRST, SECOND))))
    assert found is not None
    assert found.gemm_as_conv1x1 == GroupCounts(offered=2, timed=2, chosen=2, cannot_tell=0)
    assert (found.gemm_lost, found.lost) == (LostSearches(0, 0, 0.0, 0.0), ())


def test_without_a_log_there_is_no_search() -> None:
    build = searched(tactic(FIRST, IMPLICIT, WON, 1.0))
    assert search_summary(replace(build, evidence=None)) is None
    assert search_summary(replace(build, engine=None)) is None
    assert search_summary(searched()) is None
    figures = kernels_of(group(searched()))
    assert figures is not None
    assert figures.searches == ()
    both = kernels_of(group(searched(), replace(build, build=1)))
    assert both is not None
    assert [search is None for search in both.searches] == [True, False]


def named(version: str, *factors: float) -> CellObservation:
    """A cell whose builds have an activation and a reformat beside their convolutions."""
    names = ("a", "b", "c", "d")
    found = cell(version, [2.0] * len(factors), facts={"launch_bound": True})

    def made(factor: float) -> list[object]:
        rows = layers(names, factor)
        rows[3] = replace(rows[3], standalone_activation=True)
        moved = replace(rows[2], role=LayerRole.REFORMAT, op_class="reformat", source_ops=(), shares={})
        return [*rows, replace(moved, name="r", time_ms=0.1 * factor)]

    engines = [engine(made(factor)) for factor in factors]  # type: ignore[arg-type]
    builds = (replace(b, engine=e) for b, e in zip(found.builds, engines, strict=True))
    return replace(found, builds=tuple(builds))


def test_the_figures_of_a_group_are_means_over_its_builds() -> None:
    (row,) = grid_of(run(named("8.6.0", 1.0, 3.0))).rows
    (found,) = kernel_figures(row)
    assert (found.release.version, found.cell) == ("8.6.0", row.groups[0].cell.id)
    assert found.pointwise_ms == pytest.approx(0.02)
    assert found.latency_ms == pytest.approx(2.0)
    assert found.activations_ms == pytest.approx(0.08)
    assert found.reformats_ms == pytest.approx(0.2)
    assert [a.pointwise.total for a in found.adoptions] == [1, 1]
    assert found.families == ((str(KernelFamily.GEMM), 1),)
    assert found.depthwise_elsewhere == (0, 0)
    assert found.launch_bound == (2, 2)
    assert found.depthwise_time_share == pytest.approx(0.1)


def test_a_group_without_engine_layers_has_no_figures() -> None:
    (row,) = grid_of(run(cell("8.6.0", [1.0]), cell("8.5.0", [1.0], engine([])))).rows
    assert kernel_figures(row) == ()


def test_layers_without_times_have_kernels_and_no_milliseconds() -> None:
    untimed = engine([replace(layer, time_ms=None) for layer in layers(("a", "b"))])
    (found,) = kernel_figures(grid_of(run(cell("8.6.0", [1.0], untimed))).rows[0])
    assert (found.pointwise_ms, found.activations_ms, found.reformats_ms) == (None, 0.0, 0.0)
    assert [a.pointwise.total for a in found.adoptions] == [1]


def test_a_build_without_1x1_convolutions_takes_no_time_for_them() -> None:
    found = named("8.6.0", 1.0, 3.0)
    other = engine([replace(layer, op_class="convolution") for layer in layers(("a", "b"))])
    first, second = found.builds
    both = replace(found, builds=(first, replace(second, engine=other)))
    figures = kernels_of(grid_of(run(both)).groups[0])
    assert figures is not None
    assert figures.pointwise_ms == pytest.approx(0.01 / 2)
