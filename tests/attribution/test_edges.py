"""Reformats at the edge of the network, told without a network."""

from __future__ import annotations

import pytest

from harness.attribution.adoption import reformats
from harness.attribution.attribute import attribute
from harness.attribution.layouts import layout_of
from harness.evidence.records import Evidence, LayerTime, TensorInfo
from tests.attribution.recorded import V1_FP16, V2_850, V2_860, evidence


@pytest.mark.parametrize(("name", "boundary", "interior"), [(V2_850, 1, 1), (V2_860, 0, 1), (V1_FP16, 2, 0)])
def test_tensors_tell_the_edge_without_a_network(name: str, boundary: int, interior: int) -> None:
    found = reformats(attribute(None, evidence(name)))
    assert (found.boundary, found.interior) == (boundary, interior)


def test_a_name_that_says_network_input_tells_the_edge() -> None:
    rows = (LayerTime(0, "Reformatting CopyNode for Network Input image", average_ms=1.0),)
    assert reformats(attribute(None, Evidence(times=rows))).boundary == 1


@pytest.mark.parametrize(
    ("printed", "layout"),
    [
        ("Row major linear FP32", "linear fp32"),
        ("Channel major FP32 format", "hwc fp32"),
        ("Channel major FP16 format where channel % 8 == 0", "hwc8 fp16"),
        ("Four wide channel vectorized row major Int8 format", "chw4 int8"),
        ("Thirty-two wide channel vectorized row major Int8 format", "chw32 int8"),
        ("Two wide channel vectorized row major FP16 format", "chw2 fp16"),
        ("Half", "fp16"),
        ("Row major linear BFloat16 format", "linear bf16"),
        ("Float", "fp32"),
        ("something new", "unknown"),
        (None, "unknown"),
    ],
)
def test_layouts(printed: str | None, layout: str) -> None:
    assert layout_of(TensorInfo("x", format=printed)) == layout
