"""The recordings of real builds: read whole, without a warning, and in agreement with each other."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from harness.evidence.reader import read_file
from harness.evidence.records import EngineLayer

RECORDINGS = Path(__file__).parents[1] / "data" / "recordings"
NAMES = sorted(path.name for path in RECORDINGS.iterdir())
FILES = ("build.log.gz", "layers.json.gz", "profile.json", "times.json")

# name: tactic lines, decisions, engine layers, no-ops, combinations that reuse an earlier result
COUNTS = {
    "8.5.1.7.v1.fp16.b8": (4501, 87, 31, 0, 32),
    "8.5.1.7.v2.fp32.b1": (2115, 75, 87, 31, 51),
    "8.5.3.1.v2.fp32.b1": (2115, 75, 88, 32, 51),
    "8.5.3.1.v2.fp32.b1.relu6_as_sub": (3309, 135, 123, 32, 166),
    "8.6.0.v2.fp32.b1": (3340, 74, 90, 35, 51),
}


def facts_of(layer: EngineLayer) -> tuple[object, ...]:
    tensors = [(tensor.name, tensor.dimensions, tensor.datatype) for tensor in layer.inputs + layer.outputs]
    return layer.position, layer.name, layer.type, layer.tactic, layer.kernel, tensors


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("file", FILES)
def test_reads_without_a_warning(name: str, file: str) -> None:
    assert read_file(RECORDINGS / name / file).warnings == ()


@pytest.mark.parametrize("name", NAMES)
def test_counts(name: str) -> None:
    record = read_file(RECORDINGS / name / "build.log.gz")
    silent = [combination for combination in record.combinations if not combination.runners]
    no_ops = [layer for layer in record.engine_layers if layer.type == "NoOp"]
    counts = (
        len(record.tactic_rows),
        len(record.decisions),
        len(record.engine_layers),
        len(no_ops),
        len(silent),
    )
    assert counts == COUNTS[name]


@pytest.mark.parametrize("name", NAMES)
def test_no_tactic_line_is_lost(name: str) -> None:
    path = RECORDINGS / name / "build.log.gz"
    lines = gzip.decompress(path.read_bytes()).decode().splitlines()
    printed = [line.rsplit("Tactic: ", 1)[1].split(" Time: ") for line in lines if " Time: " in line]
    fastest = sum(1 for line in lines if "Fastest Tactic: " in line)
    record = read_file(path)
    assert len(printed) == len(record.tactic_rows) + fastest
    times = [
        (pair[0], float(pair[1]))
        for pair, line in zip(printed, (x for x in lines if " Time: " in x), strict=True)
        if "Fastest" not in line
    ]
    assert [(tactic.tactic, tactic.time_ms) for tactic in record.tactics] == times


@pytest.mark.parametrize("name", NAMES)
def test_engine_list_of_the_log_is_that_of_the_inspector(name: str) -> None:
    log = read_file(RECORDINGS / name / "build.log.gz")
    inspector = read_file(RECORDINGS / name / "layers.json.gz")
    assert [facts_of(layer) for layer in log.engine_layers] == [
        facts_of(layer) for layer in inspector.engine_layers
    ]


@pytest.mark.parametrize("name", NAMES)
def test_profile_rows_are_the_engine_layers(name: str) -> None:
    profile = read_file(RECORDINGS / name / "profile.json")
    inspector = read_file(RECORDINGS / name / "layers.json.gz")
    assert [row.name for row in profile.profile] == [layer.name for layer in inspector.engine_layers]
    assert profile.iterations == 60


@pytest.mark.parametrize("name", NAMES)
def test_every_choice_names_a_timed_tactic(name: str) -> None:
    record = read_file(RECORDINGS / name / "build.log.gz")
    assert all(decision.timed for decision in record.decisions)
    assert sum(tactic.chosen for tactic in record.tactics) == len(record.decisions)
    for decision in record.decisions:
        chosen = [
            tactic
            for tactic in record.tactics
            if tactic.chosen and (tactic.layer, tactic.formats) == (decision.layer, decision.formats)
        ]
        assert [(tactic.runner, tactic.tactic_id) for tactic in chosen] == [
            (decision.runner, decision.tactic_id)
        ]


def test_version_comes_from_the_library_name() -> None:
    assert read_file(RECORDINGS / "8.6.0.v2.fp32.b1" / "build.log.gz").facts.tensorrt == "8.6.0"


def test_gemm_as_conv1x1_is_timed_for_the_classifier_and_chosen_nowhere() -> None:
    for name in NAMES:
        record = read_file(RECORDINGS / name / "build.log.gz")
        special = [
            tactic for tactic in record.tactics if tactic.kernel and "gemm_as_conv1x1" in tactic.kernel
        ]
        assert {tactic.layer for tactic in special if tactic.time_ms is not None} == {"Logits/Conv2d_1c_1x1"}
        assert not any(tactic.chosen for tactic in special)
        assert not any("gemm_as_conv1x1" in (layer.kernel or "") for layer in record.engine_layers)


def test_inspector_attributes() -> None:
    record = read_file(RECORDINGS / "8.6.0.v2.fp32.b1" / "layers.json.gz")
    depthwise = record.engine_layers[2]
    assert depthwise.attributes["kernel"] == [3, 3]
    assert depthwise.attributes["groups"] == depthwise.attributes["out_maps"] == 32
    assert depthwise.attributes["activation"] == "CLIPPED_RELU"
    assert depthwise.inputs[0].format == "Channel major FP32 format where channel % 4 == 0"
