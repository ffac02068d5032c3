"""The latency of every version, with what stands beside it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from harness.analysis.figures.latency import latency_figures, other_passes
from harness.analysis.grid import grid_of
from harness.observations.records import BuildObservation
from tests.report.composed import cell, run


def measured(number: int, **passes: list[float]) -> BuildObservation:
    arrays = {name: np.array(values) for name, values in passes.items()}
    return BuildObservation(number, "ok", "host-a", passes=arrays)


def test_each_value_is_a_mean_over_builds_of_their_medians() -> None:
    builds = (
        replace(
            measured(0, latency=[1.0, 1.0, 9.0], cuda_graph=[0.5, 0.5, 7.0], cold_l2=[3.0]),
            enqueue_ms=np.array([0.25, 0.25, 5.0]),
            facts={"launch_bound": True},
        ),
        replace(
            measured(1, latency=[4.0], cuda_graph=[2.0]),
            enqueue_ms=np.array([1.0]),
            facts={"launch_bound": False},
        ),
        measured(2, cold_l2=[]),
    )
    (row,) = grid_of(run(replace(cell("1.0"), builds=builds))).rows
    (found,) = latency_figures(row)
    assert (found.release.version, found.host) == ("1.0", "host-a")
    assert found.cell == row.groups[0].cell.id
    assert found.builds == (1.0, 4.0)
    assert found.mean == pytest.approx(2.0)
    assert found.low is not None
    assert found.high is not None
    assert found.low < 2.0 < found.high
    assert found.samples == 4
    assert found.enqueue_ms == pytest.approx(0.5)
    assert found.passes == {"cuda_graph": pytest.approx(1.0), "cold_l2": 3.0}
    assert found.launch_bound == (1, 2)
    assert other_passes(row.groups[0]) == found.passes


def test_a_version_without_a_latency_has_no_row() -> None:
    cells = (
        cell("1.0", status="failed"),
        replace(cell("2.0"), builds=(measured(0, cuda_graph=[1.0]),)),
        cell("3.0", [1.0]),
    )
    (row,) = grid_of(run(*cells)).rows
    (found,) = latency_figures(row)
    assert (found.release.version, found.enqueue_ms, found.passes) == ("3.0", None, {})
    assert (found.low, found.high) == (None, None)
