"""Names and times of the layers that carry a cost."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.analysis.rules.carriers import (
    carrier_name,
    carrier_times,
    cost_of,
    families_of,
    tells_classes,
    timed_engine,
)
from harness.attribution.engine import AttributedEngine, AttributedLayer, KernelFamily, LayerRole


def layer(name: str, time_ms: float | None, **more: Any) -> AttributedLayer:
    family, role = more.pop("family", KernelFamily.UNKNOWN), more.pop("role", LayerRole.COMPUTE)
    return AttributedLayer(0, name, None, None, None, family, role, "convolution", time_ms, **more)


def engine(*layers: AttributedLayer, partial: bool = False, unattributed: float = 0.0) -> AttributedEngine:
    total = sum(x.time_ms or 0.0 for x in layers)
    return AttributedEngine(layers, None, total, unattributed, partial)


def test_a_fused_layer_is_named_after_the_op_that_carries_most_of_it() -> None:
    shares = {"expand": 0.2, "project": 0.7, "add": 0.1}
    assert carrier_name(layer("a + b", 1.0, source_ops=tuple(shares), shares=shares)) == "project"
    assert carrier_name(layer("a + b", 1.0, source_ops=("expand", "project"))) == "expand"
    assert carrier_name(layer("{ForeignNode}", 1.0)) == "{ForeignNode}"


def test_layers_of_one_name_are_added_and_those_without_a_time_are_left_out() -> None:
    rows = [
        layer("x", 0.25, source_ops=("conv",)),
        layer("y", 0.5, source_ops=("conv",)),
        layer("z", None),
    ]
    assert carrier_times(rows) == {"conv": 0.75}


def test_the_heaviest_carrier_comes_first_and_equal_ones_by_name() -> None:
    rows = [layer("b", 0.25), layer("c", 0.5), layer("a", 0.25)]
    cost = cost_of(engine(*rows), rows, {"seen": 1}, note="said")
    assert [name for name, _ in cost.layers] == ["c", "a", "b"]
    assert (cost.milliseconds, cost.share) == (1.0, 1.0)
    assert (cost.evidence, cost.note) == ({"seen": 1}, "said")


def test_a_cost_is_what_lies_above_the_bound() -> None:
    carrying, other = layer("a", 0.75), layer("b", 0.25)
    made = engine(carrying, other)
    above = cost_of(made, [carrying], {}, bound_ms=0.5)
    assert (above.milliseconds, above.share) == (0.25, 0.25)
    assert above.layers == (("a", 0.75),)
    assert cost_of(made, [carrying], {}, bound_ms=0.5).note == ""


@given(
    times=st.lists(st.floats(0.001, 10.0), min_size=1, max_size=8),
    bound=st.floats(0.0, 100.0),
    partial=st.booleans(),
)
def test_a_cost_is_never_below_nothing_nor_above_the_time_of_its_layers(
    times: list[float], bound: float, partial: bool
) -> None:
    rows = [layer(f"l{i}", ms) for i, ms in enumerate(times)]
    cost = cost_of(engine(*rows, partial=partial), rows, {}, bound_ms=bound)
    assert 0.0 <= cost.milliseconds <= sum(times)
    assert (cost.share is None) is partial
    assert sum(ms for _, ms in cost.layers) == pytest.approx(sum(times))


def test_families_are_counted_in_the_order_of_their_names() -> None:
    families = (KernelFamily.GEMM, KernelFamily.DEPTHWISE, KernelFamily.GEMM)
    counted = families_of(layer(str(i), 1.0, family=family) for i, family in enumerate(families))
    assert list(counted.items()) == [("depthwise", 1), ("gemm", 2)]


def test_classes_are_told_up_to_a_fifth_of_unattributed_time() -> None:
    rows = (layer("a", 0.5), layer("b", 0.5))
    assert tells_classes(engine(*rows, unattributed=0.2))
    assert not tells_classes(engine(*rows, unattributed=0.21))


def test_an_engine_without_layer_times_is_none(compose: Any) -> None:
    timed = engine(layer("a", 0.5))
    assert timed_engine(replace(compose.build(0, 1.0), engine=timed)) is timed
    assert timed_engine(replace(compose.build(0, 1.0), engine=engine(layer("a", None)))) is None
    assert timed_engine(compose.build(0, 1.0)) is None


def test_times_are_added_by_name_and_a_reformat_is_named_as_one_whatever_it_carries() -> None:
    moved = layer(
        "moved", 0.25, role=LayerRole.REFORMAT, before=("x", "a"), after=("b", "y"), shares={"op": 1.0}
    )
    rows = [layer("a", 0.5), layer("a", 0.125), moved, layer("untimed", None)]
    assert carrier_times(rows) == {"a": 0.625, "reformat a -> b": 0.25}
    assert carrier_name(moved) == "reformat a -> b"
    assert carrier_name(replace(moved, before=())) == "reformat network input -> b"
    assert carrier_name(replace(moved, after=())) == "reformat a -> network output"
    assert carrier_name(replace(moved, before=(), after=())) == "moved"


def test_a_layer_of_several_ops_is_called_after_the_one_that_carries_most() -> None:
    assert carrier_name(layer("fused", 1.0, shares={"a": 0.25, "b": 0.75})) == "b"
    assert carrier_name(layer("own", 1.0, shares={}, source_ops=("x", "y"))) == "x"
    assert carrier_name(layer("own", 1.0, shares={}, source_ops=())) == "own"
