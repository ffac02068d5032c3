"""Builds side by side and on their own: how far both ways lie apart, in numbers and in a line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from harness.analysis.documents import verdicts_document
from harness.analysis.figures.alone import AloneFigures, alone_figures
from harness.analysis.grid import grid_of
from harness.analysis.run_analysis import analyse
from harness.matrix.cell import Cell, Treatment
from harness.observations.records import BuildObservation, CellObservation, RunObservation, Slice
from harness.store.documents.base import as_json
from harness.store.documents.manifest import Manifest


def build(number: int, beside: float, alone: dict[int, float], name: str = "latency") -> BuildObservation:
    """A build of a block, whose processes in *alone* were measured on their own too, ms."""
    slices = {name: tuple(Slice(cycle, np.full(4, beside), p) for cycle in range(3) for p in (0, 1))}
    own = tuple(Slice(cycle, np.full(4, ms), p) for p, ms in alone.items() for cycle in range(2))
    samples = {name: np.full(24, beside)}
    return BuildObservation(
        number, "ok", "host", passes=samples, slices=slices, alone={name: own} if own else {}, block="b"
    )


def run_of(builds: Sequence[BuildObservation]) -> RunObservation:
    cell = CellObservation(Cell("m", Treatment(), "r", "1.0", "venv"), "measured", "", tuple(builds))
    return RunObservation((), Manifest(run="r"), (cell,))


def figures(*builds: BuildObservation) -> AloneFigures:
    (found,) = alone_figures(grid_of(run_of(builds)))
    return found


def test_the_processes_are_the_unit_of_the_interval() -> None:
    found = figures(build(0, 2.0, {0: 2.0, 1: 2.0}), build(1, 2.0, {0: 2.0 / 1.01}), build(2, 9.0, {}))
    assert [(one.build, one.process) for one in found.processes] == [(0, 0), (0, 1), (1, 0)]
    assert found.apart == pytest.approx(1.01 ** (1 / 3) - 1)
    assert found.interval is not None
    deviation = np.std([0, 0, np.log(1.01)], ddof=1)
    assert np.log1p(found.interval[1]) - np.log1p(found.apart) == pytest.approx(
        4.3027 * deviation / 3**0.5, rel=1e-4
    )
    assert found.further_than_material is False
    assert found.words.startswith("side by side 2.000 ms, alone 1.993 ms: 0.33 % (-1.")
    assert found.words.endswith("apart, by 3 processes measured both ways")


@pytest.mark.parametrize(
    ("alone", "further", "said"),
    [
        ({0: 2.0 / 1.05, 1: 2.0 / 1.051}, True, "warning: that is more than is material (1 %)"),
        ({0: 2.0 * 1.05, 1: 2.0 * 1.051}, True, "warning: that is more than is material (1 %)"),
        ({0: 2.0 / 1.05, 1: 2.0}, None, "too few to tell whether that is more than is material (1 %)"),
        ({0: 2.0 / 1.05}, None, "5.00 % apart, by 1 process measured both ways; too few to tell"),
        ({0: 2.0 / 1.005}, False, "0.50 % apart, by 1 process measured both ways"),
    ],
)
def test_what_lies_further_apart_than_is_material_is_warned_about(
    alone: dict[int, float], further: bool | None, said: str
) -> None:
    found = figures(build(0, 2.0, alone))
    assert found.further_than_material is further
    assert said in found.words


def test_another_pass_and_builds_without_a_check_say_nothing() -> None:
    assert alone_figures(grid_of(run_of([build(0, 2.0, {}), build(1, 2.0, {0: 2.0}, "cuda_graph")]))) == ()


def test_programs_read_the_same() -> None:
    grid = grid_of(run_of([build(0, 2.0, {0: 1.9, 1: 1.95})]))
    (record,) = verdicts_document(analyse(grid, [], rules={})).alone
    (found,) = alone_figures(grid)
    assert record.text == found.words
    assert record.interval == found.interval
    assert as_json(record)["processes"][1] == {
        "cell": grid.groups[0].cell.id, "build": 0, "process": 1, "beside_ms": 2.0, "alone_ms": 1.95,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("apart", "interval", "further"),
    [
        (0.02, (0.0101, 0.03), True),
        (-0.02, (-0.03, -0.0101), True),
        (0.02, (0.01, 0.03), None),
        (-0.02, (-0.03, -0.01), None),
        (0.01, (0.0, 0.02), False),
        (0.0, (-0.02, 0.02), False),
        (0.0101, None, None),
        (-0.0101, None, None),
        (0.01, None, False),
    ],
)
def test_the_limit_itself_is_not_beyond_it(
    apart: float, interval: tuple[float, float] | None, further: bool | None
) -> None:
    found = AloneFigures("host", "", (), 1.0, 1.0, apart, interval, 0.01)
    assert found.further_than_material is further


def test_each_process_is_held_against_itself_by_the_medians_of_its_samples() -> None:
    slices = (
        Slice(0, np.array([2.0, 2.0, 9.0]), 0), Slice(0, np.array([4.0]), 1),
        Slice(1, np.array([2.0, 2.5]), 0),
    )  # fmt: skip
    alone = (Slice(0, np.array([1.0, 1.5]), 0), Slice(1, np.array([2.0]), 0), Slice(0, np.array([3.0]), 2))
    made = BuildObservation(
        0, "ok", "host", passes={"latency": np.full(6, 2.0)}, slices={"latency": slices},
        alone={"latency": alone}, block="b",
    )  # fmt: skip
    (process,) = figures(made).processes
    assert (process.process, process.beside_ms, process.alone_ms) == (0, 2.0, 1.5)
    assert figures(replace(made, build=1)).interval is None


def test_hosts_are_named_where_there_are_two() -> None:
    one, two = build(0, 2.0, {0: 1.0}), replace(build(1, 2.0, {0: 4.0}), host="other")
    found = alone_figures(grid_of(run_of([one, two])))
    assert [(each.host, each.label, round(each.apart, 6)) for each in found] == [
        ("host", "host", 1.0),
        ("other", "other", -0.5),
    ]
    assert " ms on other: -50.00 % apart" in found[1].words
    assert figures(one).label == ""
