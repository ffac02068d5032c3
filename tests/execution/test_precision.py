"""What a block still needs, from its slices: made here, so that widths and their causes are known."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest

from harness.analysis.statistics.spending import Costs
from harness.execution.precision import MeasuredBuild, Need, comparisons, next_need, pairs
from harness.matrix.cell import Cell
from harness.matrix.treatment import Treatment

COSTS = Costs(build=3.0, process=math.inf, cycle=0.03)


def cell(version: str, repeat: str = "", network: str = "small", runtime: str = "onnxruntime") -> Cell:
    return Cell(network, Treatment(), runtime, version, "venv", repeat)


def block(
    cells: Sequence[Cell], builds: int = 4, spread: float = 0.01, cycles: int = 20, slower: float = 0.0
) -> list[MeasuredBuild]:
    """Return builds that scatter by *spread*, each cell *slower* than the one before."""
    random = np.random.default_rng(7)
    common = random.normal(0, 0.1, cycles)
    made = []
    for place, one in enumerate(cells):
        for _ in range(builds):
            own = math.log(5.0) + place * slower + random.normal(0, spread)
            values = np.exp(own + common + random.normal(0, 0.01, cycles))
            slices = [
                {"pass": "latency", "process": 0, "cycle": n, "latency_ms": [float(v)] * 3}
                for n, v in enumerate(values)
            ]
            made.append(MeasuredBuild(one, slices))
    return made


def test_neighbouring_releases_of_one_runtime_and_subject_are_pairs() -> None:
    cells = [
        cell("1.22.1", "aa"),
        cell("1.9.0"),
        cell("1.22.1"),
        cell("2024.6.0", runtime="openvino"),
        cell("1.9.0", network="other"),
        cell("1.22.1"),
    ]
    assert list(pairs(cells)) == [(cells[1], cells[2]), (cells[2], cells[0])]


def test_the_width_is_that_of_builds_and_not_of_cycles() -> None:
    (one,) = comparisons(block([cell("1.0"), cell("2.0")], spread=0.02), "latency")
    # t with 6 degrees of freedom, 4 builds a side, a spread of about 2 %
    assert 0.015 < one.half_width < 0.07
    (same,) = comparisons(block([cell("1.0"), cell("2.0")], spread=0.02, cycles=80), "latency")
    assert same.half_width > one.half_width / 2, "cycles do not narrow what builds scatter"


def test_the_widest_comes_first_and_another_pass_is_none_of_it() -> None:
    builds = block([cell("1.0"), cell("2.0"), cell("3.0")])
    found = comparisons(builds, "latency")
    assert len(found) == 2
    assert found[0].half_width >= found[1].half_width
    assert comparisons(builds, "cuda_graph") == []


@pytest.mark.parametrize("slower", [0.0, 0.2, -0.3])
def test_what_is_measured_next_does_not_depend_on_what_was_found(slower: float) -> None:
    found = comparisons(block([cell("1.0"), cell("2.0")], slower=slower), "latency")
    same = comparisons(block([cell("1.0"), cell("2.0")]), "latency")
    ours, theirs = next_need(found, 0.005, COSTS, 600.0), next_need(same, 0.005, COSTS, 600.0)
    assert ours is not None
    assert theirs is not None
    assert (ours.builds, ours.cycles) == (theirs.builds, theirs.cycles)


def test_the_builds_of_another_runtime_do_not_widen_a_comparison() -> None:
    quiet = block([cell("1.0"), cell("2.0")], spread=0.005)
    noisy = block([cell("2024.6.0", runtime="openvino"), cell("2026.2.1", runtime="openvino")], spread=0.04)
    wide, narrow = comparisons([*quiet, *noisy], "latency")
    (alone,) = comparisons(quiet, "latency")
    assert (wide.old.runtime, narrow.old.runtime) == ("openvino", "onnxruntime")
    assert narrow.half_width == pytest.approx(alone.half_width, rel=0.3)
    assert wide.half_width > 3 * narrow.half_width


@pytest.mark.parametrize(
    ("builds", "seconds", "more"), [(1, 600.0, 2), (1, 17.0, 1), (1, 5.0, 0), (2, 600.0, None)]
)
def test_one_build_of_each_cell_gets_those_without_which_no_spread_is_known(
    builds: int, seconds: float, more: int | None
) -> None:
    """Two more of both cells take 12 s and their slices; one of both takes 6 s and slices."""
    found = comparisons(block([cell("1.0"), cell("2.0")], builds=builds), "latency")
    need = next_need(found, 0.005, Costs(build=5.0, process=math.inf, cycle=0.03), seconds)
    if more == 0:
        assert need is None
        return
    assert need is not None
    assert (set(need.builds.values()) == {more}) if more else need.builds


def test_processes_of_one_engine_are_one_build() -> None:
    builds = block([cell("1.0"), cell("2.0")], spread=0.02)
    twice = [MeasuredBuild(b.cell, [*b.slices, *({**row, "process": 1} for row in b.slices)]) for b in builds]
    (one,), (two,) = comparisons(builds, "latency"), comparisons(twice, "latency")
    assert two.half_width == pytest.approx(one.half_width, rel=0.05)
    assert (two.situation.old.builds, two.situation.old.processes) == (4, 2)


def test_scattering_builds_ask_for_builds_and_scattering_cycles_for_cycles() -> None:
    by_builds = next_need(
        comparisons(block([cell("1.0"), cell("2.0")], spread=0.02), "latency"), 0.01, COSTS, 600
    )
    assert by_builds is not None
    assert by_builds.builds
    few = block([cell("1.0"), cell("2.0")], builds=6, spread=0.0, cycles=4)
    by_cycles = next_need(comparisons(few, "latency"), 0.003, COSTS, 600)
    assert by_cycles is not None
    assert by_cycles.cycles
    assert not by_cycles.builds


def several_processes(spread: float, versions: Sequence[str] = ("1.0", "2.0")) -> list[MeasuredBuild]:
    """Return builds that are alike, of two processes each that lie *spread* above and below their mean."""
    made = []
    for build in block([cell(version) for version in versions], builds=6, spread=0.0005):
        slices = [
            {**row, "process": process, "latency_ms": [math.exp(own) * ms for ms in row["latency_ms"]]}
            for process, own in enumerate((-spread, spread))
            for row in build.slices
        ]
        made.append(MeasuredBuild(build.cell, slices))
    return made


def test_scattering_processes_ask_for_processes_where_engines_are_kept() -> None:
    found = comparisons(several_processes(0.03), "latency")
    need = next_need(found, 0.02, Costs(build=60.0, process=5.0, cycle=0.03), 3600)
    assert need is not None
    assert need.processes
    assert "more process" in need.words
    assert "an engine" in need.words
    other = next_need(found, 0.02, Costs(build=60.0, process=math.inf, cycle=0.03), 3600)
    assert other is not None
    assert not other.processes
    assert sum(other.builds.values()) > sum(need.builds.values())


def test_what_is_narrow_enough_or_too_dear_is_left_alone() -> None:
    found = comparisons(block([cell("1.0"), cell("2.0")], builds=8), "latency")
    assert next_need(found, 0.10, COSTS, 600.0) is None
    assert next_need(found, 0.0001, COSTS, 0.01) is None


def test_where_no_build_can_be_made_there_are_cycles_only() -> None:
    found = comparisons(block([cell("1.0"), cell("2.0")], spread=0.02), "latency")
    need = next_need(found, 0.001, Costs(math.inf, math.inf, 0.03), 600.0)
    assert need is None or not need.builds


def test_two_comparisons_of_one_cell_ask_for_its_builds_once() -> None:
    cells = [cell("1.0"), cell("2.0"), cell("3.0")]
    found = comparisons(block(cells, builds=3, spread=0.03), "latency")
    need = next_need(found, 0.005, COSTS, 10_000.0)
    assert need is not None
    largest = max(need.builds.values())
    assert set(need.builds) == set(cells)
    assert need.builds[cells[1]] <= largest
    assert f"{sum(need.builds.values())} more builds" in need.words


@pytest.mark.parametrize("seconds", [100.0, 200.0, 500.0])
def test_what_is_asked_for_all_comparisons_is_not_dearer_than_what_is_left(seconds: float) -> None:
    """A cell of two comparisons is paid for once, and each of its builds where it gets a process more."""
    costs = Costs(build=math.inf, process=5.0, cycle=1e6)
    found = comparisons(several_processes(0.03, ("1.0", "2.0", "3.0", "4.0", "5.0")), "latency")
    need = next_need(found, 0.001, costs, seconds)
    assert need is not None
    assert need.processes
    assert sum(6 * more * costs.process for more in need.processes.values()) <= seconds


@pytest.mark.parametrize(
    ("need", "said"),
    [
        (Need({cell("1.0"): 1}, {}, 0.0182), "one more build"),
        (Need({cell("1.0"): 2, cell("2.0"): 2}, {}, 0.0182), "4 more builds"),
        (Need({}, {cell("1.0"): 3, cell("2.0"): 5}, 0.0182), "5 more cycles"),
        (
            Need({}, {cell("1.0"): 3}, 0.0182, {cell("1.0"): 1}),
            "one more process an engine and 3 more cycles",
        ),
        (Need({}, {}, 0.0182, {cell("1.0"): 2, cell("2.0"): 1}), "2 more processes an engine"),
    ],
)
def test_what_is_needed_is_said_in_words(need: Need, said: str) -> None:
    assert need.words == f"the widest comparison is \u00b11.82 %: {said}"
