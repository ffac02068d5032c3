"""What is read of engines that were built anew: their spread, the slow one, and a network that is slower."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from harness.matrix.cell import Cell, Treatment

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
CYCLES, BUILDS = 12, 10


@pytest.fixture
def judging(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module("judge_rebuilt_engines")


def measured() -> dict[str, Any]:
    """Two networks of ten engines, 0.3 % apart, the second 5 % slower; build 3 of the first is 8 % slow."""
    rng = np.random.default_rng(16)
    shared = np.exp(rng.normal(0, 0.05, CYCLES))
    processes = []
    for network, level in (("m", 1.0), ("m_plus", 1.05)):
        for number, own in enumerate(level * np.exp(rng.normal(0, 0.003, BUILDS))):
            own *= 1.08 if (network, number) == ("m", 3) else 1.0
            for process in range(2 if number < 2 else 1):
                values = own * shared * np.exp(rng.normal(0, 0.0005, CYCLES))
                slices = [[cycle, number, round(value, 6)] for cycle, value in enumerate(values)]
                said = {"network": network, "number": number, "process": process}
                processes.append({**said, "passes": {"cuda_graph": slices}})
    cell = Cell("m", Treatment(), "tensorrt", "8.5.3.1", "venv")
    return {"cell": cell.as_json(), "facts": {"uuid": "GPU-0"}, "processes": processes}


def test_the_spread_the_slow_build_and_what_is_slower_are_found(
    judging: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    run = judging.observed(measured(), "cuda_graph")
    spreads = judging.print_spreads(run)
    judging.print_slower(run, "m", "m_plus")
    said = capsys.readouterr().out.splitlines()
    assert said[2].startswith("| m | 10 | +8.")
    assert said[3].startswith("| m_plus | 10 | none |")
    assert 0.0015 < spreads["m"] < 0.0045
    assert said[5].startswith("m_plus: +5.")
    assert said[5].endswith("regressed")


def test_the_slow_build_is_not_drawn(judging: ModuleType) -> None:
    run = judging.without_slow(judging.only(judging.observed(measured(), "cuda_graph"), "m"))
    assert [build.build for build in run.cells[0].builds] == [0, 1, 2, 4, 5, 6, 7, 8, 9]


def test_more_builds_are_needed_where_they_lie_further_apart(judging: ModuleType) -> None:
    near, far = (judging.Scenario("x", apart, 0.0, 0.0) for apart in (0.002, 0.006))
    few, many = (int(judging.fewest(of, 0.03, 1, 300).split()[0]) for of in (near, far))
    assert 3 <= few < many
