"""What the engine says of composed runs."""

from __future__ import annotations

from typing import Any

from harness.analysis.grid import grid_of
from harness.analysis.judge import compare_treatments as compare_treatments_of
from harness.analysis.judge import judge as judge_grid
from harness.analysis.rules.builtin import trtmatrix_bottlenecks
from harness.analysis.verdict import Verdict
from harness.observations.records import RunObservation

RULES = {rule.name: rule for rule in trtmatrix_bottlenecks()}


def judge(run: RunObservation, baseline: str | RunObservation = "previous", **more: Any) -> list[Verdict]:
    return judge_grid(grid_of(run), baseline if isinstance(baseline, str) else grid_of(baseline), **more)


def compare_treatments(run: RunObservation, *args: Any, **more: Any) -> list[Verdict]:
    return compare_treatments_of(grid_of(run), *args, **more)


def verdicts(run: RunObservation, *args: Any, **more: Any) -> dict[tuple[str, str], Verdict]:
    found = judge(run, *args, rules=RULES, **more)
    by_key = {(v.version, v.bottleneck): v for v in found}
    assert len(by_key) == len(found)
    return by_key
