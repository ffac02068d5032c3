"""Builds of TF-TRT, composed: the engine's layers stand in its op's place, at the op's own time."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from harness.attribution.engine import KernelFamily, LayerRole
from harness.errors import InputError
from harness.networks.graph import Graph
from harness.runtimes.tftrt.runtime import TFTRT
from tests.worker.worker_jobs import small_network

ENGINE = "TRTEngineOp_000_000"
GPU = "/job:localhost/replica:0/task:0/device:GPU:0"


def row(name: str, kernels: dict[str, list[float]]) -> dict[str, Any]:
    """Return a row of the trace of two inferences."""
    times = [sum(each) for each in zip(*kernels.values(), strict=True)] or [0.0, 0.0]
    return {"device": GPU, "name": name, "outputs": [], "op_ns": times, "kernels": kernels}


def build(folder: Path, graph: Graph, samples: list[tuple[str, list[float]]]) -> Path:
    """Write a build folder: a copy, an engine, and a kernel that belongs to no op."""
    evidence = folder / "evidence"
    evidence.mkdir(parents=True)
    written = {op.name: [op.name] for op in graph.ops}
    nodes = [
        {"name": ENGINE, "op": "TRTEngineOp", "inputs": ["resident"], "attributes": {}},
        {"name": "resident", "op": "Identity", "inputs": [], "attributes": {}},
        {"name": "end_0", "op": "Identity", "inputs": [ENGINE], "attributes": {}},
    ]
    rows = [
        row(ENGINE, {"a": [60_000.0, 70_000.0], "b": [40_000.0, 30_000.0]}),
        row("(no op)", {"stray": [5_000.0, 5_000.0]}),
        row("end_0", {}),
    ]
    facts = {"segments_profiled": [ENGINE]}
    (evidence / "graph.json").write_text(json.dumps({"nodes": nodes, "written": written}))
    (evidence / "trace.json").write_text(json.dumps({"inferences": 2, "rows": rows}))
    layers = {"layers": [{"name": name, "ms": ms} for name, ms in samples]}
    (evidence / "profile_samples_segment0.json").write_text(json.dumps(layers))
    result = {"schema": "trtmatrix.result/2", "status": "ok", "reason": "", "facts": facts}
    result |= {"settings": [], "not_expressible": [], "slices": 0}
    (folder / "result.json").write_text(json.dumps(result))
    TFTRT().condense(folder)
    return folder


SAMPLES = [
    (f"{ENGINE}/Conv/Conv2D-to_NCHW:SHUFFLE", [0.05, 0.05]),
    (f"{ENGINE}/Conv/Conv2D-conv:CONVOLUTION", [0.10, 0.10]),
    (f"PWN({ENGINE}/Conv/Relu6-activation:ACTIVATION)", [0.05, 0.05]),
    (f"{ENGINE}/_tftrt_constant_-0:CONSTANT", [0.0, 0.0]),
]


def test_the_layers_of_an_engine_take_its_place_at_its_time(tmp_path: Path) -> None:
    graph, runtime = small_network(), TFTRT()
    evidence = runtime.read(build(tmp_path / "b", graph, SAMPLES))
    assert [layer.name for layer in evidence.layers] == [*(name for name, _ in SAMPLES), "(no op)"]
    assert [time.position for time in evidence.times] == list(range(5))
    times = [time.typical_ms for time in evidence.times]
    # The op takes 0.1 ms; its layers, profiled one after the other, 0.2 ms.
    assert times == pytest.approx([0.025, 0.05, 0.025, 0.0, 0.005])
    said = evidence.facts["segment_profiles"]
    assert said == {ENGINE: {"op_ms": 0.1, "layers_ms": pytest.approx(0.2), "layers": 4}}
    found = runtime.attribute(graph, evidence)
    assert [layer.role for layer in found.layers[:4]] == [
        *(LayerRole.REFORMAT, LayerRole.COMPUTE, LayerRole.COMPUTE, LayerRole.NO_OP)
    ]
    assert found.layers[1].source_ops == ("Conv/Conv2D",)
    assert [layer.name for layer in found.layers if layer.standalone_activation] == [SAMPLES[2][0]]
    assert found.unattributed_ms == pytest.approx(0.005)


CONVOLUTION = SAMPLES[1][0]
LOG = f"""\
[TRT] [V] *************** Autotuning format combination: Float(3,1) -> Float(8,1) ***************
[TRT] [V] --------------- Timing Runner: {CONVOLUTION} (CaskConvolution)
[TRT] [V] {CONVOLUTION} Set Tactic Name: sm80_xmma_gemm_f32f32_tn Tactic: 0x8ad32616b1424be4
[TRT] [V] Tactic: 0x8ad32616b1424be4 Time: 0.05
[TRT] [V] Fastest Tactic: 0x8ad32616b1424be4 Time: 0.05
[TRT] [V] >>>>>>>>>>>>>>> Chose Runner Type: CaskConvolution Tactic: 0x8ad32616b1424be4
[TRT] [V] Engine Layer Information:
Layer(CaskConvolution): {CONVOLUTION}, Tactic: 0x8ad32616b1424be4, x (Float[3,8,8]) -> y (Float[8,4,4])
"""


def test_kernels_inside_an_engine_are_those_of_the_log_published_or_not(tmp_path: Path) -> None:
    graph, runtime = small_network(), TFTRT()
    folder = build(tmp_path / "b", graph, SAMPLES)
    (folder / "evidence" / "build.log.gz").write_bytes(gzip.compress(LOG.encode()))
    (folder / "evidence" / "converter.log.gz").write_bytes(gzip.compress(b"what nobody reads again\n"))
    for _ in range(2):
        evidence = runtime.read(folder)
        (layer,) = [one for one in evidence.layers if one.name == CONVOLUTION]
        assert (layer.type, layer.kernel) == ("CaskConvolution", "sm80_xmma_gemm_f32f32_tn")
        assert [(one.layer, one.chosen) for one in evidence.tactics] == [(CONVOLUTION, True)]
        engine = runtime.attribute(graph, evidence)
        assert engine.layers[layer.position].family is KernelFamily.GEMM
        runtime.publish(folder)
    assert not list((folder / "evidence").glob("*.log.gz"))


def test_an_engine_without_a_profile_stays_one_op(tmp_path: Path) -> None:
    evidence = TFTRT().read(build(tmp_path / "b", small_network(), []))
    assert [(layer.name, layer.kernel) for layer in evidence.layers] == [(ENGINE, "a"), ("(no op)", "stray")]


def test_a_torn_graph_is_one_line(tmp_path: Path) -> None:
    folder = build(tmp_path / "b", small_network(), SAMPLES)
    (folder / "evidence" / "graph.json").write_text("[]")
    with pytest.raises(InputError) as caught:
        TFTRT().read(folder)
    assert "\n" not in str(caught.value)
