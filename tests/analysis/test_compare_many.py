"""What comparisons share and do not: the floor of costs, and the adjustment over layers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from harness.analysis.compare import common_floor
from harness.analysis.grid import grid_of
from harness.analysis.judge import compare_treatments, judge
from harness.analysis.rules.builtin import trtmatrix_bottlenecks
from harness.analysis.series import Series
from harness.analysis.verdict import Verdict
from harness.matrix.cell import Treatment
from harness.observations.identity import Identity

RULES = {rule.name: rule for rule in trtmatrix_bottlenecks()}
TIMES = {"pointwise": 0.2, "depthwise": 0.3, "other": 0.5}


def test_costs_are_told_apart_from_a_thousandth_of_the_middle_layer_time_on() -> None:
    old, new = Series((0.1,), totals=(1.0, 2.0)), Series((0.1,), totals=(4.0,))
    rule = RULES["pointwise"]
    assert common_floor(rule, old, new) == pytest.approx(0.002)
    tiny = float(np.finfo(np.float64).tiny)
    assert common_floor(None, old, new) == tiny
    assert common_floor(rule, Series((0.1,)), Series((0.1,))) == tiny


def cells(compose: Any, network: str, host: str, slower: float) -> list[Any]:
    """Two versions, of which the second's depthwise convolutions take *slower* times as long."""
    found = []
    for version, factor in (("1.0", 1.0), ("2.0", slower)):
        times = {**TIMES, "depthwise": factor * TIMES["depthwise"]}
        builds = [
            compose.build(n, 1.0 + n / 1e3, {k: ms * (1 + n / 1e3) for k, ms in times.items()}, host=host)
            for n in range(3)
        ]
        made = compose.cell(version, builds)
        found.append(replace(made, cell=replace(made.cell, network=network)))
    return found


def layers(verdicts: list[Verdict], network: str, host: str) -> list[Any]:
    return [v.layers for v in verdicts if (v.network, v.host) == (network, host)]


def test_layers_are_adjusted_over_the_pairs_of_their_own_subject_and_host(compose: Any) -> None:
    one, other = cells(compose, "a", "host-a", 1.02), cells(compose, "b", "host-a", 1.5)
    third = cells(compose, "b", "host-b", 1.1)
    merged = [replace(x, builds=(*x.builds, *y.builds)) for x, y in zip(other, third, strict=True)]
    alone = judge(grid_of(compose.run(*one)), rules=RULES)
    every = judge(grid_of(compose.run(*one, *merged)), rules=RULES)
    assert layers(every, "a", "host-a") == layers(alone, "a", "host-a")
    assert layers(every, "b", "host-b") == layers(
        judge(grid_of(compose.run(*third)), rules=RULES), "b", "host-b"
    )
    told = [v for v in every if (v.version, v.bottleneck) == ("2.0", "latency")]
    assert len(told) == 3
    assert all(v.layers[0].q is not None for v in told)


def test_treatments_are_compared_within_the_same_run_where_several_have_both(compose: Any) -> None:
    def treated(form: str, **latencies: float) -> Any:
        builds = [
            replace(compose.build(3 * at + n, ms + n / 1e4), identity=Identity(run, run))
            for at, (run, ms) in enumerate(latencies.items())
            for n in range(3)
        ]
        return compose.cell("1.0", builds, treatment=Treatment(relu6=form))

    run = compose.run(treated("clip", a=1.0, b=3.0), treated("relu_sub", b=6.0, a=1.5))
    found = compare_treatments(grid_of(run), "relu6", "clip", "relu_sub", rules={})
    assert sorted(v.effect or 0.0 for v in found) == [
        pytest.approx(1.5, rel=1e-3),
        pytest.approx(2.0, rel=1e-3),
    ]
    assert {v.against for v in found} == {"relu6 clip"}
