"""Counts of what the builder was offered for 1x1 convolutions, from composed searches."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from harness.analysis.rules.offers import pointwise_offers
from harness.analysis.rules.pointwise import PointwiseRule
from harness.attribution.attribute import attribute
from harness.evidence.records import EngineLayer, Evidence, Tactic
from harness.networks.mobilenet import MobileNetV2

GEMM_AS = "sm70_xmma_gemm_as_conv1x1_f32f32_f32_f32_tn_n_simt_small_batch_bias_relu"
IMPLICIT = "sm80_xmma_fprop_implicit_gemm_f32f32_f32f32_f32_nhwckrsc_nhwc_simple_t1r1s1"
NETWORK = MobileNetV2().graph()
FIRST, SECOND = "Conv_1/Conv2D", "Logits/Conv2d_1c_1x1/Conv2D"
WON = "0x1fb90698107bb33a"


def tactic(layer: str, kernel: str | None, name: str, ms: float | None) -> Tactic:
    return Tactic(layer, "CaskConvolution", "Float(1) -> Float(1)", name, None, kernel, ms)


def offers(*tactics: Tactic) -> dict[str, Any]:
    """What is said of an engine of two 1x1 convolutions and a depthwise one, all run by the same tactic."""
    names = (FIRST, SECOND, "expanded_conv/depthwise/depthwise")
    layers = tuple(EngineLayer(i, name, "CaskConvolution", WON) for i, name in enumerate(names))
    evidence = Evidence(layers=layers, tactics=tactics)
    return pointwise_offers(attribute(NETWORK, evidence), evidence)


def test_without_a_builder_log_nothing_is_said() -> None:
    assert offers() == {}


def test_layers_are_counted_by_what_the_log_tells_of_them() -> None:
    found = offers(
        tactic(FIRST, IMPLICIT, WON, 1.0),
        tactic(FIRST, GEMM_AS, "0x20582", 1.5),
        tactic(FIRST, GEMM_AS, "0x20583", 1.75),
    )
    assert found["search"] == {"timed": 1, "unknown": 1}
    assert found["gemm_as_conv1x1"] == {
        "offered": {"unknown": 1, "yes": 1},
        "timed_layers": 1,
        "timed_tactics": 2,
        "chosen": 0,
        "lost": 1,
        "lost_by_ms_median": pytest.approx(0.5),
        "lost_by_ms_least": pytest.approx(0.5),
    }


def test_what_was_not_offered_is_told_from_what_cannot_be_told() -> None:
    found = offers(tactic(FIRST, IMPLICIT, WON, 1.0), tactic(SECOND, IMPLICIT, WON, 2.0))
    assert found["search"] == {"timed": 2}
    nothing = {"timed_layers": 0, "timed_tactics": 0, "chosen": 0, "lost": 0}
    least = {"lost_by_ms_median": None, "lost_by_ms_least": None}
    assert found["any_gemm"] == {"offered": {"no": 2}, **nothing, **least}


def test_the_losses_are_summed_up_by_their_median_and_the_least() -> None:
    found = offers(
        *(tactic(name, IMPLICIT, WON, 1.0) for name in (FIRST, SECOND)),
        tactic(FIRST, GEMM_AS, "0x20582", 1.25),
        tactic(SECOND, GEMM_AS, "0x20582", 2.0),
    )["gemm_as_conv1x1"]
    assert (found["lost"], found["chosen"]) == (2, 0)
    assert (found["lost_by_ms_median"], found["lost_by_ms_least"]) == (0.625, 0.25)


def test_a_kernel_that_won_lost_to_nothing() -> None:
    found = offers(*(tactic(name, GEMM_AS, WON, 1.0) for name in (FIRST, SECOND)))["gemm_as_conv1x1"]
    assert (found["chosen"], found["lost"], found["offered"]) == (2, 0, {"yes": 2})


def test_the_rule_puts_them_beside_its_cost(compose: Any) -> None:
    layers = (EngineLayer(0, FIRST, "CaskConvolution", WON),)
    evidence = Evidence(layers=layers, tactics=(tactic(FIRST, IMPLICIT, WON, 1.0),))
    engine = compose.engine([replace(attribute(NETWORK, evidence).layers[0], time_ms=0.5)])
    cost = PointwiseRule().cost(replace(compose.build(0, 1.0), engine=engine, evidence=evidence))
    assert cost is not None
    assert cost.evidence["offers"] == pointwise_offers(engine, evidence)
    assert cost.evidence["offers"]["search"] == {"timed": 1}  # type: ignore[index]
