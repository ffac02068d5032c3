"""Where the time goes, by class and by source op, and neighbouring versions beside each other."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.analysis.documents import cell_figures
from harness.analysis.figures.sides import neighbour_sides
from harness.analysis.figures.times import CLASSES, class_times, time_figures
from harness.analysis.grid import GridRow, grid_of
from harness.attribution.engine import AttributedEngine
from harness.evidence.records import Evidence
from harness.networks.graph import OpClass
from harness.observations.records import CellObservation
from harness.report.render import render
from harness.store.documents.profile import ProfileRound, ProfileRuns
from tests.report.composed import analysed, cell, engine, graph, layers, run
from tests.report.parsed import Parsed

NAMES = ("a", "b", "c", "d")
KNOWN = engine(layers(NAMES), graph(NAMES))


def row_of(*cells: CellObservation) -> GridRow:
    (row,) = grid_of(run(*cells)).rows
    return row


def with_engines(version: str, *engines: AttributedEngine | None) -> CellObservation:
    found = cell(version, [1.0] * len(engines))
    builds = (replace(b, engine=e) for b, e in zip(found.builds, engines, strict=True))
    return replace(found, builds=tuple(builds))


def test_classes_are_means_over_builds_in_a_fixed_order() -> None:
    twice = engine(layers(NAMES, factor=2.0), graph(NAMES))
    found = class_times(row_of(with_engines("1.0", KNOWN, twice, None)).groups[0])
    assert found is not None
    assert [name for name, _, _ in found.parts] == ["pointwise", "depthwise", "convolution", "activation"]
    assert [ms for _, ms, _ in found.parts] == pytest.approx([0.015, 0.03, 0.045, 0.06])
    assert [share for _, _, share in found.parts] == pytest.approx([0.1, 0.2, 0.3, 0.4])
    assert found.total_ms == pytest.approx(0.15)
    assert (found.layers, found.depthwise_elsewhere) == ((4, 4), (0, 0))
    assert found.latency_ms == pytest.approx(1.0)
    assert [name for name in CLASSES if name in dict.fromkeys(n for n, _, _ in found.parts)] == [
        name for name, _, _ in found.parts
    ]


def test_what_profiling_costs_stands_beside_the_layers() -> None:
    found = with_engines("1.0", KNOWN, KNOWN)
    profile = ProfileRuns(
        way="one at a time",
        clock="host",
        plain_ms=[1.0],
        rounds=[ProfileRound(round=0, settle=0, inference_ms=[1.04])],
    )
    builds = tuple(replace(build, evidence=Evidence(profile=profile)) for build in found.builds)
    observed = run(replace(found, builds=builds))
    times = class_times(grid_of(observed).groups[0])
    assert times is not None
    assert times.profiling is not None
    assert times.profiling.cost == pytest.approx(0.04)
    page = " ".join(Parsed(render(analysed(observed))).text.split())
    assert "one at a time profiling costs 4 %: 1.040 ms an inference with it, 1.000 without" in page
    record = cell_figures(grid_of(observed).groups[0]).profiling
    assert record is not None
    assert (record.way, record.cost) == ("one at a time", pytest.approx(0.04))


def test_a_class_that_is_not_stacked_counts_as_other() -> None:
    rows = layers(NAMES)
    rows[0], rows[1] = replace(rows[0], op_class="quantize"), replace(rows[1], op_class="softmax")
    found = class_times(row_of(with_engines("1.0", engine(rows))).groups[0])
    assert found is not None
    assert {name: ms for name, ms, _ in found.parts}["other"] == pytest.approx(0.03)


def test_a_part_of_a_network_has_no_shares() -> None:
    part = replace(KNOWN, partial=True)
    found = class_times(row_of(with_engines("1.0", KNOWN, part)).groups[0])
    assert found is not None
    assert {share for _, _, share in found.parts} == {None}


def test_without_a_profile_there_are_no_times() -> None:
    row = row_of(with_engines("1.0", None), cell("2.0", status="failed"))
    assert time_figures(row) is None
    assert class_times(row.groups[0]) is None


def test_source_ops_stand_across_versions_with_their_usual_kernel() -> None:
    other = engine(layers(NAMES, kernel="wino"), graph(NAMES))
    slow = engine(layers(NAMES, factor=10.0, kernel="wino"), graph(NAMES))
    found = time_figures(row_of(with_engines("1.0", KNOWN, other, slow), with_engines("2.0", KNOWN)))
    assert found is not None
    assert [release.version for release in found.releases] == ["1.0", "2.0"]
    assert [times.release.version for times in found.classes] == ["1.0", "2.0"]
    assert [op.name for op in found.ops] == list(NAMES)
    assert {op.op_class for op in found.ops} == {"activation"}, "they are of the network, not of the engine"
    old, new = found.ops[1].cells
    assert (old.ms, old.kernel, old.kernel_builds) == (pytest.approx(0.08), "wino", (2, 3))
    assert (new.ms, new.kernel, new.kernel_builds) == (pytest.approx(0.02), "sgemm_128x64", (1, 1))
    assert found.ops[1].largest == old.ms
    assert [op.name for op in found.top_ops(2)] == ["d", "c"]
    assert found.remarks == ()


def test_an_op_that_an_engine_lacks_is_empty_there() -> None:
    less = engine(layers(NAMES[:2]), graph(NAMES))
    found = time_figures(row_of(with_engines("1.0", KNOWN), with_engines("2.0", less)))
    assert found is not None
    lacking = found.ops[3].cells[1]
    assert (lacking.ms, lacking.kernel, lacking.kernel_builds) == (None, "", (0, 0))
    untyped = [replace(layer, kernel=None, type=None) for layer in layers(NAMES)]
    nameless = time_figures(row_of(with_engines("1.0", engine(untyped, graph(NAMES)))))
    assert nameless is not None
    assert nameless.ops[0].cells[0].kernel == ""
    typed = [replace(layer, kernel=None) for layer in layers(NAMES)]
    by_type = time_figures(row_of(with_engines("1.0", engine(typed, graph(NAMES)))))
    assert by_type is not None
    assert by_type.ops[0].cells[0].kernel == "CaskConvolution"


def test_engines_of_no_known_network_have_classes_and_no_ops() -> None:
    found = time_figures(row_of(with_engines("1.0", engine(layers(NAMES)))))
    assert found is not None
    assert (len(found.classes), found.ops) == (1, ())


def test_neighbours_are_compared_op_by_op_the_largest_difference_first() -> None:
    times = (0.01, 0.1, 0.02, 0.04)
    faster = [replace(layer, time_ms=ms) for layer, ms in zip(layers(NAMES), times, strict=True)]
    row = row_of(
        with_engines("1.0", KNOWN),
        with_engines("1.5", engine(layers(NAMES))),
        with_engines("2.0", None, engine(faster, graph(NAMES))),
        with_engines("3.0", KNOWN),
        replace(with_engines("3.0", KNOWN), cell=replace(cell("3.0").cell, repeat="aa")),
    )
    first, second = neighbour_sides(row)
    assert (first.old.version, first.new.version, first.builds) == ("1.0", "2.0", (0, 1))
    assert (second.old.version, second.new.version, second.builds) == ("2.0", "3.0", (1, 0))
    assert [op.op for op in first.ops][:2] == ["b", "c"]
    assert first.totals == (pytest.approx(0.1), pytest.approx(0.17))
    assert first.rest == ()


def test_runtimes_are_not_neighbours() -> None:
    other = replace(with_engines("1.0", KNOWN), cell=replace(cell("1.0").cell, runtime="openvino"))
    assert neighbour_sides(row_of(with_engines("1.0", KNOWN), other)) == ()


def test_the_fifteen_ops_of_the_largest_time_stand_in_the_order_of_the_network() -> None:
    names = [f"op{n:02}" for n in range(20)]
    found = time_figures(row_of(with_engines("1.0", engine(layers(names), graph(names)))))
    assert found is not None
    assert [op.name for op in found.ops] == names[5:], "each takes longer than the one before it"
    assert found.all_ops == 20


def test_every_class_of_ops_has_its_place_in_the_stack() -> None:
    assert {"other", "unknown", *map(str, (OpClass.POINTWISE, OpClass.DEPTHWISE))} <= set(CLASSES)
    rows = [replace(layer, op_class=name) for layer, name in zip(layers(CLASSES), CLASSES, strict=True)]
    found = class_times(row_of(with_engines("1.0", engine(rows))).groups[0])
    assert found is not None
    assert [name for name, _, _ in found.parts] == list(CLASSES)
