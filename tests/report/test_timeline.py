"""Timelines: layers in order, width by time, reformats as gaps; what is drawn where there are many cells."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from harness.analysis.grid import grid_of
from harness.attribution.engine import LayerRole
from harness.report.timeline import WIDTH, timelines
from tests.report.composed import cell, engine, layers, run

NAMES = ("a", "b", "c", "d")
BAR = re.compile(r"M([\d.]+) (\d+)h([\d.]+)v(\d+)h-[\d.]+z")


def shapes(path: str) -> list[tuple[float, ...]]:
    return [tuple(map(float, found)) for found in BAR.findall(path)]


def test_layers_stand_in_order_each_as_wide_as_its_time_and_a_reformat_is_a_gap() -> None:
    rows = layers(NAMES)
    rows[1] = replace(rows[1], role=LayerRole.REFORMAT, op_class="reformat")
    rows[2] = replace(rows[2], time_ms=None)
    (view,) = timelines(grid_of(run(cell("1", [1.0], engine(rows)))), 10, titles=True)
    (lane,) = view.lanes
    bars = [shapes(bar.path)[0] for bar in lane.bars]
    assert [bar.op_class for bar in lane.bars] == ["pointwise", "reformat", "activation"]
    unit = WIDTH * view.scale.place(0.01)
    assert [width for _, _, width, _ in bars] == pytest.approx([unit, 2 * unit, 4 * unit], abs=0.1)
    assert [x for x, *_ in bars] == pytest.approx([0, unit, 3 * unit], abs=0.1)
    # The gap: a line of 4 below, where a layer fills the 20 of its lane.
    assert [(top, high) for _, top, _, high in bars] == [(0, 20), (16, 4), (0, 20)]
    assert lane.bars[0].title == "a: 0.0100 ms, pointwise"
    assert "3 layers run in 0.0700 ms; 1 reformat takes 0.0200 ms of it (28.6 %)" in lane.words
    assert lane.words.endswith("the longest: d 0.0400 ms, b 0.0200 ms, a 0.0100 ms")


def test_versions_share_a_scale_and_a_second_arm_has_no_lane() -> None:
    cells = [cell(v, [1.0], engine(layers(NAMES, f))) for v, f in (("1", 1.0), ("2", 3.0))]
    arm = cell("2", [1.0], engine(layers(NAMES)), repeat="aa")
    (view,) = timelines(grid_of(run(*cells, arm)), 10, titles=False)
    assert [lane.label for lane in view.lanes] == ["tensorrt 1", "tensorrt 2"]
    widths = [sum(shape[2] for bar in lane.bars for shape in shapes(bar.path)) for lane in view.lanes]
    assert widths[1] == pytest.approx(3 * widths[0], rel=0.01)
    assert all(bar.title == "" for lane in view.lanes for bar in lane.bars)


def test_subjects_are_drawn_whole_or_not_at_all() -> None:
    cells = [cell(v, [1.0], engine(layers(NAMES)), network=n) for n in ("x", "y") for v in "123"]
    assert [len(view.lanes) for view in timelines(grid_of(run(*cells)), 5, titles=True)] == [3]
    assert timelines(grid_of(run(cell("1", [1.0]))), 5, titles=True) == ()
