"""The profile against a gate: the script over CUDA calls on host memory, and what it calls holding."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.first_layer import judged
from tests.benchmarks.script_jobs import BENCHMARKS, prepared


def test_every_way_is_profiled_in_turn(tmp_path: Path) -> None:
    jobs, environment = prepared(tmp_path)
    command = [sys.executable, str(BENCHMARKS / "first_layer.py"), str(jobs[0]), "--iterations", "2"]
    done = subprocess.run(
        [*command, "--out", str(tmp_path / "first.json")],
        env=environment, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "first.json").read_text(encoding="utf-8"))
    # Each layer of the stand-in says 0.25 ms, whichever way it is asked.
    assert found["first_us"] == {"product": 250.0, "gate": 250.0, "one at a time": 250.0}
    assert found["sum_us"]["gate"] == 750.0
    assert "first executed layer 1.000 times the gate's" in done.stdout


@pytest.mark.parametrize(
    ("first", "other", "holds"),
    [(1.04, 1.0, True), (1.06, 1.0, False), (1.0, 1.03, False), (0.94, 1.0, False)],
)
def test_what_holds(first: float, other: float, holds: bool) -> None:
    gate = [("no-op", 0.0), ("reformat", 0.010), ("conv", 0.100)]
    product = [("no-op", 0.0), ("reformat", 0.010 * first), ("conv", 0.100 * other)]
    found = judged({"product": product, "gate": gate}, 0.05, 0.02)
    assert (found["first"], found["holds"]) == ("reformat", holds)
    assert found["first_ratio"] == pytest.approx(first)
