"""Builds apart from their like: which have a row, what carries the difference, and a real one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from harness.analysis.figures.outlying import ClassDifference, LayoutDifference, outlying_builds
from harness.analysis.grid import grid_of
from harness.attribution.engine import AttributedEngine, LayerRole
from harness.observations.records import CellObservation
from harness.plugins.reading import observe
from harness.report.render import render
from tests.report.composed import analysed, cell, engine, layers, run
from tests.report.parsed import Parsed
from tests.runtimes.worker_builds import bundle, v2

NAMES = ("a", "b", "c", "d")


def _engine(*, factor: float = 1.0, layout: str = "hwc fp32", reformats: int = 1) -> AttributedEngine:
    compute = [replace(layer, output_formats=(layout,)) for layer in layers(NAMES)]
    compute[3] = replace(compute[3], time_ms=0.04 * factor)
    extra = [
        replace(layer, role=LayerRole.REFORMAT, op_class="reformat", time_ms=0.001)
        for layer in layers(["r"] * reformats)
    ]
    return engine([*compute, *extra])


def _with(found: CellObservation, *engines: AttributedEngine | None) -> CellObservation:
    builds = (replace(b, engine=p) for b, p in zip(found.builds, engines, strict=True))
    return replace(found, builds=tuple(builds))


def test_a_slow_build_says_what_it_did_differently() -> None:
    usual = _engine()
    odd = _engine(factor=2.0, layout="linear fp32", reformats=0)
    found = _with(cell("8.5.3.1", [1.0, 1.3, 1.02]), usual, odd, usual)
    (row,) = outlying_builds(grid_of(run(found)))
    assert (row.build, row.latency_ms) == (1, 1.3)
    assert row.usual_ms == 1.02
    assert row.times == pytest.approx(1.3 / 1.02)
    assert row.classes == (ClassDifference(layers(NAMES)[3].op_class, 0.08, 0.04),)
    assert row.layout == LayoutDifference("linear fp32", 1.0, 0.0)
    assert row.reformats == (0, 1.0)


def test_a_fast_build_is_apart_too() -> None:
    usual, odd = _engine(factor=2.0), _engine()
    (row,) = outlying_builds(grid_of(run(_with(cell("8.6.0", [1.0, 0.8, 1.0]), usual, odd, usual))))
    assert (row.build, row.classes[0].ms, row.classes[0].others_ms) == (1, 0.04, 0.08)
    assert row.layout is None, "alike"


def test_builds_without_layers_have_a_row_that_says_less() -> None:
    (row,) = outlying_builds(grid_of(run(cell("8.6.0", [1.0, 1.0, 2.0]))))
    assert (row.build, row.classes, row.layout, row.reformats) == (2, (), None, None)


@pytest.mark.parametrize("latencies", [[1.0, 2.0], [1.0, 1.05, 1.09], [], [1.0]])
def test_of_two_neither_is_the_odd_one_and_noise_has_no_row(latencies: list[float]) -> None:
    assert outlying_builds(grid_of(run(cell("8.6.0", latencies)))) == ()


def test_the_furthest_come_first() -> None:
    found = run(cell("8.5.3.1", [1.0, 1.2, 1.0]), cell("8.6.0", [1.0, 1.0, 0.5]))
    assert [(row.release.version, row.build) for row in outlying_builds(grid_of(found))] == [
        ("8.6.0", 2),
        ("8.5.3.1", 1),
    ]


def test_the_page_shows_thirty_and_counts_the_rest() -> None:
    cells = [cell(f"{number}.0", [1.0, 1.0, 1.2 + number / 100]) for number in range(31)]
    page = Parsed(render(analysed(run(*cells), [])))
    assert "apart" in page.ids
    assert "the 30 furthest of 31" in page.text
    assert "apart" not in Parsed(render(analysed(run(cell("8.6.0", [1.0, 1.0, 1.0])), []))).ids


def test_an_engine_that_kept_to_one_layout(tmp_path: Path) -> None:
    """Build 4 of 8.5.1.7 on an H100: without a reformat, and a third slower than its like."""
    kept = [v2("8.5.1.7"), v2("8.5.1.7", 1), v2("8.5.1.7", 4)]
    (found,) = observe([bundle(kept, tmp_path / "run")]).cells
    # The samples of the other two are not kept, their medians are.
    builds = tuple(
        replace(b, passes={"latency": np.array([float(str(b.facts["latency_median_ms"]))])})
        for b in found.builds
    )
    (row,) = outlying_builds(grid_of(run(replace(found, builds=builds))))
    assert row.build == 4
    assert row.times == pytest.approx(1.34, abs=0.01)
    assert [one.op_class for one in row.classes] == ["depthwise", "pointwise"]
    assert row.layout is not None
    assert (row.layout.layout, row.layout.share) == ("linear fp32", 1.0)
    assert row.layout.others < 0.35
    assert row.reformats == (0, 2.0)


def test_a_layout_has_its_part_of_the_time_of_all_layers_that_write_one() -> None:
    def mixed(*layouts: str) -> AttributedEngine:
        rows = [
            replace(layer, output_formats=(layout,), time_ms=ms)
            for layer, layout, ms in zip(layers(NAMES), layouts, (0.1, 0.2, 0.3, 0.4), strict=True)
        ]
        return engine(rows)

    usual, odd = mixed("a", "a", "b", "b"), mixed("a", "b", "a", "a")
    (row,) = outlying_builds(grid_of(run(_with(cell("8.6.0", [1.0, 1.5, 1.0]), usual, odd, usual))))
    assert row.layout is not None
    assert row.layout.layout == "a"
    assert (row.layout.share, row.layout.others) == (pytest.approx(0.8), pytest.approx(0.3))
