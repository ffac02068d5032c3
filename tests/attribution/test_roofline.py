"""Bounds worked by hand, and held against the recordings."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.attribution.attribute import attribute
from harness.attribution.peaks import Peaks, peaks_for, precision_of, tabled_peaks
from harness.attribution.roofline import (
    achieved,
    bound,
    class_bounds_ms,
    group_bound,
    layer_bounds,
)
from harness.networks.accounting import op_costs, total
from tests.attribution.recorded import V1_FP16, V2_850, engine, evidence, meta, network
from tests.attribution.recorded_rows import eleven_rows

UNIT = Peaks(1e12, 1e12, "made up")


def test_the_larger_of_the_two_times_is_the_bound() -> None:
    assert bound(2_000_000, 1_000_000, UNIT).ms == pytest.approx(0.002)
    assert bound(1_000_000, 3_000_000, UNIT).ms == pytest.approx(0.003)


def test_a_fused_group_moves_only_what_enters_and_leaves_it() -> None:
    graph = network(V2_850)
    conv, clip = graph.op("expanded_conv_1/expand/Conv2D"), graph.op("expanded_conv_1/expand/Relu6")
    # 112 x 112, 16 channels in, 96 out, FP32; kernel 96 x 16 and 96 biases.
    pixels = 112 * 112
    moved = 4 * (pixels * 16 + pixels * 96 + 96 * 16 + 96)
    found = group_bound(graph, [conv.name, clip.name], UNIT, "fp32")
    assert (found.bytes, found.flops) == (moved, 2 * pixels * 16 * 96 + pixels * 96)
    assert found.bytes == op_costs(graph)[conv.name].bytes
    assert group_bound(graph, [conv.name, clip.name], UNIT, "fp16").bytes == moved // 2


def test_a_residual_is_read_once_more_and_a_branch_point_is_written() -> None:
    graph = network(V2_850)
    found = group_bound(graph, ["expanded_conv_2/project/Conv2D", "expanded_conv_2/add"], UNIT, "fp32")
    pixels = 56 * 56
    assert found.bytes == 4 * (pixels * (144 + 24 + 24) + 144 * 24 + 24)
    two = group_bound(
        graph, ["expanded_conv_1/project/Conv2D", "expanded_conv_2/expand/Conv2D"], UNIT, "fp32"
    )
    # The tensor between is also read by the sum of the block, so it has to be written.
    assert two.bytes == 4 * (pixels * (96 + 24 + 144) + 96 * 24 + 24 + 24 * 144 + 144)


def test_recorded_layers_are_not_below_their_bound_and_classes_add_up() -> None:
    peaks = tabled_peaks(meta(V2_850)["gpu"], "fp32")
    assert peaks is not None
    found = engine(V2_850)
    bounds = layer_bounds(found, peaks, "fp32")
    computing = {layer.position: layer for layer in found.layers if layer.source_ops}
    assert bounds.keys() == computing.keys()
    assert all((computing[place].time_ms or 0.0) > bounds[place].ms for place in bounds)
    classes = class_bounds_ms(found, peaks, "fp32")
    assert sum(classes.values()) == pytest.approx(sum(b.ms for b in bounds.values()))
    flops = total(op_costs(network(V2_850)).values()).flops
    assert sum(b.flops for b in bounds.values()) == flops


def test_achieved_flops_end_to_end_and_by_class() -> None:
    found = achieved(engine(V2_850), 0.427)
    assert found is not None
    flops = total(op_costs(network(V2_850)).values()).flops
    assert found.end_to_end == pytest.approx(flops / 0.427e-3)
    assert found.by_class["depthwise"] < 0.5 * found.by_class["pointwise"]
    assert set(found.by_class) == {"convolution", "depthwise", "pointwise", "pooling"}
    none = achieved(engine(V2_850), None)
    assert none is not None
    assert none.end_to_end is None


def test_a_partial_profile_or_an_unknown_network_has_no_flops() -> None:
    assert achieved(attribute(network(V2_850), eleven_rows()), 1.0) is None
    assert achieved(attribute(None, replace(eleven_rows(), partial=False)), 1.0) is None
    assert layer_bounds(attribute(None, eleven_rows()), UNIT, "fp32") == {}
    assert layer_bounds(engine(V1_FP16), UNIT, "unknown") == {}


def test_a_batch_that_nobody_stated_has_no_flops_and_no_bounds() -> None:
    known = evidence(V2_850)
    found = attribute(network(V2_850), replace(known, facts={**known.facts, "batch": "unknown"}))
    assert achieved(found, 0.4) is None
    assert layer_bounds(found, UNIT, "fp32") == {}
    assert class_bounds_ms(found, UNIT, "fp32") == {}


@pytest.mark.parametrize(
    ("gpu", "precision", "flops", "bandwidth"),
    [
        ("NVIDIA H200", "fp32", 67e12, 4.8e12),
        ("NVIDIA H100 PCIe", "fp16", 756.5e12, 2.0e12),
        ("NVIDIA H100 80GB HBM3", "tf32", 494.5e12, 3.35e12),
        ("NVIDIA A100-SXM4-40GB", "fp16", 312e12, 1.555e12),
        ("NVIDIA A100-SXM4-80GB", "int8", 624e12, 2.039e12),
        ("NVIDIA A100 80GB PCIe", "fp32", 19.5e12, 1.935e12),
        ("Tesla V100-SXM2-16GB", "fp16", 125e12, 900e9),
        ("Tesla T4", "int8", 130e12, 320e9),
    ],
)
def test_tabled_peaks(gpu: str, precision: str, flops: float, bandwidth: float) -> None:
    found = tabled_peaks(gpu, precision)
    assert found is not None
    assert (found.flops_per_s, found.bytes_per_s, found.measured) == (flops, bandwidth, False)
    assert found.source.startswith("data sheet: ")


def test_what_is_not_tabled_is_not_made_up() -> None:
    assert tabled_peaks("GeForce 256", "fp32") is None
    assert tabled_peaks("Tesla V100-SXM2-16GB", "tf32") is None
    assert peaks_for({"gpu": "NVIDIA H200"}, "unknown") is None
    assert peaks_for({}, "fp32") is None


def test_measured_peaks_go_before_tabled_ones() -> None:
    facts = {"gpu": "NVIDIA H200", "peaks": {"flops_per_s": 5e13, "bytes_per_s": 4e12, "how": "a copy"}}
    found = peaks_for(facts, "fp32")
    assert found == Peaks(5e13, 4e12, "measured: a copy", measured=True)
    by_precision = {"peaks": {"flops_per_s": {"fp16": 6e14}, "bytes_per_s": 4e12}, "gpu": "NVIDIA H200"}
    assert peaks_for(by_precision, "fp16") == Peaks(6e14, 4e12, "measured: by the worker", measured=True)
    tabled = peaks_for(by_precision, "fp32")
    assert tabled is not None
    assert not tabled.measured


def test_the_precision_comes_from_the_facts() -> None:
    assert precision_of({"precision": "fp16"}) == "fp16"
    assert precision_of({"settings": [{"name": "precision", "value": "tf32"}]}) == "tf32"
    assert precision_of({}) is None


@pytest.mark.parametrize(
    ("setting", "precision"),
    [
        ({"name": "precision", "value": "fp32, the type of the model's tensors"}, "fp32"),
        ({"name": "INFERENCE_PRECISION_HINT", "value": "f32"}, "fp32"),
        ({"name": "INFERENCE_PRECISION_HINT", "value": "bf16"}, "bf16"),
    ],
)
def test_the_cpu_runtimes_state_their_precision_in_settings(setting: dict[str, str], precision: str) -> None:
    facts = {"settings": [setting], "peaks": {"flops_per_s": 2e10, "bytes_per_s": 1e10}}
    assert precision_of(facts) == precision
    assert (peaks_for(facts) is not None) == (precision == "fp32"), "only what a peak is known for"
