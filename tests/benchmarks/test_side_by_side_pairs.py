"""Pairs of blocks: what is true of them is known, and the code in force says what is seen of it."""

from __future__ import annotations

import importlib
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from harness.matrix.cell import Cell, Treatment
from harness.observations.records import BuildObservation, CellObservation, RunObservation, Slice
from harness.store.documents.manifest import Manifest

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
CYCLES = 30


@pytest.fixture
def pairs(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module("side_by_side_pairs")


def block(seed: int, **arms: float) -> RunObservation:
    """A run of one block on a machine that jumps: network ``m``, its second arm, a slower network."""
    rng = np.random.default_rng(seed)
    shared = np.exp(rng.normal(0, 0.2, CYCLES))
    base = Cell("m", Treatment(), "r", "1.0", "venv")
    cells = {"main": base, "aa": replace(base, repeat="aa"), "slower": replace(base, network="m_plus")}
    made = []
    for name, level in arms.items():
        builds = []
        for number in range(6):
            own = level * shared * float(np.exp(rng.normal(0, 0.004)))
            slices = tuple(Slice(cycle, np.full(4, own[cycle])) for cycle in range(CYCLES))
            samples = np.concatenate([one.samples for one in slices])
            taken = {"latency": slices}
            builds.append(
                BuildObservation(number, "ok", "host", passes={"latency": samples}, slices=taken, block="b")
            )
        made.append(CellObservation(cells[name], "measured", "", tuple(builds)))
    return RunObservation((), Manifest(), tuple(made))


def test_no_change_is_no_alarm_and_a_factor_is_seen(
    pairs: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = [block(seed, main=1.0, aa=1.0) for seed in range(12)]
    same = [pairs.Judged(verdict, 1.0) for run in runs for verdict in pairs.pairs_of(run, {})]
    assert pairs.print_same(same) == 0
    assert "| r | latency | 12 | 0 (22.09) |" in capsys.readouterr().out
    pairs.print_factors(runs)
    line = capsys.readouterr().out.splitlines()[2]
    shares = [cell.strip().split(", ") for cell in line.strip("| ").split(" | ")[2:]]
    assert shares[0][0] == "0", "just what is material"
    assert [seen for seen, _ in shares[3:]] == ["100"] * 3
    assert {covered for _, covered in shares} == {shares[0][1]}, "a factor moves interval and truth alike"


def test_an_alarm_without_a_change_is_counted(pairs: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    same = [pairs.Judged(v, 1.0) for v in pairs.pairs_of(block(1, main=1.0, aa=1.3), {})]
    assert pairs.print_same(same) == 1
    assert "alarm: latency of m " in capsys.readouterr().out


def test_a_real_slowdown_of_the_same_block_is_a_pair(
    pairs: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    pairs.print_slower([block(2, main=1.0, slower=1.1)], "m", "m_plus")
    name, runtime, count, mean, seen = capsys.readouterr().out.splitlines()[2].strip("| ").split(" | ")
    assert (name, runtime, count, seen) == ("m_plus", "r", "1", "100")
    assert float(mean) == pytest.approx(10, abs=1)


def test_a_cell_is_cut_into_pairs_that_share_no_build(
    pairs: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    (whole,) = block(3, main=1.0).cells
    both = tuple(replace(build, build=6 + build.build) for build in whole.builds)
    run = replace(block(3, main=1.0), cells=(replace(whole, builds=(*whole.builds, *both)),))
    cut = [pairs.cut(run, 3, draw) for draw in range(2)]
    assert [(one.cell.network, one.cell.repeat) for one in cut[0].cells] == [
        ("m", ""),
        ("m", "aa"),
        ("m pair 2", ""),
        ("m pair 2", "aa"),
    ]
    taken = [sorted(build.build for arm in one.cells for build in arm.builds) for one in cut]
    assert taken == [list(range(12))] * 2, "each build is in one arm"
    assert cut[0] != cut[1], "another draw cuts otherwise"
    assert [v.against for v in pairs.pairs_of(cut[0], {})] == [pairs_against(pairs, cut[0])] * 2
    pairs.print_smallest(cut)
    assert capsys.readouterr().out.splitlines()[2].startswith("| r | 4 |")
    pairs.print_by_spread(cut)
    quiet = capsys.readouterr().out.splitlines()[2].strip("| ").split(" | ")
    assert (quiet[0], quiet[2:]) == ("less than 1.5 %", ["4", "0", "100", "100"])


def pairs_against(pairs: ModuleType, run: RunObservation) -> str | None:
    """What the second arm of a pair is held against."""
    return next(iter(pairs.pairs_of(run, {}))).against


@pytest.mark.usefixtures("pairs")
def test_more_builds_are_needed_where_a_cost_scatters_more() -> None:
    needed = [
        importlib.import_module("slower_classes").builds_for(0.03, spread)
        for spread in (0.002, 0.01, 0.02, 0.5)
    ]
    assert needed[0] == 3, "two degrees of freedom are few"
    assert needed[0] < needed[1] < needed[2]
    assert needed[3] is None
