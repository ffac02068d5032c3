"""The engine on simulated builds with known truth."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from harness.analysis.accepted import Accepted
from harness.analysis.documents import verdicts_document
from harness.analysis.grid import grid_of
from harness.analysis.groups import ONE_CACHE
from harness.analysis.judge import judge as judge_grid
from harness.analysis.run_analysis import analyse
from harness.analysis.series import REFORMATS
from harness.analysis.verdict import verdict_message
from harness.attribution.engine import LayerRole
from harness.matrix.cell import Treatment
from harness.store.documents.base import json_text
from tests.analysis.judged import RULES, compare_treatments, judge, verdicts

NAMES = ["pointwise", "depthwise", "reformat", "relu6", "formats"]


def test_a_faster_version_is_reduced_and_the_rest_unchanged(compose: Any) -> None:
    run = compose.run(
        compose.noisy("8.6.0", 0.348, times={"pointwise": 0.1, "depthwise": 0.3, "other": 0.5}),
        compose.noisy("8.5.3.1", 0.427, times={"pointwise": 0.3, "depthwise": 0.3, "other": 0.5}),
    )
    found = verdicts(run)
    latency = found["8.6.0", "latency"]
    assert latency.verdict == "reduced"
    assert latency.effect == pytest.approx(0.348 / 0.427, rel=0.01)
    assert latency.interval is not None
    assert latency.interval[0] < 0.348 / 0.427 < latency.interval[1]
    assert latency.builds == (5, 5)
    assert latency.state is None
    assert (latency.against, latency.against_cell) == (
        "8.5.3.1",
        "mobilenet_v2-fp32-b1-clip-tensorrt-8.5.3.1",
    )
    pointwise = found["8.6.0", "pointwise"]
    assert (pointwise.state, pointwise.change, pointwise.verdict) == ("present", "reduced", "reduced")
    assert pointwise.layers[0].name == "conv/expand"
    assert pointwise.layers[0].changed
    assert pointwise.evidence["new"]["on_any_gemm"] == [1] * 5
    assert found["8.6.0", "depthwise"].verdict == "unchanged"
    # nothing to compare with: the state is the word, and latency has none
    assert found["8.5.3.1", "pointwise"].verdict == "present"
    assert ("8.5.3.1", "latency") not in found


def test_a_cost_of_nothing_is_not_said_to_be_the_resolution(compose: Any) -> None:
    (relu6,) = (
        v
        for v in judge(compose.run(compose.noisy("1.0", 0.4, times={"relu6": 0.0})), rules=RULES)
        if v.bottleneck == "relu6"
    )
    assert (relu6.verdict, relu6.reason) == ("absent", "costs less than 0.1 % of the layer time")
    (pointwise,) = (
        v
        for v in judge(compose.run(compose.noisy("1.0", 0.4, times={"pointwise": 0.2})), rules=RULES)
        if v.bottleneck == "pointwise"
    )
    assert pointwise.reason.startswith("costs 20.0 % of the layer time (")


def test_a_reformat_that_moved_is_no_carrier_of_a_change_of_latency(compose: Any) -> None:
    def version(name: str, latency: float, reader: str, convolution: float) -> Any:
        rows = [
            compose.layer("stem", "convolution", convolution),
            compose.layer("r", "reformat", 0.1, role=LayerRole.REFORMAT, before=("stem",), after=(reader,)),
        ]
        drawn = compose.engine(rows)
        return compose.cell(
            name, [replace(compose.build(n, latency + n / 1e4), engine=drawn) for n in range(3)]
        )

    found = verdicts(compose.run(version("1", 0.6, "a", 0.4), version("2", 0.5, "b", 0.3)))
    layers = {layer.name: round(layer.difference_ms, 6) for layer in found["2", "latency"].layers}
    assert layers == {"stem": -0.1, REFORMATS: 0.0}
    assert {layer.name for layer in found["2", "reformat"].layers} == {
        "reformat stem -> a",
        "reformat stem -> b",
    }


def test_removed_needs_present_before_and_absent_now(compose: Any) -> None:
    run = compose.run(
        compose.noisy("1.0", 1.2, times={"relu6": 0.2}),
        compose.noisy("2.0", 1.0, times={"relu6": 0.0}),
        compose.noisy("3.0", 1.1, times={"relu6": 0.1}),
    )
    found = verdicts(run)
    assert found["2.0", "relu6"].verdict == "removed"
    assert found["2.0", "relu6"].state == "absent"
    assert found["3.0", "relu6"].verdict == "regressed"
    assert found["3.0", "reformat"].verdict == "unchanged"
    assert "less than 0.1 %" in found["3.0", "reformat"].reason
    # the ratio is against the resolution, which is no cost that was measured
    counted = "costs less than 0.1 % of the layer time and is counted as that much"
    assert found["2.0", "relu6"].reason.endswith(f"; the new {counted}")
    assert found["3.0", "relu6"].reason.endswith(f"; the old {counted}")
    assert counted not in found["2.0", "pointwise"].reason


def test_builds_of_one_timing_cache_are_said_to_lack_the_spread_of_the_search(compose: Any) -> None:
    kept = Treatment(timing_cache="on")
    run = compose.run(
        *(compose.noisy(v, 0.4, times={"pointwise": 0.2}, treatment=kept) for v in ("1.0", "2.0")),
        compose.noisy("2.0", 0.4, times={"pointwise": 0.2}),
    )
    found = {(v.treatment, v.version, v.bottleneck): v.reason for v in judge(run, rules=RULES)}
    own, cached = Treatment().label, kept.label
    assert found[cached, "1.0", "pointwise"].endswith(f"; {ONE_CACHE}")
    assert found[cached, "2.0", "latency"].count(ONE_CACHE) == 1
    assert ONE_CACHE not in found[own, "2.0", "pointwise"]
    (latency, *_) = (
        v for v in compare_treatments(run, "timing_cache", "off", "on", rules={}) if v.version == "2.0"
    )
    assert latency.reason.endswith(f"; new: {ONE_CACHE}")


@pytest.mark.parametrize("builds", [1, 3])
def test_a_cost_that_counts_elsewhere_in_one_version_is_said_to(compose: Any, builds: int) -> None:
    """An INT8 kernel that runs a depthwise and a 1x1 convolution leaves nothing of the depthwise to see."""

    def version(name: str, *rows: Any) -> Any:
        drawn = replace(compose.engine(rows), graph=compose.separable())
        made = [replace(compose.build(n, 0.3 + n / 1e4), engine=drawn) for n in range(builds)]
        return compose.cell(name, made)

    both = {"source_ops": ("dw", "pw"), "shares": {"dw": 0.3, "pw": 0.7}}
    apart = [compose.layer("dw", "depthwise", 0.1), compose.layer("pw", "pointwise", 0.2)]
    together = [compose.layer("dw + pw", "pointwise", 0.3, **both)]
    run = compose.run(version("1", *apart), version("2", *together), version("3", *together))
    found = verdicts(run)
    note = "1 of the 1 run, and count, in layers of another class"
    assert note not in found["1", "depthwise"].reason
    assert found["2", "depthwise"].reason.endswith(f"; new: {note}")
    assert found["3", "depthwise"].reason.endswith(f"; {note}")
    assert found["2", "pointwise"].reason.endswith(
        "; new: convolutions of another class that run, and count, in these layers: 1"
    )
    assert "count, in" not in found["2", "latency"].reason
    (alone,) = [
        v for v in judge(compose.run(version("2", *together)), rules=RULES) if v.bottleneck == "depthwise"
    ]
    assert alone.reason.endswith(f"; {note}")


def test_one_build_is_indeterminate_with_its_effect(compose: Any) -> None:
    run = compose.run(
        compose.noisy("1.0", 0.4, builds=1, times={"pointwise": 0.3}),
        compose.noisy("2.0", 0.3, builds=1, times={"pointwise": 0.1}),
    )
    found = judge(run, rules=RULES)
    assert {v.verdict for v in found} == {"indeterminate"}
    assert all("one build" in v.reason for v in found)
    latency = next(v for v in found if v.bottleneck == "latency")
    assert latency.effect == pytest.approx(0.75, rel=0.02)
    assert (latency.interval, latency.smallest_detectable) == (None, None)


def test_noise_makes_it_indeterminate_and_says_what_could_have_been_shown(compose: Any) -> None:
    run = compose.run(
        compose.noisy("1.0", 0.4, builds=2, noise=0.05), compose.noisy("2.0", 0.38, builds=2, noise=0.05)
    )
    (latency,) = judge(run, rules={})
    assert latency.verdict == "indeterminate"
    assert latency.smallest_detectable is not None
    assert latency.smallest_detectable > 0.05
    assert "could have been shown" in latency.reason


def test_wrong_outputs_are_invalid_and_never_fast(compose: Any) -> None:
    bad = compose.noisy("2.0", 0.1, times={"pointwise": 0.1})
    bad = replace(bad, builds=(*bad.builds[:-1], replace(bad.builds[-1], outputs=compose.wrong)))
    run = compose.run(compose.noisy("1.0", 0.4, times={}), bad, compose.noisy("3.0", 0.4, times={}))
    found = verdicts(run)
    assert {found["2.0", name].verdict for name in [*NAMES, "latency"]} == {"invalid"}
    assert "one build" in found["2.0", "latency"].reason
    # what was compared with it is not called anything
    assert found["3.0", "latency"].verdict == "indeterminate"
    assert "out of bounds" in found["3.0", "latency"].reason
    assert found["3.0", "pointwise"].state == "present"


def test_what_cannot_run_is_unsupported_on_every_host_of_its_subject(compose: Any) -> None:
    reason = "TensorRT 5 knows no compute capability 9.0"
    run = compose.run(
        compose.noisy("8.6.0", 0.4, times={}), compose.cell("5.1.5", status="unsupported", reason=reason)
    )
    found = verdicts(run)
    assert (found["5.1.5", "latency"].verdict, found["5.1.5", "latency"].reason) == ("unsupported", reason)
    assert found["5.1.5", "latency"].host == "host-a"
    assert found["8.6.0", "latency"].verdict == "indeterminate"
    assert reason in found["8.6.0", "latency"].reason


def test_a_cell_whose_builds_all_failed_is_indeterminate(compose: Any) -> None:
    failed = replace(compose.build(0, None), status="failed", reason="out of memory")
    run = compose.run(compose.cell("1.0", [failed], status="failed"))
    assert {(v.verdict, v.reason) for v in judge(run, rules=RULES)} == {
        ("indeterminate", "no build to look at: out of memory")
    }


def test_throttled_builds_are_left_out_and_counted(compose: Any) -> None:
    old, new = compose.noisy("1.0", 0.4), compose.noisy("2.0", 0.4)
    hot = replace(compose.build(5, 0.8), throttled=100)
    run = compose.run(old, replace(new, builds=(*new.builds, hot)))
    (verdict,) = judge(run, rules={})
    assert (verdict.verdict, verdict.builds) == ("unchanged", (5, 5))
    assert verdict.evidence["new"]["throttled_builds"] == 1


def test_a_partial_profile_has_no_state(compose: Any) -> None:
    part = compose.engine([compose.layer("a/expand", "pointwise", 0.3)], partial=True)
    builds = [replace(compose.build(i, None), engine=part) for i in range(3)]
    found = verdicts(compose.run(compose.cell("1.0", builds)))
    assert found["1.0", "pointwise"].verdict == "indeterminate"
    assert "part of the network" in found["1.0", "pointwise"].reason


def test_accepted_changes_are_noted(compose: Any) -> None:
    run = compose.run(compose.noisy("1.0", 0.4), compose.noisy("2.0", 0.5))
    entry = Accepted("regressed", "the driver changed", date(2999, 1, 1), version="2.*")
    (verdict,) = judge(run, rules={}, accepted=[entry])
    assert verdict.accepted == {"reason": "the driver changed", "expires": "2999-01-01"}
    assert "accepted until 2999-01-01" in verdict_message(verdict)
    (other,) = judge(run, rules={}, accepted=[replace(entry, expires=date(2020, 1, 1))])
    assert other.accepted is None


def test_json_has_the_promised_fields(compose: Any) -> None:
    run = compose.run(compose.noisy("1.0", 0.4, times={}), compose.noisy("2.0", 0.3, times={}))
    grid = grid_of(run)
    analysis = analyse(grid, judge_grid(grid, rules=RULES), rules=RULES)
    data = json.loads(json_text(verdicts_document(analysis)))
    assert (data["schema"], data["baseline"]) == ("trtmatrix.verdicts/1", "previous")
    promised = {
        "bottleneck",
        "network",
        "treatment",
        "version",
        "host",
        "state",
        "change",
        "verdict",
        "effect",
    }
    promised |= {"interval", "builds", "smallest_detectable", "reason", "layers", "evidence"}
    assert all(promised <= set(verdict) for verdict in data["verdicts"])
    assert [v["bottleneck"] for v in data["verdicts"] if v["version"] == "2.0"] == [*NAMES, "latency"]


def test_message_names_bottleneck_effect_interval_and_layers(compose: Any) -> None:
    run = compose.run(
        compose.noisy("1.0", 0.4, times={"depthwise": 0.3}),
        compose.noisy("2.0", 0.5, times={"depthwise": 0.5}),
    )
    message = verdict_message(verdicts(run)["2.0", "depthwise"])
    assert message.startswith(
        "depthwise of mobilenet_v2 fp32-b1-clip on tensorrt 2.0 against 1.0 (host-a): regressed: "
    )
    assert "1.66" in message
    assert " to " in message
    assert "conv/depthwise 0.3" in message
