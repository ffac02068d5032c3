"""Two engines side by side."""

from __future__ import annotations

import pytest

from harness.analysis.side_by_side import ComparedOp, OpSide, side_by_side
from harness.attribution.attribute import attribute
from harness.attribution.engine import AttributedEngine, AttributedLayer, KernelFamily, LayerRole
from tests.attribution.recorded import V2_850, V2_860, V2_PIECES, engine, evidence, network
from tests.attribution.recorded_rows import eleven_rows


@pytest.mark.parametrize(("first", "second"), [(V2_850, V2_860), (V2_850, V2_PIECES)])
def test_the_sums_are_those_of_the_engines(first: str, second: str) -> None:
    found = side_by_side(engine(first), engine(second))
    for ours, name in zip(found.sums(), (first, second), strict=True):
        printed = sum(row.median_ms or 0.0 for row in evidence(name).times)
        assert ours == pytest.approx(printed, rel=1e-9)


def test_every_op_has_the_kernel_of_both() -> None:
    found = side_by_side(engine(V2_850), engine(V2_860))
    assert [row.op for row in found.ops] == [op.name for op in network(V2_850).ops]
    row = next(row for row in found.ops if row.op == "expanded_conv_8/expand/Conv2D")
    assert row.first is not None
    assert row.second is not None
    assert (row.first.family, row.second.family) == (KernelFamily.IMPLICIT_GEMM, KernelFamily.GEMM)
    assert row.first.fused_with == ("expanded_conv_8/expand/Relu6",)
    kernels = [{layer.name: layer.kernel for layer in engine(name).layers} for name in (V2_850, V2_860)]
    assert (row.first.kernel, row.second.kernel) == (
        kernels[0][row.first.layer],
        kernels[1][row.second.layer],
    )
    assert row.first.kernel
    assert row.difference_ms is not None
    assert row.difference_ms < 0
    assert [kind for kind, _, _ in found.rest] == ["reformat"]


def test_ops_of_one_form_only_stand_beside_their_neighbours() -> None:
    found = side_by_side(engine(V2_850), engine(V2_PIECES))
    names = [row.op for row in found.ops]
    start = names.index("Conv/Relu6")
    assert set(names[start - 3 : start + 1]) == {
        "Conv/Relu6",
        "Conv/Relu6/relu1",
        "Conv/Relu6/sub1",
        "Conv/Relu6/relu2",
    }
    alone = next(row for row in found.ops if row.op == "Conv/Relu6/sub1")
    assert (alone.first, alone.difference_ms) == (None, None)


def test_engines_without_a_network_have_only_a_rest() -> None:
    found = side_by_side(attribute(None, eleven_rows()), engine(V2_850))
    kinds = {kind: (first, second) for kind, first, second in found.rest}
    assert kinds["reformat"][0] == pytest.approx(0.255)
    assert kinds["unattributed"] == (pytest.approx(0.829), 0.0)
    assert all(row.first is None for row in found.ops)
    assert found.sums()[0] == pytest.approx(1.084)


def layer(position: int, role: LayerRole, op_class: str, ms: float | None) -> AttributedLayer:
    """A layer that carries no op."""
    family = KernelFamily.UNKNOWN
    return AttributedLayer(position, f"layer {position}", None, None, None, family, role, op_class, ms)


def test_time_of_no_op_is_added_up_by_what_it_is() -> None:
    compute, reformat = LayerRole.COMPUTE, LayerRole.REFORMAT
    layers = [
        layer(0, compute, "quantize", 0.5),
        layer(1, reformat, "reformat", 0.25),
        layer(2, compute, "quantize", 0.125),
        layer(3, compute, "unknown", 2.0),
        layer(4, LayerRole.UNKNOWN, "unknown", 1.0),
        layer(5, reformat, "reformat", 4.0),
        layer(6, reformat, "reformat", None),
    ]
    quantized = AttributedEngine(tuple(layers), None, 7.875, 3.0)
    plain = AttributedEngine((layer(0, compute, "unknown", 1.5),), None, 1.5, 1.5)
    found = side_by_side(quantized, plain)
    assert {kind: times for kind, *times in found.rest} == {
        "quantize": [0.625, 0.0],
        "reformat": [4.25, 0.0],
        "unattributed": [3.0, 1.5],
    }
    assert found.sums() == found.totals == (7.875, 1.5)


@pytest.mark.parametrize(
    ("old", "new", "said"), [(0.5, 0.75, 0.25), (None, 0.75, None), (0.5, None, None), (None, None, None)]
)
def test_a_difference_needs_a_time_on_both_sides(
    old: float | None, new: float | None, said: float | None
) -> None:
    first, second = (OpSide(ms, "layer", None, None, KernelFamily.GEMM, ()) for ms in (old, new))
    assert ComparedOp("op", first, second).difference_ms == said
    assert ComparedOp("op", None, second).difference_ms is None
    assert ComparedOp("op", first, None).difference_ms is None
