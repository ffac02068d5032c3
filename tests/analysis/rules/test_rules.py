"""What each rule takes for the cost of a build, and the evidence it puts beside."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from harness.analysis.rules.builtin import trtmatrix_bottlenecks
from harness.analysis.rules.carriers import carrier_name
from harness.attribution.engine import AttributedEngine, KernelFamily, LayerRole
from harness.evidence.records import EngineLayer, Evidence, TensorInfo
from harness.networks.graph import Graph, OpKind, SourceOp
from harness.observations.records import BuildObservation, OutputCheck
from harness.plugins.registry import bottlenecks

RULES = {rule.name: rule for rule in trtmatrix_bottlenecks()}


def observed(engine: AttributedEngine | None, **more: Any) -> BuildObservation:
    return replace(BuildObservation(0, "ok", "host-a", engine=engine), **more)


def test_all_five_are_registered_through_the_hook() -> None:
    assert list(bottlenecks())[:5] == ["pointwise", "depthwise", "reformat", "relu6", "formats"]


@pytest.mark.parametrize("name", RULES)
def test_no_layer_times_no_cost(name: str, compose: Any) -> None:
    untimed = compose.engine([compose.layer("a", "pointwise", None)])
    assert RULES[name].cost(observed(None)) is None
    assert RULES[name].cost(observed(untimed)) is None


def test_convolutions_of_a_class_and_their_kernels(compose: Any) -> None:
    made = compose.engine(
        [
            compose.layer("b1/expand", "pointwise", 0.2, family=KernelFamily.GEMM),
            compose.layer("b2/expand", "pointwise", 0.1, family=KernelFamily.GEMM_AS_CONV1X1),
            compose.layer("b3/expand", "pointwise", 0.1, family=KernelFamily.IMPLICIT_GEMM),
            compose.layer("b4/expand", "pointwise", 0.1),
            compose.layer("b1/depthwise", "depthwise", 0.5, family=KernelFamily.DEPTHWISE),
        ]
    )
    cost = RULES["pointwise"].cost(observed(made))
    assert cost is not None
    assert cost.milliseconds == pytest.approx(0.5)
    assert cost.share == pytest.approx(0.5)
    assert cost.layers[0] == ("b1/expand", 0.2)
    assert (cost.evidence["on_any_gemm"], cost.evidence["on_gemm_as_conv1x1"]) == (2, 1)
    assert (cost.evidence["layers"], cost.evidence["kernel_unknown"]) == (4, 1)
    assert cost.evidence["kernel_families"] == {
        "gemm": 1,
        "gemm_as_conv1x1": 1,
        "implicit_gemm": 1,
        "unknown": 1,
    }
    depthwise = RULES["depthwise"].cost(observed(made))
    assert depthwise is not None
    assert depthwise.milliseconds == pytest.approx(0.5)


def test_a_profile_of_unattributed_layers_tells_nothing_of_classes(compose: Any) -> None:
    rows = [compose.layer("b/expand", "pointwise", 0.7), compose.layer("?", "unknown", 0.3)]
    assert RULES["pointwise"].cost(observed(compose.engine(rows, unattributed=0.3))) is None
    assert RULES["reformat"].cost(observed(compose.engine(rows, unattributed=0.3))) is not None
    assert RULES["pointwise"].cost(observed(compose.engine(rows, unattributed=0.2))) is not None


def test_a_partial_profile_has_milliseconds_and_no_share(compose: Any) -> None:
    cost = RULES["depthwise"].cost(
        observed(compose.engine([compose.layer("d", "depthwise", 0.3)], partial=True))
    )
    assert cost is not None
    assert (cost.milliseconds, cost.share) == (0.3, None)


def test_depthwise_share_of_arithmetic(compose: Any) -> None:
    made = replace(compose.engine([compose.layer("dw", "depthwise", 0.3)]), graph=compose.separable())
    cost = RULES["depthwise"].cost(observed(made))
    assert cost is not None
    # 128 x 9 multiply-adds of 128 x 9 + 384 x 8
    assert cost.evidence["flop_share"] == pytest.approx(1152 / (1152 + 3072))
    assert (cost.milliseconds, cost.evidence["bound"]) == (0.3, "no peaks known")
    # 2304 FLOP at 23.04 MFLOP/s take 0.1 ms, (128 + 128 + 72) elements of 4 bytes at 1 GB/s next to nothing
    facts = {"precision": "fp32", "peaks": {"flops_per_s": 2304e4, "bytes_per_s": 1e9}}
    bounded = RULES["depthwise"].cost(observed(made, facts=facts))
    assert bounded is not None
    assert bounded.evidence["bound_ms"] == pytest.approx(0.1)
    assert bounded.milliseconds == pytest.approx(0.2)
    assert bounded.layers == (("dw", 0.3),)


def test_convolutions_that_share_a_kernel_are_told_where_their_time_counts(compose: Any) -> None:
    rows = [
        compose.layer("dw + pw", "pointwise", 0.3, source_ops=("dw", "pw"), shares={"dw": 0.3, "pw": 0.7})
    ]
    made = observed(replace(compose.engine(rows), graph=compose.separable()))
    depthwise, pointwise = RULES["depthwise"].cost(made), RULES["pointwise"].cost(made)
    assert depthwise is not None
    assert pointwise is not None
    assert (depthwise.milliseconds, pointwise.milliseconds) == (0.0, 0.3)
    assert (depthwise.evidence["elsewhere"], depthwise.evidence["guests"]) == (1, 0)
    assert (pointwise.evidence["elsewhere"], pointwise.evidence["guests"]) == (0, 1)
    assert depthwise.note == "1 of the 1 run, and count, in layers of another class"
    assert pointwise.note == "convolutions of another class that run, and count, in these layers: 1"
    apart = [compose.layer("dw", "depthwise", 0.1), compose.layer("pw", "pointwise", 0.2)]
    alone = RULES["depthwise"].cost(observed(replace(compose.engine(apart), graph=compose.separable())))
    assert alone is not None
    assert (alone.evidence["elsewhere"], alone.note) == (0, "")


def test_reformats_count_when_they_execute(compose: Any) -> None:
    reformat, no_op = LayerRole.REFORMAT, LayerRole.NO_OP
    made = compose.engine(
        [
            compose.layer(
                "Reformatting CopyNode for Input Tensor 0 to conv",
                "reformat",
                0.1,
                role=reformat,
                before=("a",),
                after=("conv",),
                input_formats=("linear FP32",),
                output_formats=("NHWC8 FP32",),
            ),
            compose.layer(
                "Reformatting CopyNode for Network Input x",
                "reformat",
                0.05,
                role=reformat,
                after=("a",),
                at_edge=True,
            ),
            compose.layer("Reformatting CopyNode for Input Tensor 0 to b", "no_op", None, role=no_op),
            compose.layer("conv", "convolution", 0.85),
        ]
    )
    cost = RULES["reformat"].cost(observed(made))
    assert cost is not None
    assert cost.layers == (("reformat a -> conv", 0.1),), "that of the network's input is a matter of formats"
    found = cost.evidence
    assert (found["reformats"], found["interior"], found["boundary"], found["no_ops"]) == (2, 1, 1, 1)
    assert found["transitions"] == {
        "linear FP32 -> NHWC8 FP32": {"count": 1, "ms": 0.1},
        "unknown -> unknown": {"count": 1, "ms": 0.05},
    }
    formats = RULES["formats"].cost(observed(made))
    assert formats is not None
    assert formats.layers == (("reformat network input -> a", 0.05),)
    assert cost.milliseconds + formats.milliseconds == pytest.approx(0.15), "each counts once"


def test_a_reformat_has_one_name_whatever_is_fused_to_the_ops_on_its_sides(compose: Any) -> None:
    def reformat(before: tuple[str, ...], after: tuple[str, ...]) -> str:
        role = LayerRole.REFORMAT
        return carrier_name(compose.layer("copy", "reformat", 0.1, role=role, before=before, after=after))

    assert reformat((), ("conv", "relu6")) == reformat((), ("conv",)) == "reformat network input -> conv"
    assert reformat(("conv", "relu6"), ()) == reformat(("relu6",), ()) == "reformat relu6 -> network output"
    assert reformat(("conv",), ("relu1", "sub1", "relu6")) == "reformat conv -> relu1"
    assert reformat((), ()) == "copy", "nothing is known of what lies around it"


def test_formats_of_the_engines_own_inputs_and_outputs(compose: Any) -> None:
    layers = (
        EngineLayer(
            0, "a", inputs=(TensorInfo("x", format="HWC8"),), outputs=(TensorInfo("t", format="NCHW"),)
        ),
        EngineLayer(
            1, "b", inputs=(TensorInfo("t", format="NCHW"),), outputs=(TensorInfo("y", format="NCHW"),)
        ),
    )
    build = observed(
        compose.engine([compose.layer("a", "pointwise", 1.0)]),
        evidence=Evidence(layers=layers),
        facts={"refused_formats": {"x": ["chw32"]}},
    )
    cost = RULES["formats"].cost(build)
    assert cost is not None
    assert cost.evidence["engine_inputs"] == {"x": "HWC8"}
    assert cost.evidence["engine_outputs"] == {"y": "NCHW"}
    assert cost.evidence["refused_formats"] == {"x": ["chw32"]}


def test_relu6_on_its_own_and_whether_6_is_respected(compose: Any) -> None:
    rows = [
        compose.layer("b1/relu6/sub1", "activation", 0.1, own_activation=True),
        compose.layer("b1/relu6", "activation", 0.06, own_activation=True),
        compose.layer("softmax", "activation", 0.2, own_activation=True),
        compose.layer("conv", "convolution", 0.64),
    ]
    cost = RULES["relu6"].cost(observed(compose.engine(rows)))
    assert cost is not None
    assert cost.milliseconds == pytest.approx(0.16)
    assert (cost.evidence["own_layers"], cost.evidence["bound_respected"]) == (2, None)
    assert cost.evidence["kernel_families"] == {"unknown": 2}
    checked = RULES["relu6"].cost(observed(compose.engine(rows), outputs=OutputCheck(True, 1e-6, 1e-5)))
    assert checked is not None
    assert checked.evidence["bound_respected"] is True


def test_a_softmax_is_told_from_relu6_by_the_graph(compose: Any) -> None:
    ops = (
        SourceOp("act", OpKind.SOFTMAX, ("x",), "y"),
        SourceOp("clip", OpKind.CLIP, ("y",), "z", {"minimum": 0.0, "maximum": 6.0}),
    )
    shapes = dict.fromkeys("xyz", (1, 8))
    graph = Graph("m", "clip", 1, ("x",), ("z",), ops, shapes, {})
    rows = [compose.layer(n, "activation", 0.1, own_activation=True) for n in ("act", "clip")]
    cost = RULES["relu6"].cost(observed(replace(compose.engine(rows), graph=graph)))
    assert cost is not None
    assert cost.layers == (("clip", 0.1),)


@pytest.mark.parametrize("name", ["io_formats", "accepted_formats", "refused_formats", "requested_formats"])
def test_formats_that_were_asked_for_and_given_are_evidence(compose: Any, name: str) -> None:
    engine = compose.engine([compose.layer("a", "pointwise", 1.0)])
    by_worker = RULES["formats"].cost(observed(engine, facts={name: "worker", "other": 1}))
    assert by_worker is not None
    assert by_worker.evidence == {"boundary_reformats": 0, name: "worker"}
    evidence = Evidence(facts={name: "reader", "other": 2})
    by_reader = RULES["formats"].cost(observed(engine, facts={name: "worker"}, evidence=evidence))
    assert by_reader is not None
    assert by_reader.evidence == {"boundary_reformats": 0, name: "reader"}
