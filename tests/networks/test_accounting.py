"""Parameters, FLOPs and bytes: single ops by hand, totals against the papers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.networks.accounting import op_costs, total, totals_by_class
from harness.networks.graph import Graph, OpClass, OpKind
from harness.networks.mobilenet import MobileNetV1, MobileNetV2


@pytest.fixture(scope="module")
def v2() -> Graph:
    return MobileNetV2().graph()


@pytest.mark.parametrize(
    ("family", "parameters", "multiply_adds"),
    [(MobileNetV1(), 4.2e6, 569e6), (MobileNetV2(), 3.5e6, 300e6)],
)
def test_totals_agree_with_the_papers(
    family: MobileNetV1 | MobileNetV2, parameters: float, multiply_adds: float
) -> None:
    found = total(op_costs(family.graph()).values())
    assert found.parameters == pytest.approx(parameters, rel=0.02)
    assert found.multiply_adds == pytest.approx(multiply_adds, rel=0.02)
    assert found.unknown == 0


def test_pointwise(v2: Graph) -> None:
    cost = op_costs(v2)["expanded_conv_5/expand/Conv2D"]
    assert cost.op_class is OpClass.POINTWISE
    assert cost.output_shape == (1, 192, 28, 28)
    assert cost.parameters == 192 * 32 + 192
    assert cost.multiply_adds == 192 * 28 * 28 * 32
    assert cost.flops == 2 * cost.multiply_adds
    assert cost.bytes_read == 4 * (32 * 28 * 28 + 192 * 32 + 192)
    assert cost.bytes_written == 4 * 192 * 28 * 28


def test_depthwise_with_stride(v2: Graph) -> None:
    cost = op_costs(v2)["expanded_conv_1/depthwise/depthwise"]
    assert cost.op_class is OpClass.DEPTHWISE
    assert cost.multiply_adds == 96 * 56 * 56 * 9
    assert cost.bytes_read == 4 * (96 * 112 * 112 + 96 * 9 + 96)


def test_elementwise_and_pool(v2: Graph) -> None:
    costs = op_costs(v2)
    assert costs["expanded_conv_5/add"].flops == 32 * 28 * 28
    assert costs["expanded_conv_5/add"].bytes_read == 2 * 4 * 32 * 28 * 28
    assert costs["Conv/Relu6"].flops == 32 * 112 * 112
    assert costs["Logits/AvgPool"].flops == 1280 * 7 * 7


def test_half_the_element_half_the_bytes(v2: Graph) -> None:
    wide, narrow = total(op_costs(v2).values()), total(op_costs(v2, 2).values())
    assert narrow.flops == wide.flops
    assert 2 * narrow.bytes_read == wide.bytes_read


def test_batch_multiplies_arithmetic_but_not_weights(v2: Graph) -> None:
    one, eight = total(op_costs(v2).values()), total(op_costs(MobileNetV2().graph(batch=8)).values())
    assert eight.flops == 8 * one.flops
    assert eight.parameters == one.parameters
    assert eight.bytes_written == 8 * one.bytes_written


def test_relu6_in_pieces_costs_four_times(v2: Graph) -> None:
    clip = totals_by_class(op_costs(v2).values())[OpClass.ACTIVATION]
    pieces = totals_by_class(op_costs(MobileNetV2().graph(relu6="relu_sub")).values())[OpClass.ACTIVATION]
    assert pieces.flops == 4 * clip.flops
    assert pieces.bytes_written == 4 * clip.bytes_written


def test_classes_add_up(v2: Graph) -> None:
    costs = op_costs(v2)
    by_class = totals_by_class(costs.values())
    assert sum(row.flops for row in by_class.values()) == total(costs.values()).flops
    assert sum(row.ops for row in by_class.values()) == len(v2.ops)
    share = by_class[OpClass.DEPTHWISE].flops / total(costs.values()).flops
    assert 0.05 < share < 0.08


def test_foreign_op_is_counted_as_unknown(v2: Graph) -> None:
    foreign = replace(v2.op("Conv/Relu6"), kind=OpKind.OTHER)
    found = total(op_costs(replace(v2, ops=(foreign,))).values())
    assert (found.unknown, found.flops) == (1, 0)
