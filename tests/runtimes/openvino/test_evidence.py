"""OpenVINO's counters: running means, worked by hand, and files that are not whole."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.errors import InputError
from harness.runtimes.openvino.evidence import read_openvino


def node(name: str, kind: str, order: int, *inputs: str) -> dict[str, Any]:
    """Return a node of the executed graph with one output."""
    return {
        "name": name,
        "type": "ExecutionNode",
        "inputs": [{"node": source, "port": 0} for source in inputs],
        "outputs": [{"shape": [1, 8, 4, 4], "type": "f32", "names": []}],
        "information": {
            "execOrder": str(order),
            "layerType": kind,
            "primitiveType": "jit_avx2_FP32",
            "originalLayersNames": f"{name},more",
            "outputLayouts": "aBcd8b",
            "outputPrecisions": "FP32",
        },
    }


def block(cold: float, warm: float, status: str = "EXECUTED") -> list[dict[str, Any]]:
    """Return readings after 5 and 15 inferences: five of *cold* microseconds, ten of *warm*."""
    after = (5 * cold + 10 * warm) / 15
    return [
        {"inferences": count, "rows": [{"name": "conv", "status": status, "real_us": mean}]}
        for count, mean in ((5, cold), (15, after))
    ]


def write(folder: Path, blocks: list[Any]) -> Path:
    """Write evidence of a convolution between a constant and an output that is not counted."""
    nodes = [node("out", "Output", 3, "conv"), node("conv", "Convolution", 2, "input", "weights")]
    nodes += [node("weights", "Const", 1), node("input", "Input", 0)]
    (folder / "runtime_model.json").write_text(json.dumps({"nodes": nodes}))
    (folder / "profile.json").write_text(json.dumps({"blocks": blocks}))
    return folder


def test_the_cold_inferences_are_taken_out(tmp_path: Path) -> None:
    evidence = read_openvino(write(tmp_path, [block(900.0, 30.0)]))
    assert [layer.name for layer in evidence.layers] == ["conv"]
    assert evidence.times[0].typical_ms == pytest.approx(0.030)
    assert evidence.times[0].total_ms == pytest.approx(0.300)
    assert evidence.iterations == 10


def test_the_median_over_models_is_not_at_the_mercy_of_one(tmp_path: Path) -> None:
    evidence = read_openvino(write(tmp_path, [block(50, 30), block(50, 32), block(50, 900)]))
    assert evidence.times[0].median_ms == pytest.approx(0.032)
    assert evidence.times[0].samples_ms == pytest.approx((0.030, 0.032, 0.900))
    assert evidence.iterations == 30


def test_truncated_counters_never_go_below_nothing(tmp_path: Path) -> None:
    early, late = block(3.0, 0.0)
    late["rows"][0]["real_us"] = 0.0
    evidence = read_openvino(write(tmp_path, [[early, late]]))
    assert evidence.times[0].typical_ms == 0.0


def test_what_a_node_says_of_itself(tmp_path: Path) -> None:
    layer = read_openvino(write(tmp_path, [block(1, 1, "NOT_RUN"), block(1, 1)])).layers[0]
    assert (layer.type, layer.kernel) == ("Convolution", "jit_avx2_FP32")
    assert layer.attributes["original_names"] == ["conv", "more"]
    assert layer.attributes["status"] == "EXECUTED"  # in one of the two
    assert layer.inputs == ()  # neither the constant nor the input has a counter
    assert (layer.outputs[0].format, layer.outputs[0].datatype) == ("aBcd8b", "float32")
    assert layer.outputs[0].dimensions == (1, 8, 4, 4)


def test_a_counter_of_no_node_is_told(tmp_path: Path) -> None:
    readings = block(1, 1)
    for reading in readings:
        reading["rows"].append({"name": "ghost", "status": "EXECUTED", "real_us": 2.0})
        reading["rows"].append({"name": "fused", "status": "NOT_RUN", "real_us": 0.0})
    warnings = read_openvino(write(tmp_path, [readings])).warnings
    assert [warning.text for warning in warnings] == ["'ghost' was counted and is in no graph"]


def test_no_profile_no_layers(tmp_path: Path) -> None:
    assert read_openvino(tmp_path).layers == ()


@pytest.mark.parametrize("damage", ["cut", "keys"])
def test_torn_files_are_one_line(tmp_path: Path, damage: str) -> None:
    write(tmp_path, [block(1, 1)])
    profile = tmp_path / "profile.json"
    profile.write_text(profile.read_text()[:-20] if damage == "cut" else '{"blocks": [[{"rows": 1}]]}')
    with pytest.raises(InputError) as caught:
        read_openvino(tmp_path)
    assert "\n" not in str(caught.value)
