"""Runtimes beside each other: numbers of each row, what they are against, and what they lack."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.analysis.figures.runtimes import (
    ONE_BUILD,
    SOME_ONE_BUILD,
    RuntimeTable,
    Shares,
    no_interval,
    other_clock,
    runtime_tables,
    shares_of,
    side_by_side,
)
from harness.analysis.grid import grid_of
from harness.attribution.engine import AttributedLayer, LayerRole
from harness.attribution.roofline import achieved
from harness.matrix.cell import Treatment
from harness.observations.records import CellObservation
from tests.analysis.answers.test_beside import figures
from tests.report.composed import cell, engine, graph, layers, run

NAMES = ("a", "b", "c", "d")
KNOWN = engine(layers(NAMES), graph(NAMES))
FIRST = cell("2.0", [4.0, 4.0], KNOWN, treatment=Treatment(batch=8))
OTHER = cell("1.0", [2.0, 2.0], runtime="openvino", treatment=Treatment(batch=8))


def tables(*cells: CellObservation, first: str | None = None) -> tuple[RuntimeTable, ...]:
    return runtime_tables(grid_of(run(*cells)), first)


def test_a_row_says_what_a_runtime_does_in_a_second() -> None:
    (table,) = tables(FIRST, OTHER)
    assert (table.network, table.host, table.against) == ("mobilenet_v2", "host-a", "tensorrt")
    first, other = table.rows
    assert (first.release, first.label, first.name) == ("tensorrt 2.0", "", "tensorrt 2.0")
    assert first.images_per_s == pytest.approx(8 / 0.004)
    reached = achieved(KNOWN, 4.0)
    assert reached is not None
    assert reached.end_to_end is not None
    assert first.gflops_per_s == pytest.approx(reached.end_to_end / 1e9)
    assert (first.speed_up, first.interval, first.against, first.by_gpu) == (None, None, "", False)
    assert first.shares == Shares(1.0, 0.0, 0.0), "TensorRT alone is one segment"
    assert (other.gflops_per_s, other.shares) == (None, None), "no build has a profile"
    assert (other.speed_up, other.against) == (pytest.approx(2.0), "tensorrt 2.0")
    assert other.interval == (pytest.approx(2.0), pytest.approx(2.0))
    assert table.note == ""


def test_a_speed_up_is_the_latency_it_is_against_over_its_own_with_an_interval_over_builds() -> None:
    (table,) = tables(cell("2.0", [4.0, 4.4]), cell("1.0", [2.0, 2.1, 2.2], runtime="openvino"))
    row = table.rows[1]
    assert row.speed_up == pytest.approx((4.0 * 4.4) ** 0.5 / (2.0 * 2.1 * 2.2) ** (1 / 3))
    assert row.interval is not None
    assert row.interval[0] < row.speed_up < row.interval[1]
    assert row.interval[0] * row.interval[1] == pytest.approx(row.speed_up**2), "on the logarithm"


def test_the_first_runtime_stands_first_and_the_rest_from_fast_to_slow() -> None:
    cells = [
        cell("2.0", [4.0, 4.0]),
        cell("1.0", [3.0, 3.0]),
        cell("1.0", [5.0, 5.0], runtime="openvino"),
        cell("3.0", [2.0, 2.0], runtime="onnxruntime"),
    ]
    (table,) = tables(*cells)
    assert [row.release for row in table.rows] == [
        "tensorrt 1.0",
        "tensorrt 2.0",
        "onnxruntime 3.0",
        "openvino 1.0",
    ]
    (turned,) = tables(*cells, first="openvino")
    assert turned.against == "openvino"
    assert [row.speed_up for row in turned.rows] == [
        None,
        *(pytest.approx(5.0 / ms) for ms in (2.0, 3.0, 4.0)),
    ]
    assert tables(*cells, first="tftrt") == ()


def test_there_is_a_table_for_what_two_runtimes_ran_of_each_network_treatment_and_host() -> None:
    fp16 = Treatment(precision="fp16")
    cells = [
        cell("2.0", [4.0]),
        cell("1.0", [2.0], runtime="openvino"),
        cell("2.0", [1.0], treatment=fp16),
        cell("2.0", [4.0], network="mobilenet_v1"),
        cell("1.0", [2.0], network="mobilenet_v1", runtime="openvino", host="host-b"),
        cell("1.0", [0.5], runtime="openvino", treatment=fp16, repeat="aa"),
        cell("3.0", status="failed", runtime="openvino", treatment=fp16),
    ]
    for found in (tables(*cells), side_by_side(grid_of(run(*cells)))):
        assert [(t.network, t.treatment, t.host) for t in found] == [
            ("mobilenet_v2", cells[0].cell.treatment.common_label, "host-a")
        ]
    assert side_by_side(grid_of(run(cells[0]))) == ()


def test_a_runtime_s_own_fields_stand_behind_its_release() -> None:
    own = Treatment(own=(("placement", "gpu"),), own_label="placed_gpu")
    (table,) = tables(cell("2.0", [4.0]), cell("1.0", [2.0], runtime="tftrt", treatment=own))
    assert [row.name for row in table.rows] == ["tensorrt 2.0", "tftrt 1.0 placed_gpu"]
    assert table.note == ONE_BUILD


@pytest.mark.parametrize(
    ("builds", "note"), [((1, 1), ONE_BUILD), ((2, 1), SOME_ONE_BUILD), ((1, 2), SOME_ONE_BUILD)]
)
def test_why_there_is_no_interval_is_said(builds: tuple[int, int], note: str) -> None:
    (table,) = tables(cell("2.0", [4.0] * builds[0]), cell("1.0", [2.0] * builds[1], runtime="openvino"))
    assert (table.rows[1].speed_up, table.rows[1].interval) == (pytest.approx(2.0), None)
    assert table.note == no_interval(table.rows) == note


def test_the_clock_of_the_gpu_alone_is_named_after_the_interval_once_each() -> None:
    rows = (
        figures("tensorrt 2.0"),
        figures("openvino 1", 2.0, by_gpu=True, label="x"),
        figures("openvino 1", 2.0, by_gpu=True, label="x"),
        figures("tftrt 1", 2.0, by_gpu=True),
    )
    said = "of openvino 1 x, tftrt 1 by the GPU's own, without launches"
    assert other_clock(rows) == said
    assert other_clock(rows[:1]) == ""
    assert RuntimeTable("n", "t", "h", "tensorrt", rows).note == f"{SOME_ONE_BUILD}; {said}"
    sure = tuple(replace(row, interval=(1.0, 2.0)) for row in rows)
    assert RuntimeTable("n", "t", "h", "tensorrt", sure).note == said


def test_layer_time_is_in_segments_in_reformats_or_outside() -> None:
    def layer(name: str, ms: float | None, role: LayerRole = LayerRole.COMPUTE) -> AttributedLayer:
        return replace(layers(("x",))[0], name=name, time_ms=ms, role=role)

    rows = [
        layer("TRTEngineOp_0/conv", 0.5),
        layer("TRTEngineOp_0/Reformatting", 0.125, LayerRole.REFORMAT),
        layer("Relu", 0.25),
        layer("border", 0.125, LayerRole.REFORMAT),
        layer("untimed", None),
    ]
    assert shares_of(engine(rows), "tftrt") == Shares(0.5, 0.25, 0.25)
    assert shares_of(engine(rows), "tensorrt_rtx") == Shares(0.75, 0.25, 0.0)
    assert shares_of(engine(rows[-1:]), "tftrt") is None
