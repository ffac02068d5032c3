"""Simulated blocks scatter as their scenarios say, and the tables that rest on them can be printed anew."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.simulated_blocks import (
    BUSY,
    GRAPH,
    GRAPH_10,
    ONE_GRAPH,
    ONE_LAUNCHES,
    QUIET,
    Scenario,
    Size,
    bound,
    slices,
    slowness,
    units,
)

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("of", "size", "deviation"),
    [
        (QUIET, Size(2, 4, 1, 15), 0.012),
        (QUIET, Size(2, 4, 1, 60), 0.008),
        (BUSY, Size(2, 4, 1, 30), 0.015),
        (GRAPH, Size(2, 4, 2, 100), 0.0036),
        (ONE_GRAPH, Size(2, 1, 4, 32), 0.00092),
        (ONE_GRAPH, Size(2, 1, 4, 110), 0.00067),
        (ONE_LAUNCHES, Size(2, 1, 4, 110), 0.0074),
    ],
)
def test_blocks_scatter_as_the_prototypes_did(of: Scenario, size: Size, deviation: float) -> None:
    values = units(np.random.default_rng(1), of, size, 4000, 0.1)
    assert values[:, 0].std() == pytest.approx(deviation, rel=0.05)
    assert values[:, 1].mean() - values[:, 0].mean() == pytest.approx(0.1, abs=0.001)


def test_slow_builds_are_as_rare_and_as_slow_as_said() -> None:
    found = slowness(np.random.default_rng(2), GRAPH_10.slow, (20000,))
    assert (found > 0).mean() == pytest.approx(0.1, abs=0.01)
    assert np.expm1(found[found > 0].min()) >= 0.02 - 1e-9
    assert np.expm1(found.max()) <= 0.25 + 1e-9


def test_slices_share_what_a_cycle_has() -> None:
    table = slices(np.random.default_rng(3), np.zeros(200), QUIET, 50, drift=1.0)
    assert table.mean(axis=1)[-1] - table.mean(axis=1)[0] == pytest.approx(1.0, abs=0.2)
    own = table - table.mean(axis=1, keepdims=True)
    assert own.std() == pytest.approx(QUIET.cycle, rel=0.05)


def test_the_bound_of_no_alarm_is_three_in_as_many_draws() -> None:
    assert bound(0, 300) == pytest.approx(100 * 3 / 300, rel=0.01)


def test_a_table_can_be_printed() -> None:
    script = ROOT / "benchmarks" / "simulate_lockstep.py"
    command = [sys.executable, str(script), "--draws", "50", "--only", "pooling"]
    found = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    rows = [line for line in found.stdout.splitlines() if line.startswith("| ")]
    assert len(rows) == 2 + 6
    assert len({row.count("|") for row in rows}) == 1
