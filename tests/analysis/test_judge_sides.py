"""What the engine sets against what: versions within a host, twins, treatments, runs (simulated builds)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from harness.attribution.format_trial import FormatTrial
from harness.errors import UsageError
from harness.matrix.cell import Treatment
from harness.report.board import noise
from tests.analysis.judged import RULES, compare_treatments, judge


def test_versions_are_compared_within_one_host(compose: Any) -> None:
    slow = compose.noisy("1.0", 0.4)
    fast = compose.noisy("2.0", 0.2)
    fast = replace(fast, builds=tuple(replace(b, host="host-b") for b in fast.builds))
    assert judge(compose.run(slow, fast), rules={}) == []
    both = replace(slow, builds=slow.builds + tuple(replace(b, host="host-b") for b in slow.builds))
    (verdict,) = judge(compose.run(both, fast), rules={})
    assert (verdict.host, verdict.verdict, verdict.builds) == ("host-b", "reduced", (5, 5))


def test_builds_of_an_unknown_host_show_an_effect_and_no_verdict(compose: Any) -> None:
    cells = [
        compose.cell(version, [compose.build(i, ms * (1 + i / 1000), host="unknown") for i in range(5)])
        for version, ms in (("1.0", 0.4), ("2.0", 0.3))
    ]
    (verdict,) = judge(compose.run(*cells), rules={})
    assert (verdict.verdict, verdict.effect) == ("indeterminate", pytest.approx(0.75))
    assert "host is not known" in verdict.reason


def test_runtimes_are_not_compared_with_each_other(compose: Any) -> None:
    run = compose.run(compose.noisy("1.0", 0.4), compose.noisy("2.0", 0.2, runtime="openvino"))
    assert judge(run, rules={}) == []


def test_baseline_version_and_its_own_row(compose: Any) -> None:
    run = compose.run(compose.noisy("1.0", 0.5), compose.noisy("2.0", 0.4), compose.noisy("10.0", 0.4))
    assert {v.version: v.against for v in judge(run, rules={})} == {"2.0": "1.0", "10.0": "2.0"}
    assert {v.version: v.against for v in judge(run, "1.0", rules={})} == {"2.0": "1.0", "10.0": "1.0"}
    assert {v.version: v.verdict for v in judge(run, "tensorrt 10.0", rules={})} == {
        "1.0": "regressed",
        "2.0": "unchanged",
    }
    with pytest.raises(UsageError, match=r"'7.0' is no version of these runs.*1\.0, 2\.0, 10\.0"):
        judge(run, "7.0", rules={})


def test_baseline_run_is_the_same_cell_of_yesterday(compose: Any) -> None:
    yesterday = compose.run(compose.noisy("1.0", 0.4, seed=1), name="monday")
    today = compose.run(compose.noisy("1.0", 0.5), compose.noisy("2.0", 0.4))
    found = {v.version: v for v in judge(today, yesterday, rules={})}
    assert (found["1.0"].verdict, found["1.0"].against, found["1.0"].kind) == (
        "regressed",
        "1.0 of monday",
        "run",
    )
    assert (found["2.0"].verdict, found["2.0"].against) == ("unchanged", "1.0 of monday")
    assert "from night to night is not in it" in found["1.0"].reason
    assert "night" not in judge(today, rules={})[-1].reason


def test_another_network_is_not_compared(compose: Any) -> None:
    run = compose.run(
        compose.noisy("1.0", 0.4, digest="sha256:aa"), compose.noisy("2.0", 0.2, digest="sha256:bb")
    )
    (verdict,) = judge(run, rules={})
    assert verdict.verdict == "indeterminate"
    assert "digests differ" in verdict.reason


def test_an_arm_in_a_container_is_held_against_its_twin_and_against_the_version_before_it(
    compose: Any,
) -> None:
    def arms(version: str, latency: float, slower: float) -> Iterator[Any]:
        yield compose.noisy(version, latency)
        made = compose.noisy(version, latency * slower, seed=1, repeat="docker")
        yield replace(made, cell=replace(made.cell, environment="docker"))

    found = judge(compose.run(*arms("1.0", 0.4, 1.0), *arms("2.0", 0.3, 1.3)), rules={})

    kinds = [(v.kind, v.version, v.against, v.verdict == "unchanged") for v in found]
    assert kinds == [
        ("aa", "1.0", "its twin in venv", True),
        ("version", "2.0", "1.0", False),
        ("version", "2.0", "1.0", False),
        ("aa", "2.0", "its twin in venv", False),
    ]
    assert [v.alarm for v in found if v.kind == "aa"] == [False, True]
    rows = noise(found)
    assert [row.version for row in rows] == ["1.0 beside its twin in venv", "2.0 beside its twin in venv"]


def test_aa_arms_are_compared_with_their_twin(compose: Any) -> None:
    run = compose.run(
        compose.noisy("1.0", 0.4), compose.noisy("2.0", 0.4), compose.noisy("2.0", 0.4, seed=1, repeat="aa")
    )
    found = judge(run, rules={})
    assert [(v.kind, v.against) for v in found] == [("version", "1.0"), ("aa", "its twin")]
    assert not any(v.alarm for v in found)


def test_two_treatments_of_one_version(compose: Any) -> None:
    pieces = Treatment(relu6="relu_sub")
    run = compose.run(
        compose.noisy("1.0", 0.427, times={"relu6": 0.0}),
        compose.noisy("1.0", 0.525, times={"relu6": 0.1}, treatment=pieces),
        compose.noisy("2.0", 0.348, times={}),
    )
    found = {v.bottleneck: v for v in compare_treatments(run, "relu6", "clip", "relu_sub", rules=RULES)}
    assert found["latency"].verdict == "regressed"
    assert found["latency"].effect == pytest.approx(0.525 / 0.427, rel=0.01)
    assert found["relu6"].state == "present"
    assert {v.version for v in found.values()} == {"1.0"}
    with pytest.raises(UsageError, match="a treatment has no 'colour'"):
        compare_treatments(run, "colour", "a", "b", rules=RULES)


def test_builds_that_tried_formats_are_left_out_beside_those_that_are_the_cells(compose: Any) -> None:
    tried = compose.build(7, None, None, trials=(FormatTrial("HWC8", "fp16", True),))
    old, new = compose.noisy("8.5", 1.0), compose.noisy("8.6", 0.5)
    both = replace(new, builds=(*new.builds, tried))
    without = judge(compose.run(old, new), rules={})
    assert judge(compose.run(old, both), rules={}) == without
    assert [v.builds for v in without if v.against] == [(5, 5)]
    alone = replace(new, builds=(tried,))
    assert judge(compose.run(alone), rules={}) == []
