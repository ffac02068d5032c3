"""Each answer that is no number: what is said, to the letter, where there is nothing to compare."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from harness.analysis.grid import grid_of
from harness.analysis.judge import judge
from harness.analysis.rules.builtin import trtmatrix_bottlenecks
from harness.analysis.verdict import Verdict, verdict_message
from harness.store.documents.manifest import Manifest, Matrix

RULES = {rule.name: rule for rule in trtmatrix_bottlenecks()}


def answer(compose: Any, *cells: Any, of: str = "latency", version: str = "2.0") -> Verdict:
    """Return the verdict on *version* of what was composed."""
    found = judge(grid_of(compose.run(*cells)), rules=RULES)
    (verdict,) = [v for v in found if (v.bottleneck, v.version) == (of, version)]
    return verdict


def builds(compose: Any, count: int, **more: Any) -> list[Any]:
    """Builds whose latencies and layer times differ a little."""
    times = {"pointwise": 0.2, "depthwise": 0.3}
    return [replace(compose.build(n, 0.4 + n / 1e4, times), **more) for n in range(count)]


def reason_of(compose: Any, *cells: Any, **more: Any) -> tuple[str, str]:
    found = answer(compose, *cells, **more)
    return found.verdict, found.reason


@pytest.mark.parametrize("of", ["latency", "pointwise"])
def test_wrong_outputs_are_counted_with_what_the_cell_says(compose: Any, of: str) -> None:
    wrong = builds(compose, 2, outputs=compose.wrong)
    one = [*builds(compose, 3), replace(wrong[0], build=3)]
    assert reason_of(compose, compose.cell("2.0", one), of=of) == (
        "invalid",
        "outputs out of bounds in one build",
    )
    told = compose.cell("2.0", wrong, reason="largest error 0.3")
    assert reason_of(compose, told, of=of) == (
        "invalid",
        "outputs out of bounds in 2 builds: largest error 0.3",
    )


def test_builds_that_were_throttled_answer_nothing(compose: Any) -> None:
    hot = compose.cell("2.0", builds(compose, 3, throttled=100))
    assert reason_of(compose, hot) == ("indeterminate", "all 3 builds were throttled most of the time")


@pytest.mark.parametrize("status", ["unsupported", "unavailable"])
def test_what_cannot_run_says_why_or_at_least_that(compose: Any, status: str) -> None:
    assert reason_of(compose, compose.cell("2.0", status=status)) == (
        "unsupported",
        f"the cell is {status} here",
    )
    said = compose.cell("2.0", status=status, reason="no wheel")
    assert reason_of(compose, said) == ("unsupported", "no wheel")


def test_a_cell_without_a_build_that_went_well(compose: Any) -> None:
    assert reason_of(compose, compose.cell("2.0", status="failed")) == (
        "indeterminate",
        "no build to look at: failed",
    )
    dead = builds(compose, 1, status="failed", reason="out of memory")
    found = answer(compose, compose.cell("2.0", dead, status="failed"))
    assert (found.reason, found.evidence) == ("no build to look at: out of memory", {"status": "failed"})


def test_builds_without_what_is_asked_of_them(compose: Any) -> None:
    timeless = [compose.build(n, None, {"pointwise": 0.2}) for n in range(3)]
    assert reason_of(compose, compose.cell("2.0", timeless)) == (
        "indeterminate",
        "no build has latency samples that tell",
    )
    bare = [compose.build(n, 0.4) for n in range(3)]
    assert reason_of(compose, compose.cell("2.0", bare), of="depthwise") == (
        "indeterminate",
        "no build has layer times that tell",
    )


@pytest.mark.parametrize(
    ("count", "reason"),
    [(1, "one build: fewer than 2 show no spread"), (2, "costs 20.0 % of the layer time (20.0 to 20.0)")],
)
def test_a_state_needs_two_builds(compose: Any, count: int, reason: str) -> None:
    found = answer(compose, compose.cell("2.0", builds(compose, count)), of="pointwise")
    assert found.reason == reason
    assert (found.against, found.against_cell, found.effect) == (None, None, None)
    assert found.builds == (0, count)


def test_a_share_that_touches_the_limit_is_no_state(compose: Any) -> None:
    shares = (0.04, 0.06, 0.05)
    rows = [compose.build(n, 0.4, {"relu6": x, "other": 0.5 - x}) for n, x in enumerate(shares)]
    found = answer(compose, compose.cell("2.0", rows), of="relu6")
    assert (found.verdict, found.state) == ("indeterminate", None)
    assert found.reason.startswith("costs 4.9 % of the layer time (")
    assert found.reason.endswith("), neither wholly above nor below 5 %")


def test_a_part_of_a_network_has_no_share_of_the_whole(compose: Any) -> None:
    part = compose.engine([compose.layer("a/expand", "pointwise", 0.3)], partial=True)
    rows = [replace(compose.build(n, None), engine=part) for n in range(3)]
    assert reason_of(compose, compose.cell("2.0", rows), of="pointwise") == (
        "indeterminate",
        "the profile covers a part of the network: no share of the whole",
    )


OLD_PROBLEMS = [
    ({"outputs": "wrong"}, "outputs of 1.0 are out of bounds: nothing is compared with them"),
    ({"status": "failed", "reason": "died"}, "1.0 has no build to compare with: died"),
    ({"passes": {}}, "no build of 1.0 can tell"),
]


@pytest.mark.parametrize(("change", "reason"), OLD_PROBLEMS)
def test_a_baseline_that_cannot_be_one_is_named(compose: Any, change: dict[str, Any], reason: str) -> None:
    change = {**change, "outputs": compose.wrong} if change.get("outputs") else change
    found = answer(
        compose, compose.cell("1.0", builds(compose, 3, **change)), compose.cell("2.0", builds(compose, 3))
    )
    assert (found.verdict, found.reason) == ("indeterminate", reason)
    assert (found.against, found.effect, found.interval) == ("1.0", None, None)
    assert found.layers, "the new side's layers are shown"


def test_a_baseline_of_which_nothing_is_said_is_named_by_its_state(compose: Any) -> None:
    cells = compose.cell("1.0", status="unavailable"), compose.cell("2.0", builds(compose, 3))
    assert reason_of(compose, *cells) == (
        "indeterminate",
        "1.0 has no build to compare with: unavailable",
    )


def test_networks_of_two_digests_are_not_compared(compose: Any) -> None:
    def cells(old: str, new: str) -> list[Any]:
        return [
            compose.cell(version, builds(compose, 3), digest=digest)
            for version, digest in (("1.0", old), ("2.0", new))
        ]

    assert reason_of(compose, *cells("sha256:a", "sha256:b")) == (
        "indeterminate",
        "1.0 ran another network: the digests differ",
    )
    assert answer(compose, *cells("sha256:a", "unknown")).verdict == "unchanged", "it may be the same"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (1, 3, "one build of the old and 3 builds of the new"),
        (2, 1, "2 builds of the old and one build of the new"),
    ],
)
def test_one_build_on_a_side_has_an_effect_and_no_answer(compose: Any, old: int, new: int, said: str) -> None:
    cells = compose.cell("1.0", builds(compose, old)), compose.cell("2.0", builds(compose, new))
    found = answer(compose, *cells)
    assert found.reason == f"{said}: with fewer than 2 on a side no change of any size can be shown"
    assert found.effect == pytest.approx(1.0, abs=0.01)
    assert (found.interval, found.builds, found.verdict) == (None, (old, new), "indeterminate")


def test_builds_of_hosts_that_nobody_knows_are_not_compared(compose: Any) -> None:
    cells = [compose.cell(version, builds(compose, 3, host="unknown")) for version in ("1.0", "2.0")]
    found = answer(compose, *cells)
    assert found.reason == (
        "the host is not known: only builds of one host are compared; "
        "state it as 'host' in the 'meta.json' of what is imported"
    )
    assert found.interval is not None
    assert found.smallest_detectable is not None
    assert found.evidence["material"] == 0.01
    assert {"old", "new"} <= set(found.evidence)


def test_the_evidence_of_a_comparison_holds_both_sides(compose: Any) -> None:
    rows = builds(compose, 3)
    cells = compose.cell("1.0", rows[:2]), compose.cell("2.0", [*rows, compose.build(3, 0.4)])
    found = answer(compose, *cells, of="depthwise")
    old, new = found.evidence["old"], found.evidence["new"]
    assert isinstance(old, dict)
    assert isinstance(new, dict)
    assert (old["ms"], new["ms"]) == ([0.3] * 2, [0.3] * 3)
    assert (old["builds_that_cannot_tell"], new["builds_that_cannot_tell"]) == (0, 1)
    assert new["shares"] == pytest.approx([0.3] * 3)
    assert new["share"] == pytest.approx([0.3, 0.3, 0.3])
    assert new["time_ms"] == pytest.approx([0.3] * 3)
    assert new["time_share"] == pytest.approx([0.3] * 3)
    assert new["kernel_families"] == [{"depthwise": 1}] * 3
    assert (new["throttled_builds"], new["bound_ms"]) == (0, [None] * 3)
    assert old["latency_drift_a_round"] is None, "two rounds have no slope"
    assert new["latency_drift_a_round"] == pytest.approx(0.0, abs=1e-3)
    assert (found.evidence["material"], found.evidence["p"]) == (0.01, 1.0)


def test_a_drift_follows_the_rounds_not_the_numbers_of_the_builds(compose: Any) -> None:
    rows = [
        replace(compose.build(n, ms), round=r) for n, (ms, r) in enumerate([(1.21, 2), (1.0, 0), (1.1, 1)])
    ]
    found = answer(compose, compose.cell("1.0", rows), compose.cell("2.0", rows))
    sides = found.evidence["new"]
    assert isinstance(sides, dict)
    assert sides["latency_drift_a_round"] == pytest.approx(0.0953, abs=1e-3)
    assert sides["samples"] == [20] * 3
    assert sides["throttled_samples"] == [0] * 3


def test_a_cost_of_nothing_on_both_sides_did_not_change(compose: Any) -> None:
    times = {"relu6": 0.0, "other": 0.5}
    cells = [compose.cell(v, [compose.build(n, 0.4, times) for n in range(3)]) for v in ("1.0", "2.0")]
    found = answer(compose, *cells, of="relu6")
    assert (found.verdict, found.reason) == (
        "unchanged",
        "costs less than 0.1 % of the layer time on both sides",
    )
    assert not found.scatters


def test_builds_of_no_block_are_marked(compose: Any) -> None:
    cells = [compose.cell(v, builds(compose, 3)) for v in ("1.0", "2.0")]
    for of in ("latency", "pointwise"):
        found = answer(compose, *cells, of=of)
        assert found.measured == "one after the other"
        assert "; measured one after the other" in verdict_message(found)
    assert answer(compose, cells[0], of="pointwise", version="1.0").measured is None


def test_what_is_material_is_the_policys_or_as_asked(compose: Any) -> None:
    cells = [
        compose.cell(v, [compose.build(n, ms + n / 1e5) for n in range(5)])
        for v, ms in (("1.0", 0.4), ("2.0", 0.408))
    ]
    run = compose.run(*cells)
    (found,) = judge(grid_of(run), rules={})
    assert (found.verdict, found.evidence["material"]) == ("regressed", 0.01)
    (found,) = judge(grid_of(run), rules={}, material=0.05)
    assert (found.verdict, found.evidence["material"]) == ("unchanged", 0.05)
    policy = replace(run, manifest=Manifest(matrix=Matrix(material=0.03)))
    assert [v.verdict for v in judge(grid_of(policy), rules={})] == ["unchanged"]


def times_of(compose: Any, version: str, count: int = 4, scatter: float = 1e-3, **times: float) -> Any:
    rows = [
        compose.build(n, 0.4 + n / 1e4, {k: ms * (1 + scatter * n) for k, ms in times.items()})
        for n in range(count)
    ]
    return compose.cell(version, rows)


def test_a_small_reformat_that_doubles_is_a_fact_and_no_regression(compose: Any) -> None:
    rest = {"pointwise": 8.0, "depthwise": 4.0, "other": 10.0}
    cells = [times_of(compose, v, reformat=ms, **rest) for v, ms in (("1.0", 0.05), ("2.0", 0.1))]
    found = answer(compose, *cells, of="reformat")
    assert found.verdict == "unchanged"
    assert "0.0501 -> 0.1002 ms (2.000 times)" in found.reason
    assert found.effect == pytest.approx(2.0)
    assert found.difference == pytest.approx(0.05 / 22.25, rel=0.01)
    more = [times_of(compose, v, reformat=ms, **rest) for v, ms in (("1.0", 0.05), ("2.0", 0.5))]
    found = answer(compose, *more, of="reformat")
    assert (found.verdict, found.state) == ("indeterminate", "absent"), (
        "2 % of the time, and absent on both sides"
    )
    assert "under 5 % of the layer time in both versions" in found.reason
    assert found.settles is None


def test_a_cost_is_judged_by_what_it_is_of_the_whole(compose: Any) -> None:
    rest = {"depthwise": 0.3, "other": 0.5}
    found = answer(
        compose,
        *(times_of(compose, v, pointwise=ms, **rest) for v, ms in (("1.0", 0.2), ("2.0", 0.3))),
        of="pointwise",
    )
    assert (found.verdict, found.difference) == ("regressed", pytest.approx(0.1, rel=0.01))
    assert found.difference_interval is not None
    low, high = found.difference_interval
    assert low < found.difference < high
    assert found.effect == pytest.approx(1.5)


def test_a_part_of_a_network_has_no_difference_of_the_whole(compose: Any) -> None:
    part = compose.engine([compose.layer("a/expand", "pointwise", 0.3)], partial=True)
    cells = [
        compose.cell(v, [replace(compose.build(n, None), engine=part) for n in range(3)])
        for v in ("1.0", "2.0")
    ]
    found = answer(compose, *cells, of="pointwise")
    assert (found.verdict, found.difference, found.effect) == ("indeterminate", None, pytest.approx(1.0))
    assert "what a change is worth of the whole cannot be told" in found.reason
