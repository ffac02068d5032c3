"""The counts of the recordings, with and without the network."""

from __future__ import annotations

import pytest

from harness.attribution.adoption import adoption, pointwise_kernels
from harness.attribution.attribute import attribute
from tests.attribution.recorded import V1_FP16, V2_850, V2_860, V2_8517, V2_PIECES, engine, evidence
from tests.attribution.recorded_rows import eleven_rows

COUNTS = [(V2_8517, 1, 35), (V2_850, 1, 35), (V2_PIECES, 1, 35), (V2_860, 35, 35), (V1_FP16, 1, 14)]


@pytest.mark.parametrize(("name", "gemm", "total"), COUNTS)
def test_one_by_one_convolutions_on_a_gemm_kernel(name: str, gemm: int, total: int) -> None:
    blind = attribute(None, evidence(name))
    for found in (pointwise_kernels(engine(name)), pointwise_kernels(blind)):
        assert (found.on_any_gemm, found.total) == (gemm, total)
        assert found.on_gemm_as_conv1x1 == 0
        assert found.unknown == 0


@pytest.mark.parametrize(
    ("name", "executed", "no_ops", "boundary"),
    [(V2_850, 2, 32, 1), (V2_860, 1, 35, 0), (V2_PIECES, 2, 32, 1), (V1_FP16, 2, 0, 2)],
)
def test_reformats_that_run_and_those_that_do_not(
    name: str, executed: int, no_ops: int, boundary: int
) -> None:
    found = adoption(engine(name)).reformats
    assert (found.executed, found.no_ops, found.boundary) == (executed, no_ops, boundary)
    assert found.interior == executed - boundary
    assert sum(count for count, _ in found.transitions.values()) == executed
    assert sum(ms for _, ms in found.transitions.values()) == pytest.approx(found.time_ms)


def test_layout_transitions() -> None:
    found = adoption(engine(V1_FP16)).reformats.transitions
    assert set(found) == {("linear fp32", "hwc4 fp16"), ("hwc8 fp16", "linear fp32")}


@pytest.mark.parametrize("name", [V2_8517, V2_850, V2_860])
def test_depthwise_takes_far_more_of_the_time_than_of_the_arithmetic(name: str) -> None:
    found = adoption(engine(name))
    assert found.depthwise_time_share is not None
    assert 0.19 < found.depthwise_time_share < 0.26
    assert found.depthwise_flop_share == pytest.approx(0.07, abs=0.005)


def test_activations_on_their_own() -> None:
    pieces, whole = adoption(engine(V2_PIECES)), adoption(engine(V2_850))
    assert (pieces.activations, whole.activations) == (35, 0)
    assert 0.1 < pieces.activations_ms < 0.2


def test_a_partial_profile_has_counts_and_no_shares() -> None:
    found = adoption(attribute(None, eleven_rows()))
    assert (found.depthwise_time_share, found.depthwise_flop_share) == (None, None)
    assert (found.activations, found.reformats.executed) == (6, 2)
    assert found.pointwise.unknown == found.pointwise.total == 2
    assert found.as_json()["on_any_gemm"] == 0
