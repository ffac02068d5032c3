"""Attribution in a fused graph: what nobody names went into what reads it; reformats and neighbours."""

from __future__ import annotations

import pytest

from harness.attribution.engine import KernelFamily, LayerRole
from harness.attribution.fused import Claim, assemble, spread
from harness.evidence.records import EngineLayer, Evidence, LayerTime, TensorInfo
from tests.worker.worker_jobs import small_network

COMPUTE, REFORMAT = LayerRole.COMPUTE, LayerRole.REFORMAT


def claim(*ops: str) -> Claim:
    """Return a claim on *ops*."""
    return Claim(COMPUTE, KernelFamily.DIRECT, ops, "name")


def test_an_op_without_a_layer_ran_in_its_reader() -> None:
    graph = small_network("relu_sub")
    ends = ["Conv/Relu6", "block/expand/Relu6", "block/depthwise/Relu6", "block/add", "Logits/AvgPool"]
    claims = spread(graph, [claim(name) for name in [*ends, "Logits/Conv2d_1c_1x1/Conv2D"]])
    assert claims[0].ops == (
        "Conv/Conv2D",
        "Conv/Relu6/relu1",
        "Conv/Relu6/sub1",
        "Conv/Relu6/relu2",
        "Conv/Relu6",
    )
    assert claims[3].ops == ("block/project/Conv2D", "block/add")
    assert {name for found in claims for name in found.ops} == {op.name for op in graph.ops}


def test_the_last_op_without_a_layer_ran_in_its_producer() -> None:
    graph = small_network()
    named = [op.name for op in graph.ops if op.name != "Logits/Conv2d_1c_1x1/Conv2D"]
    claims = spread(graph, [claim(name) for name in named])
    assert claims[-1].ops == ("Logits/AvgPool", "Logits/Conv2d_1c_1x1/Conv2D")


def test_where_a_layer_is_a_riddle_only_light_ops_are_given_away() -> None:
    riddle = Claim(LayerRole.UNKNOWN, KernelFamily.UNKNOWN)
    claims = spread(small_network("relu_sub"), [claim("Conv/Relu6"), riddle, claim("block/add")])
    # Neither convolution: one of the two ran in the layer that nobody knows.
    assert claims[0].ops == ("Conv/Relu6/relu1", "Conv/Relu6/sub1", "Conv/Relu6/relu2", "Conv/Relu6")
    assert claims[1].ops == ()
    assert claims[2].ops == ("block/add",)


def test_nothing_is_spread_where_nothing_is_known() -> None:
    unknown = Claim(LayerRole.UNKNOWN, KernelFamily.UNKNOWN)
    assert spread(small_network(), [unknown]) == [unknown]


def layer(position: int, kind: str, reads: str, writes: str) -> EngineLayer:
    """Return a layer between two tensors."""
    return EngineLayer(
        position, f"{kind} {position}", kind, inputs=(TensorInfo(reads),), outputs=(TensorInfo(writes),)
    )


def test_reformats_see_through_each_other_and_unattributed_time_is_kept() -> None:
    graph = small_network()
    layers = (
        layer(0, "Conv/Relu6", "input", "a"),
        layer(1, "reformat", "a", "b"),
        layer(2, "reformat", "b", "c"),
        layer(3, "mystery", "c", "d"),
        layer(4, "block/expand/Relu6", "d", "e"),
    )
    times = tuple(LayerTime(x.position, x.name, median_ms=2.0**x.position) for x in layers)

    def claims(x: EngineLayer) -> Claim:
        if x.type == "reformat":
            return Claim(REFORMAT, KernelFamily.REFORMAT)
        if x.type == "mystery":
            return Claim(LayerRole.UNKNOWN, KernelFamily.UNKNOWN)
        return claim(str(x.type))

    found = assemble(graph, Evidence(layers=layers, times=times), claims)
    first, second = found.layers[1:3]
    assert first.before == second.before == ("Conv/Relu6",)
    assert first.after == second.after == ()  # what reads it carries nothing that is known
    assert found.total_ms == 31.0
    assert found.unattributed_ms == 8.0
    assert [x.op_class for x in found.layers[:4]] == ["activation", "reformat", "reformat", "unknown"]


def test_a_layer_without_a_profile_row_has_no_time() -> None:
    carried = claim("Conv/Conv2D", "Conv/Relu6")
    rest = claim(*(op.name for op in small_network().ops[2:]))
    layers = (layer(0, "x", "a", "b"), layer(1, "y", "b", "c"))
    found = assemble(small_network(), Evidence(layers=layers), lambda x: (carried, rest)[x.position])
    assert found.layers[0].time_ms is None
    assert found.layers[0].op_class == "convolution"
    assert not found.layers[0].standalone_activation
    assert found.layers[0].shares["Conv/Conv2D"] == pytest.approx(54 / 55)  # 2 x 3 x 3 x 3 to 1


def test_an_activation_on_its_own_is_marked() -> None:
    graph = small_network()
    named = [op.name for op in graph.ops]
    layers = tuple(layer(at, name, f"t{at}", f"t{at + 1}") for at, name in enumerate(named))
    found = assemble(graph, Evidence(layers=layers), lambda x: claim(str(x.type)))
    alone = [x.type for x in found.layers if x.standalone_activation]
    assert alone == ["Conv/Relu6", "block/expand/Relu6", "block/depthwise/Relu6"]
