"""Which version to use, and how sure that is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from msgspec import structs

from harness.analysis.answers.answer import Answer, answers
from harness.analysis.grid import grid_of
from harness.analysis.groups import ONE_CACHE
from harness.analysis.judge import judge
from harness.matrix.cell import Treatment
from harness.observations.records import CellObservation
from tests.report.composed import cell, run

STEADY, NEAR = [1.0, 1.01, 0.99], [1.005, 1.015, 0.995]


def answer(*cells: CellObservation) -> Answer:
    grid = grid_of(run(*cells))
    (found,) = answers(grid, judge(grid, rules={}))
    return found


def test_the_best_has_the_lowest_mean_and_those_that_cannot_be_told_from_it() -> None:
    found = answer(
        cell("1.0", [2.0, 2.01, 1.99]), cell("2.0", STEADY), cell("3.0", NEAR), cell("4.0", [1.5])
    ).best
    assert found.release.version == "2.0"
    assert found.milliseconds == pytest.approx(1.0, rel=1e-3)
    assert found.low is not None
    assert found.high is not None
    assert found.low < found.milliseconds < found.high
    assert [release.version for release in found.ties] == ["3.0", "4.0"], "one build tells nothing apart"
    assert (found.others, found.open) == (3, False)


def test_where_no_version_stands_out_the_question_is_open() -> None:
    assert answer(cell("1.0", STEADY), cell("2.0", NEAR)).best.open
    alone = answer(cell("1.0", [1.0])).best
    assert (alone.open, alone.others, alone.ties, alone.low, alone.high) == (False, 0, (), None, None)
    assert not answer(cell("1.0", STEADY), cell("2.0", NEAR), cell("3.0", [2.0, 2.01])).best.open


def test_second_arms_and_what_was_not_measured_are_no_candidates() -> None:
    found = answer(
        cell("1.0", STEADY), cell("1.0", [0.5, 0.5], repeat="aa"), cell("2.0", status="failed", reason="died")
    )
    assert (found.best.release.version, found.best.release.repeat, found.best.others) == ("1.0", "", 0)
    grid = grid_of(run(cell("2.0", status="failed")))
    assert answers(grid, judge(grid, rules={})) == ()


def test_what_changed_and_what_could_not_be_told_are_counted_of_latencies() -> None:
    found = answer(
        cell("1.0", [2.0, 2.01, 1.99]),
        cell("2.0", STEADY),
        cell("3.0", [1.0]),
        cell("4.0", status="unsupported", reason="no wheel"),
        cell("5.0", STEADY),
    )
    assert [(v.version, v.verdict) for v in found.changes] == [("2.0", "reduced")]
    assert found.undecided == 1, "3.0 has builds, 5.0 nothing to be compared with"
    assert not found.recorded
    assert answer(cell("1.0", STEADY, status="recorded")).recorded


def test_where_launching_bounds_builds_graphs_have_a_best_of_their_own() -> None:
    def launched(version: str, latency: float, graph: float, bound: bool | None) -> CellObservation:
        found = cell(version, [latency] * 2, facts={} if bound is None else {"launch_bound": bound})
        builds = (replace(b, passes={**b.passes, "cuda_graph": np.full(3, graph)}) for b in found.builds)
        return replace(found, builds=tuple(builds))

    found = answer(launched("1.0", 1.0, 0.8, True), launched("2.0", 1.1, 0.5, False))
    assert found.launch_bound == (2, 4)
    assert found.best.release.version == "1.0"
    assert found.graph is not None
    assert (found.graph.release.version, found.graph.milliseconds) == ("2.0", pytest.approx(0.5))
    free = answer(launched("1.0", 1.0, 0.8, False), launched("2.0", 1.1, 0.5, None))
    assert (free.launch_bound, free.graph) == ((0, 2), None)
    plain = answer(cell("1.0", [1.0, 1.0], facts={"launch_bound": True}))
    assert (plain.launch_bound, plain.graph) == ((2, 2), None), "no graph was measured"


def test_what_an_interval_lacks_is_noted_once() -> None:
    kept = Treatment(timing_cache="on")
    found = answer(*(cell(version, STEADY, treatment=kept) for version in ("1.0", "2.0")))
    assert found.notes == (ONE_CACHE,)
    assert answer(cell("1.0", [1.0], treatment=kept)).notes == ()


def test_each_subject_has_its_answer_and_each_host_too() -> None:
    cells: list[Any] = [
        cell("1.0", STEADY),
        cell("1.0", [3.0, 3.0], network="mobilenet_v1"),
        cell("1.0", [2.0, 2.0], network="mobilenet_v1", host="host-b"),
    ]
    first, second = cells[1:]
    cells[1:] = [replace(first, builds=(*first.builds, *second.builds))]
    grid = grid_of(run(*cells))
    found = answers(grid, judge(grid, rules={}))
    assert [a.subject for a in found] == [row.name for row in grid.rows]
    assert [a.best.milliseconds for a in found] == pytest.approx([1.0, 3.0, 2.0], rel=1e-3)


@pytest.mark.parametrize(
    ("facts", "device"),
    [
        ({"gpu": "H100", "cpu": "Xeon"}, "H100"),
        ({"cpu": "Xeon"}, "Xeon"),
        ({"gpu": "", "cpu": "Xeon"}, "Xeon"),
        ({}, ""),
    ],
)
def test_the_device_is_the_gpu_or_else_the_cpu(facts: dict[str, object], device: str) -> None:
    (found,) = answer(cell("1.0", STEADY, facts=facts)).runtimes
    assert found.device == device


def test_a_remedy_against_launches_is_for_what_launching_bounds_in_the_newest_version() -> None:
    def named(*bound: bool) -> list[str]:
        cells = [cell(f"{n}.0", STEADY, facts={"launch_bound": one}) for n, one in enumerate(bound, start=1)]
        (found,) = answer(*cells).runtimes
        return [one.remedy.name for one in found.remedies]

    assert named(True, True) == named(False, True) == ["graph", "batch"]
    assert named(True, False) == []


def test_what_is_material_in_the_run_tells_the_best() -> None:
    cells = cell("1.0", STEADY), cell("2.0", [1.05, 1.06, 1.04])
    plain = run(*cells)
    matrix = structs.replace(plain.manifest.matrix, material=0.2)
    coarse = replace(plain, manifest=structs.replace(plain.manifest, matrix=matrix))
    for observed, alike in ((plain, 0), (coarse, 1)):
        grid = grid_of(observed)
        (found,) = answers(grid, judge(grid, rules={}))
        assert len(found.best.alike) == alike


def test_a_note_on_intervals_is_for_two_builds_or_more_and_builds_are_counted_by_version() -> None:
    kept = Treatment(timing_cache="on")
    assert answer(cell("1.0", STEADY[:2], treatment=kept)).notes == (ONE_CACHE,)
    twice = replace(cell("1.0", STEADY), cell=replace(cell("1.0").cell, environment="docker"))
    (found,) = answer(cell("1.0", STEADY), cell("2.0", [1.0]), twice).runtimes
    assert found.builds == {"1.0": 6, "2.0": 1}
    assert found.versions == ("1.0", "2.0")


def test_runtimes_of_a_subject_have_a_best_each_beside_the_best_of_all() -> None:
    found = answer(
        cell("1.0", [2.0, 2.0]),
        cell("2.0", [3.0, 3.0]),
        cell("1.0", [1.0, 1.0], runtime="openvino"),
        cell("2.0", [4.0, 4.0], runtime="openvino"),
        cell("1.0", status="failed", runtime="tftrt"),
    )
    assert found.best.release.label == "openvino 1.0"
    assert found.best.others == 3
    assert [(one.runtime, one.best.release.label, one.best.others) for one in found.runtimes] == [
        ("tensorrt", "tensorrt 1.0", 1),
        ("openvino", "openvino 1.0", 1),
    ]
