"""MobileNet v1 and v2: names, padding, shapes, weights and digests."""

from __future__ import annotations

import numpy as np
import pytest

from harness.errors import UsageError
from harness.networks.calibrate import factors
from harness.networks.digest import digest
from harness.networks.graph import Graph, OpClass, OpKind, op_class
from harness.networks.mobilenet import MobileNetV1, MobileNetV2, scaled_filters
from harness.networks.weights import calibration
from harness.plugins import registry
from tests.networks.shares import shares_above_6


@pytest.fixture(scope="module")
def v1() -> Graph:
    return MobileNetV1().graph()


@pytest.fixture(scope="module")
def v2() -> Graph:
    return MobileNetV2().graph()


def classes(graph: Graph) -> dict[OpClass, int]:
    found: dict[OpClass, int] = {}
    for op in graph.ops:
        found[op_class(op)] = found.get(op_class(op), 0) + 1
    return found


def test_registered() -> None:
    assert {"mobilenet_v1", "mobilenet_v2"} <= set(registry.networks())
    assert registry.networks()["mobilenet_v2"].graph().name == "mobilenet_v2"


def test_v2_classes_of_ops(v2: Graph) -> None:
    found = classes(v2)
    assert found[OpClass.POINTWISE] == 35
    assert found[OpClass.DEPTHWISE] == 17
    assert found[OpClass.CONVOLUTION] == 1
    assert found[OpClass.ELEMENTWISE] == 10
    assert found[OpClass.ACTIVATION] == 35


def test_v1_classes_of_ops(v1: Graph) -> None:
    found = classes(v1)
    assert found[OpClass.POINTWISE] == 14
    assert found[OpClass.DEPTHWISE] == 13
    assert found[OpClass.ACTIVATION] == 27


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("Conv/Conv2D", OpKind.CONV),
        ("Conv/Relu6", OpKind.CLIP),
        ("expanded_conv/depthwise/depthwise", OpKind.CONV),
        ("expanded_conv_5/expand/Conv2D", OpKind.CONV),
        ("expanded_conv_5/expand/Relu6", OpKind.CLIP),
        ("expanded_conv_5/project/Conv2D", OpKind.CONV),
        ("expanded_conv_5/add", OpKind.ADD),
        ("Conv_1/Conv2D", OpKind.CONV),
        ("Logits/AvgPool", OpKind.GLOBAL_AVERAGE_POOL),
        ("Logits/Conv2d_1c_1x1/Conv2D", OpKind.CONV),
    ],
)
def test_v2_names(v2: Graph, name: str, kind: OpKind) -> None:
    assert v2.op(name).kind is kind


def test_v2_first_block_does_not_expand(v2: Graph) -> None:
    with pytest.raises(KeyError):
        v2.op("expanded_conv/expand/Conv2D")
    assert v2.op("expanded_conv/depthwise/depthwise").inputs == ("Conv/Relu6",)


def test_v1_names(v1: Graph) -> None:
    assert [op.name for op in v1.ops[:6]] == [
        "Conv2d_0/Conv2D",
        "Conv2d_0/Relu6",
        "Conv2d_1_depthwise/depthwise",
        "Conv2d_1_depthwise/Relu6",
        "Conv2d_1_pointwise/Conv2D",
        "Conv2d_1_pointwise/Relu6",
    ]
    assert v1.ops[-1].name == "Logits/Conv2d_1c_1x1/Conv2D"


def test_same_padding_puts_the_odd_element_after(v2: Graph) -> None:
    assert v2.op("Conv/Conv2D").attributes["pads"] == [0, 0, 1, 1]
    assert v2.op("expanded_conv_1/depthwise/depthwise").attributes["pads"] == [0, 0, 1, 1]
    assert v2.op("expanded_conv/depthwise/depthwise").attributes["pads"] == [1, 1, 1, 1]
    assert v2.op("expanded_conv_5/expand/Conv2D").attributes["pads"] == [0, 0, 0, 0]


def test_shapes(v1: Graph, v2: Graph) -> None:
    for graph, features in ((v1, "Conv2d_13_pointwise/Relu6"), (v2, "Conv_1/Relu6")):
        assert graph.shapes["input"] == (1, 3, 224, 224)
        assert graph.outputs == ("logits",)
        assert graph.shapes["logits"] == (1, 1001, 1, 1)
        assert graph.shapes[features][2:] == (7, 7)
    assert v2.shapes["expanded_conv_5/depthwise/depthwise"] == (1, 192, 28, 28)


def test_tensors_are_called_like_their_ops(v2: Graph) -> None:
    assert [op.output for op in v2.ops[:-1]] == [op.name for op in v2.ops[:-1]]


def test_relu6_in_pieces(v2: Graph) -> None:
    graph = MobileNetV2().graph(relu6="relu_sub")
    assert len(graph.ops) == len(v2.ops) + 3 * 35
    name = "expanded_conv_5/expand/Relu6"
    parts = [graph.op(f"{name}/{part}") for part in ("relu1", "sub1", "relu2")]
    assert [part.kind for part in parts] == [OpKind.RELU, OpKind.SHIFT, OpKind.RELU]
    assert parts[1].attributes["value"] == -6.0
    assert graph.op(name).kind is OpKind.SUB
    assert graph.op(name).inputs == (parts[0].output, parts[2].output)
    assert graph.op("expanded_conv_5/depthwise/depthwise").inputs == (name,)


def test_weights_are_the_same_whatever_batch_and_form(v2: Graph) -> None:
    other = MobileNetV2().graph(batch=3, relu6="relu_sub")
    assert set(other.weights) == set(v2.weights)
    assert all(np.array_equal(other.weights[key], v2.weights[key]) for key in v2.weights)


def test_digest_leaves_the_batch_out_and_nothing_else(v2: Graph) -> None:
    assert MobileNetV2().graph(batch=8).digest == v2.digest
    assert MobileNetV2().graph(relu6="relu_sub").digest != v2.digest
    key = "expanded_conv_5/expand/Conv2D/kernel"
    changed = dict(v2.weights)
    changed[key] = np.nextafter(v2.weights[key], np.float32(np.inf))
    assert digest(Graph(**{**_fields(v2), "weights": changed})) != v2.digest
    assert digest(Graph(**{**_fields(v2), "ops": v2.ops[:-1]})) != v2.digest


def _fields(graph: Graph) -> dict[str, object]:
    names = ("name", "relu6", "batch", "inputs", "outputs", "ops", "shapes", "weights", "digest")
    return {name: getattr(graph, name) for name in names}


def test_digests_are_the_same_on_every_machine(v1: Graph, v2: Graph) -> None:
    """A change here renames the networks of all stored runs: it must be meant."""
    assert v1.digest == "sha256:772a18b5a78b404591cce50126bba0b9d12f5a1d29fc6147bf91dd664709dbd6"
    assert v2.digest == "sha256:55d1f1b36e77e57248f56dd2dd62762de4f9128995ef8c5445dbd0b72ab24cb2"


def test_a_tenth_of_the_activations_passes_6(v1: Graph, v2: Graph) -> None:
    for graph in (v1, v2):
        shares = shares_above_6(graph)
        assert len(shares) == classes(graph)[OpClass.ACTIVATION]
        assert all(0.05 < share < 0.12 for share in shares.values())


def test_stored_factors_are_those_of_the_networks() -> None:
    """The first factors, measured anew: those of later layers follow from them."""
    small = MobileNetV1(calibrated=False).graph(batch=2)
    measured = factors(small)
    stored = calibration()["mobilenet_v1"]
    assert set(measured) == set(stored)
    assert all(abs(measured[op] / stored[op] - 1) < 0.01 for op in stored)


def test_every_bias_is_nonzero_somewhere(v2: Graph) -> None:
    assert all(np.any(v2.weights[key] != 0) for key in v2.weights if key.endswith("/bias"))


@pytest.mark.parametrize(("filters", "expected"), [(32, 16), (24, 16), (16, 8), (96, 48)])
def test_filters_scale_to_multiples_of_8(filters: int, expected: int) -> None:
    assert scaled_filters(filters, 0.5) == expected


def test_unknown_form_and_batch_are_refused() -> None:
    with pytest.raises(UsageError, match="no ReLU6 form 'relu7'; use one of clip, relu_sub"):
        MobileNetV2().graph(relu6="relu7")
    with pytest.raises(UsageError, match="batch of 0"):
        MobileNetV1().graph(batch=0)
