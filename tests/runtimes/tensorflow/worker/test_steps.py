"""TensorFlow in an environment of its own: every kind of op, names, settings, threads."""

from __future__ import annotations

import json
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from harness.errors import UnavailableError
from harness.networks.bounds import check_outputs, error_bound
from harness.networks.builder import GraphBuilder
from harness.networks.digest import with_digest
from harness.networks.graph import Graph, OpKind, SourceOp
from harness.networks.reference import probe_reference
from harness.networks.weights import SeededWeights
from harness.plugins import registry
from tests.worker.live import run_live, uncovered
from tests.worker.worker_jobs import run_job, write_job

VERSION = "2.21.0"


def test_everything_is_attributed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    live = run_live(tmp_path, monkeypatch, "tensorflow", VERSION)
    assert (live.said["status"], live.said["reason"]) == ("ok", "")
    assert uncovered(live) == set()
    assert live.engine.unattributed_ms == 0
    assert live.evidence.warnings == ()
    assert {str(layer.role) for layer in live.engine.layers} == {"compute"}
    # Five rounds of one inference, and a time of every op for each.
    profile = live.evidence.profile
    assert profile is not None
    assert [(one.round, len(one.inference_ms)) for one in profile.rounds] == [(n, 1) for n in range(5)]
    assert live.evidence.iterations == 5
    assert {len(row.samples_ms) for row in live.evidence.times} == {5}
    assert live.setting("intra_op_parallelism_threads") == 1
    assert live.setting("inter_op_parallelism_threads") == 1
    assert live.setting("data_format") == "NHWC"
    assert live.said["facts"]["tensorflow"] == VERSION
    assert {tensor for layer in live.engine.layers for tensor in layer.output_formats} == {"NHWC"}


def every_kind() -> Graph:
    """Return a network with every kind of op that there is a form of."""
    net = GraphBuilder("kinds", 2, "relu_sub", SeededWeights("kinds"))
    image = net.input("input", 3, 17, 17)
    first = net.relu6("a/Relu6", net.conv("a/Conv2D", image, 8, (3, 3), 2))
    wide = net.relu("b/Relu", net.depthwise("b/depthwise", first, 1, multiplier=2, bias=False))
    pools = [net.pool(f"{kind}/Pool", wide, kind, 3, 2) for kind in (OpKind.AVERAGE_POOL, OpKind.MAX_POOL)]
    joined = net.concat("c/concat", pools)
    total = net.add("d/add", net.conv("d/Conv2D", joined, 32), joined)
    boxes = net.reshape("e/Reshape", net.transpose("e/transpose", total, [0, 2, 3, 1]), 32 * 25)
    scores = net.add_vector("f/BiasAdd", net.matmul("f/MatMul", boxes, 6))
    pooled = net.global_average_pool("g/AvgPool", total)
    graph = net.finish(scores, net.conv("g/Conv2D", pooled, 10, linear=True, output="logits"))
    image_shape, (rows, columns) = graph.shapes[total], graph.shapes[total][2:]
    window = {"kernel": [2, 2], "strides": [1, 1], "pads": [1, 1, 1, 1]}
    more = (
        (SourceOp("h/Softmax", OpKind.SOFTMAX, (total,), "h/Softmax"), image_shape),
        (SourceOp("i/Sigmoid", OpKind.SIGMOID, (scores,), "i/Sigmoid"), graph.shapes[scores]),
        (
            SourceOp("j/Clip", OpKind.CLIP, (total,), "j/Clip", {"minimum": -0.5, "maximum": 1.0}),
            image_shape,
        ),
        # Wider than SAME on all sides, around values below nothing.
        (
            SourceOp("k/MaxPool", OpKind.MAX_POOL, ("j/Clip",), "k/MaxPool", window),
            (*image_shape[:2], rows + 1, columns + 1),
        ),
    )
    ops, shapes = [op for op, _ in more], {op.output: shape for op, shape in more}
    return with_digest(
        replace(
            graph,
            ops=(*graph.ops, *ops),
            shapes={**graph.shapes, **shapes},
            outputs=(*graph.outputs, "h/Softmax", "i/Sigmoid", "k/MaxPool"),
        )
    )


def test_every_kind_of_op_computes_what_the_reference_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    graph = every_kind()
    # An op of a kind that no network here has would go untried.
    assert {op.kind for op in graph.ops} == set(OpKind) - {OpKind.OTHER}
    monkeypatch.setenv("TRTMATRIX_CACHE", str(Path(tempfile.gettempdir()) / "trtmatrix-tests"))
    runtime = registry.runtimes()["tensorflow"]
    try:
        prepared = registry.environments()["venv"].prepare(runtime, VERSION, lambda _: None)
    except UnavailableError as error:
        pytest.skip(str(error))
    job = write_job(tmp_path / "job", runtime.worker.module, graph=graph)
    result = tmp_path / "result"
    result.mkdir()
    outcome = run_job(prepared, job, result, seconds=120)
    assert outcome.status == "ok", outcome
    said = json.loads((result / "result.json").read_text())
    assert (said["status"], said["reason"]) == ("ok", "")
    with np.load(result / "outputs.npz") as archive:
        outputs = {name: archive[name] for name in archive.files}
    checked = check_outputs(outputs, probe_reference(graph), error_bound(graph, "fp32"))
    assert checked.valid, checked
    runtime.condense(result)
    engine = runtime.attribute(graph, runtime.read(result))
    assert engine.unattributed_ms == 0
    assert {name for layer in engine.layers for name in layer.source_ops} == {op.name for op in graph.ops}
