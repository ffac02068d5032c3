"""Attribution: the recordings whole, and every naming style in small."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from harness.attribution.attribute import attribute
from harness.attribution.engine import AttributedEngine, KernelFamily, LayerRole
from harness.evidence.records import EngineLayer, Evidence, LayerTime, Tactic, TensorInfo
from harness.networks.graph import Graph
from tests.attribution.recorded import ALL, FAMILIES, V2_850, V2_860, V2_PIECES, engine, evidence, network

V2 = FAMILIES["mobilenet_v2"].graph()
PIECES = FAMILIES["mobilenet_v2"].graph(relu6="relu_sub")


def rows(*names: str, ms: float = 1.0) -> Evidence:
    return Evidence(times=tuple(LayerTime(place, name, average_ms=ms) for place, name in enumerate(names)))


def carried(graph: Graph | None, *names: str, aliases: dict[str, str] | None = None) -> list[tuple[str, ...]]:
    return [layer.source_ops for layer in attribute(graph, rows(*names), aliases).layers]


# recordings


@pytest.mark.parametrize("name", ALL)
def test_every_op_is_carried_once_and_no_time_is_left_over(name: str) -> None:
    found = engine(name)
    ops = Counter(op for layer in found.layers for op in layer.source_ops)
    assert ops == Counter(op.name for op in network(name).ops)
    assert found.unattributed_ms == 0.0
    assert not [layer for layer in found.layers if layer.role is LayerRole.UNKNOWN]
    printed = sum(row.median_ms or 0.0 for row in evidence(name).times)
    assert found.total_ms == pytest.approx(printed, rel=1e-12)
    ours = sum(found.time_of_op().values()) + sum(
        layer.time_ms or 0.0 for layer in found.layers if layer.role is LayerRole.REFORMAT
    )
    assert ours == pytest.approx(printed, rel=1e-9)


@pytest.mark.parametrize("name", ALL)
def test_no_kernel_of_more_than_one_per_cent_is_unknown(name: str) -> None:
    found = engine(name)
    unknown = [layer for layer in found.layers if layer.family is KernelFamily.UNKNOWN]
    assert all((layer.time_ms or 0.0) <= 0.01 * found.total_ms for layer in unknown)


@pytest.mark.parametrize("name", ALL)
def test_tensors_alone_tell_the_same_as_names(name: str) -> None:
    known = evidence(name)
    nameless = tuple(
        layer if layer.type in ("NoOp", "Reformat") else replace(layer, name=f"layer {place}")
        for place, layer in enumerate(known.layers)
    )
    found = attribute(network(name), replace(known, layers=nameless, times=()))
    assert [layer.source_ops for layer in found.layers] == [x.source_ops for x in engine(name).layers]
    assert {layer.attributed_by for layer in found.layers if layer.source_ops} == {"tensors"}


def test_relu6_in_pieces_stands_alone_and_a_fused_clip_does_not() -> None:
    assert sum(layer.standalone_activation for layer in engine(V2_PIECES).layers) == 35
    assert not any(layer.standalone_activation for layer in engine(V2_850).layers)


def test_reformats_know_their_sides() -> None:
    entry, inside = (layer for layer in engine(V2_850).layers if layer.role is LayerRole.REFORMAT)
    assert (entry.before, entry.after) == ((), ("Conv/Conv2D", "Conv/Relu6"))
    assert inside.before == ("expanded_conv_15/add",)
    assert inside.after == ("expanded_conv_16/expand/Conv2D", "expanded_conv_16/expand/Relu6")
    assert (inside.input_formats, inside.output_formats) == (("hwc fp32",), ("linear fp32",))


def test_without_a_network_classes_come_from_the_engine() -> None:
    known = engine(V2_860).time_of_class()
    blind = attribute(None, evidence(V2_860))
    assert {str(k): v for k, v in blind.time_of_class().items()} == pytest.approx(known)
    assert not any(layer.source_ops for layer in blind.layers)
    computed = sum(x.time_ms or 0.0 for x in blind.layers if x.role is LayerRole.COMPUTE)
    assert blind.unattributed_ms == pytest.approx(computed)


def test_profile_rows_alone_are_enough() -> None:
    known = engine(V2_850)
    found = attribute(network(V2_850), replace(evidence(V2_850), layers=()))
    assert [layer.source_ops for layer in found.layers] == [layer.source_ops for layer in known.layers]
    assert [layer.role for layer in found.layers] == [layer.role for layer in known.layers]


def test_engine_layers_alone_are_enough() -> None:
    found = attribute(network(V2_850), replace(evidence(V2_850), times=()))
    assert [layer.role for layer in found.layers] == [layer.role for layer in engine(V2_850).layers]
    assert found.total_ms == 0.0
    assert all(layer.time_ms is None for layer in found.layers)


# naming styles


def test_converters_scopes_and_numbering() -> None:
    assert carried(V2, "FeatureExtractor/MobilenetV2/expanded_conv_5/expand/Conv2D") == [
        ("expanded_conv_5/expand/Conv2D",)
    ]
    assert carried(V2, "expanded_conv_0/depthwise/depthwise") == [("expanded_conv/depthwise/depthwise",)]
    assert carried(V2, "scope/expanded_conv_0/project/Conv2D") == [("expanded_conv/project/Conv2D",)]
    assert carried(V2, "AvgPool", "Logits/Conv2d_1c_1x1") == [
        ("Logits/AvgPool",),
        ("Logits/Conv2d_1c_1x1/Conv2D",),
    ]
    assert carried(V2, "expanded_conv_5") == [()]


def test_pieces_of_an_op_the_graph_has_whole() -> None:
    found = attribute(V2, rows("Conv/Relu6/relu1", "Conv/Relu6/sub1 + Conv/Relu6/relu2"))
    assert [layer.source_ops for layer in found.layers] == [("Conv/Relu6",)] * 2
    assert all(layer.standalone_activation for layer in found.layers)


def test_an_alias_map_ties_foreign_names() -> None:
    aliases = {"stem": "Conv/Conv2D", r"block(\d+)/": r"expanded_conv_\1/", r"^odd\.": ""}
    assert carried(V2, "stem", "block7/expand/Conv2D", "odd.Conv/Relu6", aliases=aliases) == [
        ("Conv/Conv2D",),
        ("expanded_conv_7/expand/Conv2D",),
        ("Conv/Relu6",),
    ]
    facts = Evidence(times=rows("stem").times, facts={"aliases": {"stem": "Conv/Conv2D"}})
    assert attribute(V2, facts).layers[0].source_ops == ("Conv/Conv2D",)


def test_reformatters_of_old_versions_by_name_only() -> None:
    found = attribute(
        V2,
        rows(
            "expanded_conv_5/depthwise/depthwise input reformatter 0",
            "expanded_conv_5/depthwise/depthwise",
            "expanded_conv_5/depthwise/depthwise output reformatter 0",
        ),
    )
    before, _, after = found.layers
    assert [layer.role for layer in found.layers] == ["reformat", "compute", "reformat"]
    assert before.before == ("expanded_conv_5/expand/Relu6",)
    assert before.after == after.before == ("expanded_conv_5/depthwise/depthwise",)
    assert after.after == ("expanded_conv_5/depthwise/Relu6",)
    assert found.time_of_class() == {"reformat": 2.0, "depthwise": 1.0}


def test_a_foreign_node_holds_what_lies_between_and_nobody_else_claims() -> None:
    name = "{ForeignNode[expanded_conv_1/expand/Conv2D...expanded_conv_1/project/Conv2D]}"
    whole, alone = carried(V2, name, "expanded_conv_1/depthwise/Relu6")
    assert alone == ("expanded_conv_1/depthwise/Relu6",)
    assert whole == (
        "expanded_conv_1/expand/Conv2D",
        "expanded_conv_1/expand/Relu6",
        "expanded_conv_1/depthwise/depthwise",
        "expanded_conv_1/project/Conv2D",
    )


def test_myelin_kernels_by_name_by_order_and_by_metadata() -> None:
    names = ("Conv/Conv2D_myl0_0", "__myl_MaxMinCas_myl0_1", "expanded_conv/depthwise/depthwise_myl0_2")
    found = attribute(V2, rows(*names))
    assert found.layers[1].source_ops == ("Conv/Relu6",)
    assert found.layers[1].attributed_by == "order"
    assert found.layers[1].standalone_activation
    metadata = "[ONNX Layer: Conv/Conv2D]\x1e[ONNX Layer: Conv/Relu6]"
    told = EngineLayer(0, "__myl_ConvMaxMin_myl0_0", "kgen", attributes={"metadata": metadata})
    layer = attribute(V2, Evidence(layers=(told,))).layers[0]
    assert (layer.source_ops, layer.attributed_by) == (("Conv/Conv2D", "Conv/Relu6"), "metadata")


def test_two_kernels_for_three_ops_stay_unattributed_and_counted() -> None:
    found = attribute(
        V2,
        rows(
            "Conv/Conv2D_myl0_0", "__myl_A_myl0_1", "__myl_B_myl0_2", "expanded_conv_1/expand/Conv2D_myl0_3"
        ),
    )
    assert [bool(layer.source_ops) for layer in found.layers] == [True, False, False, True]
    assert found.unattributed_ms == 2.0


def test_unnamed_layers_by_their_number() -> None:
    # Definition order of the pieces: convolution 0, relu1 1, constant 2, sub1 3, relu2 4, difference 5.
    found = attribute(
        PIECES,
        rows(
            "(Unnamed Layer* 0) [Convolution]",
            "(Unnamed Layer* 1) [Activation]",
            "PWN((Unnamed Layer* 2) [Constant] + (Unnamed Layer* 3) [ElementWise])",
        ),
    )
    assert [layer.source_ops for layer in found.layers] == [
        ("Conv/Conv2D",),
        ("Conv/Relu6/relu1",),
        ("Conv/Relu6/sub1",),
    ]


def test_unnamed_layers_of_a_converter_that_shifts_with_a_scale() -> None:
    names = (
        "(Unnamed Layer* 2) [Scale]",
        "(Unnamed Layer* 4) [ElementWise]",
        "(Unnamed Layer* 5) [Convolution]",
    )
    assert carried(PIECES, *names) == [
        ("Conv/Relu6/sub1",),
        ("Conv/Relu6",),
        ("expanded_conv/depthwise/depthwise",),
    ]


def test_numbers_that_fit_no_order_are_left_alone() -> None:
    assert carried(V2, "(Unnamed Layer* 0) [Pooling]", "Conv/Conv2D") == [(), ("Conv/Conv2D",)]


def test_quantised_pairs() -> None:
    fused, step = attribute(
        V2, rows("w + QuantizeLinear_8 + Conv/Conv2D + PWN(Conv/Relu6)", "QuantizeLinear_2")
    ).layers
    assert fused.source_ops == ("Conv/Conv2D", "Conv/Relu6")
    assert (step.op_class, step.role, step.source_ops) == ("quantize", "compute", ())
    origin = EngineLayer(
        0, "Reformatting CopyNode for Input Tensor 0 to Conv/Conv2D", "Reformat", attributes={"origin": "QDQ"}
    )
    assert attribute(V2, Evidence(layers=(origin,))).layers[0].op_class == "quantize"


def test_names_cut_at_forty_columns() -> None:
    names = ["expanded_conv_10/expand/Conv2D + expanded_conv_10/expand/Relu6"[:40]]
    assert carried(V2, *names) == [("expanded_conv_10/expand/Conv2D",)]
    whole = "expanded_conv_10/depthwise/depthwise + x"
    assert len(whole) == 40
    full = "expanded_conv_10/expand/Conv2D + expanded_conv_10/expand/Relu6"
    layers = (EngineLayer(0, full, "CaskConvolution"), EngineLayer(1, full + " again", "CaskConvolution"))
    cut = tuple(LayerTime(place, full[:40], average_ms=place + 1.0) for place in range(2))
    found = attribute(V2, Evidence(layers=layers, times=cut))
    assert [layer.time_ms for layer in found.layers] == [1.0, 2.0]


# what runs and what does not


def test_rows_left_out_of_a_whole_profile_did_not_run() -> None:
    reformat = EngineLayer(0, "Reformatting CopyNode for Input Tensor 0 to Conv/Conv2D", "Reformat")
    conv = EngineLayer(1, "Conv/Conv2D", "CaskConvolution")
    times = (LayerTime(0, "Conv/Conv2D", average_ms=1.0),)
    assert attribute(V2, Evidence((reformat, conv), times)).layers[0].role is LayerRole.NO_OP
    assert attribute(V2, Evidence((reformat, conv), times, partial=True)).layers[0].role is LayerRole.REFORMAT
    assert attribute(V2, Evidence((reformat, conv))).layers[0].role is LayerRole.REFORMAT


def test_rows_without_an_engine_layer_keep_their_time_and_place() -> None:
    conv = EngineLayer(0, "Conv/Conv2D", "CaskConvolution")
    times = tuple(
        LayerTime(i, name, average_ms=1.0) for i, name in enumerate(("first", "Conv/Conv2D", "extra"))
    )
    found = attribute(V2, Evidence((conv,), times))
    assert [layer.name for layer in found.layers] == ["first", "Conv/Conv2D", "extra"]
    assert found.total_ms == 3.0
    assert found.unattributed_ms == 2.0


def test_layers_of_one_name_are_kept_apart() -> None:
    names = ("Conv/Conv2D", "Conv/Conv2D")
    layers = tuple(EngineLayer(place, name) for place, name in enumerate(names))
    times = tuple(LayerTime(place, name, average_ms=place + 1.0) for place, name in enumerate(names))
    extra = EngineLayer(2, "Reformatting CopyNode for Output Tensor 0 to Conv/Conv2D", "NoOp")
    found = attribute(V2, Evidence((*layers, extra), times))
    assert [layer.time_ms for layer in found.layers] == [1.0, 2.0, None]


def test_kernels_are_looked_up_by_tactic_id_in_the_whole_log() -> None:
    kernel = "sm80_xmma_gemm_f32f32_f32f32_f32_tn_n"
    layer = EngineLayer(0, "Conv_1/Conv2D", "CaskGemmConvolution", "0x0000000000020582")
    timed = Tactic(
        "Logits/x", "CaskGemmConvolution[0x8000002e]", None, "0x20582", "0x0000000000020582", kernel, 1.0
    )
    found = attribute(V2, Evidence((layer,), tactics=(timed,))).layers[0]
    assert (found.kernel, found.family) == (kernel, KernelFamily.GEMM)


def test_a_copy_that_replaces_a_concatenation() -> None:
    from harness.networks.graph import OpKind, SourceOp

    ops = tuple(SourceOp(n, OpKind.RELU, ("x",), n) for n in ("a", "b"))
    graph = Graph(
        "join",
        "clip",
        1,
        ("x",),
        ("c",),
        (*ops, SourceOp("c", OpKind.CONCAT, ("a", "b"), "c")),
        {"x": (1, 2, 4, 4), "a": (1, 2, 4, 4), "b": (1, 2, 4, 4), "c": (1, 4, 4, 4)},
        {},
    )
    assert carried(graph, "a", "a copy", "b", "b copy") == [("a",), ("c",), ("b",), ("c",)]


def test_engine_with_several_engines_is_joined_engine_by_engine() -> None:
    layers = tuple(EngineLayer(0, "Conv/Conv2D", engine=engine) for engine in range(2))
    times = tuple(LayerTime(0, "Conv/Conv2D", average_ms=engine + 1.0, engine=engine) for engine in range(2))
    assert [layer.time_ms for layer in attribute(V2, Evidence(layers, times)).layers] == [1.0, 2.0]


def test_tensors_that_do_not_fit_attribute_nothing() -> None:
    odd = EngineLayer(
        0, "mystery", "kgen", inputs=(TensorInfo("Conv_1/Relu6"),), outputs=(TensorInfo("Conv/Relu6"),)
    )
    found: AttributedEngine = attribute(V2, Evidence((odd,)))
    assert found.layers[0].source_ops == ()
