"""FLOP/s and bounds in the report: nothing where the work is not known."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.analysis.grid import grid_of
from harness.analysis.run_analysis import row_figures
from harness.attribution.engine import AttributedEngine
from tests.attribution.recorded import V2_860, engine
from tests.report.composed import cell, run

FACTS: dict[str, object] = {"peaks": {"flops_per_s": 1e12, "bytes_per_s": 1e11, "how": "composed"}}


def test_flops_are_over_latency_and_bounds_are_of_the_peaks() -> None:
    known = engine(V2_860)
    (row,) = row_figures(grid_of(run(cell("8.6.0", [1.0], known, facts=FACTS))).rows[0]).rooflines
    assert row.end_to_end == pytest.approx(600, rel=0.05), "300 M multiply-adds in 1 ms"
    found = row.of("pointwise")
    assert found is not None
    assert found.bound_ms is not None
    assert found.bound_ms > 0


def test_the_speed_end_to_end_is_that_of_the_build_whose_layers_are_shown() -> None:
    known = engine(V2_860)
    slower = replace(known, total_ms=2 * known.total_ms)
    found = cell("8.6.0", [1.0, 4.0, 9.0], known, facts=FACTS)
    engines = (slower, known, replace(known, total_ms=3 * known.total_ms))
    found = replace(
        found, builds=tuple(replace(b, engine=p) for b, p in zip(found.builds, engines, strict=True))
    )
    (row,) = row_figures(grid_of(run(found)).rows[0]).rooflines
    (own,) = row_figures(grid_of(run(cell("8.6.0", [1.0], slower, facts=FACTS))).rows[0]).rooflines
    assert row.end_to_end == own.end_to_end


def test_without_peaks_there_are_no_bounds() -> None:
    (row,) = row_figures(grid_of(run(cell("8.6.0", [1.0], engine(V2_860)))).rows[0]).rooflines
    assert row.classes
    assert {found.bound_ms for found in row.classes} == {None}


@pytest.mark.parametrize("change", [{"graph": None}, {"partial": True}, {"batch_known": False}])
def test_unknown_work_has_no_roofline(change: dict[str, object]) -> None:
    unknown: AttributedEngine = replace(engine(V2_860), **change)  # type: ignore[arg-type]
    assert row_figures(grid_of(run(cell("8.6.0", [1.0], unknown, facts=FACTS))).rows[0]).rooflines == ()


def test_each_version_has_its_own_roofline() -> None:
    known = engine(V2_860)
    cells = [cell(version, [1.0], known, facts=FACTS) for version in ("8.5.3.1", "8.6.0")]
    found = row_figures(grid_of(run(*cells)).rows[0]).rooflines
    assert [row.release.version for row in found] == ["8.5.3.1", "8.6.0"]
    assert found[0].peaks is not None
    assert found[0].of("no such class") is None


def test_a_build_without_a_latency_has_the_speed_of_its_classes_alone() -> None:
    found = cell("8.6.0", [1.0], engine(V2_860), facts=FACTS)
    untimed = replace(found, builds=tuple(replace(build, passes={}) for build in found.builds))
    (row,) = row_figures(grid_of(run(untimed)).rows[0]).rooflines
    (timed,) = row_figures(grid_of(run(found)).rows[0]).rooflines
    assert row.end_to_end is None
    assert row.classes == timed.classes
    assert row.peaks == timed.peaks
