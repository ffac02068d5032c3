"""What is asked next of several comparisons: what one takes of the time is not there for the others."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.analysis.statistics.components import Components, Repetitions
from harness.analysis.statistics.spending import Costs, Situation, Step
from harness.execution import precision
from harness.execution.precision import Comparison, MeasuredBuild, comparisons, next_need
from harness.matrix.cell import Cell, Treatment

INF = math.inf


def cell(version: str) -> Cell:
    return Cell("small", Treatment(), "onnxruntime", version, "venv")


A, B, C, D = (cell(f"{number}.0") for number in range(1, 5))


def comparison(
    old: Cell, new: Cell, half: float, sides: Sequence[tuple[int, int]] = ((2, 1), (2, 1))
) -> Comparison:
    """Two cells, with the builds and processes of each side."""
    one, other = (Repetitions(builds, processes, 10) for builds, processes in sides)
    spread = Components(build=1e-4, process=1e-4, cycle=1e-4)
    return Comparison(old, new, half, Situation(spread, one, other, 4.0))


class Scripted:
    """Steps that are the best, one for each comparison in turn; notes what was left for each."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *steps: Step | None) -> None:
        self.steps, self.left, self.asked = list(steps), list[float](), list[float]()
        monkeypatch.setattr(precision, "next_step", self)

    def __call__(self, _situation: Situation, asked: float, _costs: Costs, seconds: float) -> Step | None:
        self.asked.append(asked)
        self.left.append(seconds)
        return self.steps.pop(0)


CHAIN = [
    comparison(A, B, 0.05, [(2, 3), (4, 3)]),
    comparison(B, C, 0.04, [(4, 3), (5, 3)]),
    comparison(C, D, 0.03, [(5, 3), (6, 3)]),
]


def test_builds_of_a_cell_are_paid_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    best = Scripted(monkeypatch, Step(builds=2), Step(builds=3), Step(builds=1))
    need = next_need(CHAIN, 0.01, Costs(10.0, INF, INF), 1000.0)
    assert need is not None
    assert need.builds == {A: 2, B: 3, C: 3, D: 1}
    assert (need.processes, need.cycles, need.widest) == ({}, {}, 0.05)
    # A and B two each; B one more and C three; D one, C has more than one already.
    assert best.left == [1000.0, 960.0, 920.0]
    assert best.asked == [pytest.approx(math.log(1.01))] * 3


def test_processes_are_those_of_each_build_of_a_cell(monkeypatch: pytest.MonkeyPatch) -> None:
    best = Scripted(monkeypatch, Step(processes=1), None, Step(processes=2))
    need = next_need(CHAIN, 0.01, Costs(INF, 5.0, INF), 1000.0)
    assert need is not None
    assert need.processes == {A: 1, B: 1, C: 2, D: 2}
    assert (need.builds, need.cycles) == ({}, {})
    assert best.left == [1000.0, 1000.0 - 5 * (2 + 4), 1000.0 - 5 * (2 + 4)]


def test_cycles_are_those_of_each_process_of_each_build(monkeypatch: pytest.MonkeyPatch) -> None:
    best = Scripted(monkeypatch, Step(cycles=10), Step(cycles=30), Step(cycles=10))
    need = next_need(CHAIN, 0.01, Costs(INF, INF, 0.5), 9000.0)
    assert need is not None
    assert need.cycles == {A: 10, B: 30, C: 30, D: 10}
    first = 0.5 * 10 * 3 * (2 + 4)
    second = 0.5 * 3 * (20 * 4 + 30 * 5)
    assert best.left == [9000.0, 9000.0 - first, 9000.0 - first - second]


def test_what_helps_nowhere_is_not_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    best = Scripted(monkeypatch, None, None, None)
    assert next_need(CHAIN, 0.01, Costs(1.0, 1.0, 1.0), 10.0) is None
    assert best.left == [10.0] * 3
    assert next_need([], 0.01, Costs(1.0, 1.0, 1.0), 10.0) is None


def slices(name: str, values: Sequence[float], process: int = 0, **more: int) -> list[dict[str, object]]:
    return [
        {"pass": name, "process": process, "cycle": n, "latency_ms": [ms] * 3, **more}
        for n, ms in enumerate(values)
    ]


def test_only_slices_of_the_pass_count_and_only_builds_that_have_it() -> None:
    random = np.random.default_rng(1)
    builds = []
    for number, one in enumerate((A, B) * 3):
        rows = slices("latency", 5.0 * np.exp(random.normal(number * 0.01, 0.01, 12)))
        noise = slices("cold_l2", 9.0 * np.exp(random.normal(0, 0.5, 12)))
        builds.append((one, rows, noise))
    plain = [MeasuredBuild(one, rows) for one, rows, _ in builds]
    mixed = [MeasuredBuild(one, [*noise, *rows]) for one, rows, noise in builds]
    other = [*mixed, MeasuredBuild(C, slices("cold_l2", [1.0] * 12)), MeasuredBuild(D, [])]
    (expected,), (found,) = comparisons(plain, "latency"), comparisons(other, "latency")
    assert (found.old, found.new) == (A, B)
    assert found.half_width == pytest.approx(expected.half_width)
    assert comparisons([], "latency") == []


def test_of_one_build_a_side_nobody_knows_how_builds_scatter() -> None:
    random = np.random.default_rng(2)

    def measured(*cells: Cell) -> list[MeasuredBuild]:
        return [MeasuredBuild(c, slices("latency", 5.0 * np.exp(random.normal(0, 0.01, 12)))) for c in cells]

    assert [one.half_width for one in comparisons(measured(B, A, C), "latency")] == [math.inf] * 2
    found = comparisons(measured(B, A, C, B, A, D), "latency")
    assert {(one.old, one.new) for one in found} == {(A, B), (B, C), (C, D)}
    widths = [one.half_width for one in found]
    assert widths == sorted(widths, reverse=True)
    assert all(0 < width < 1 for width in widths), "it is known of the others in the block"


@settings(max_examples=12, deadline=None)
@given(st.floats(0.01, 0.2), st.integers(0, 5))
def test_a_width_is_relative_to_the_latency(spread: float, seed: int) -> None:
    """The same builds a hundred times slower are known as well."""
    random = np.random.default_rng(seed)
    values = [np.exp(random.normal(0, spread, 10)) for _ in range(6)]
    found = [
        comparisons(
            [
                MeasuredBuild(one, slices("latency", scale * rows))
                for one, rows in zip((A, B) * 3, values, strict=True)
            ],
            "latency",
        )[0].half_width
        for scale in (1.0, 100.0)
    ]
    assert found[0] == pytest.approx(found[1])
