"""What the reading side makes of builds that the worker really made on H100 GPUs, every version that ran.

Numbers of layers and kernels were counted in the files themselves; they are facts of these builds. No time is
held to anything: only that what the files say twice is the same.
"""

from __future__ import annotations

import json
import statistics
from collections import Counter

import pytest

from harness.attribution.adoption import SharedLayers, adoption, pointwise_kernels, shared_layers
from harness.attribution.engine import KernelFamily, LayerRole
from harness.attribution.forensics import LayerForensics, Source, pointwise_forensics
from harness.networks.graph import OpClass
from tests.runtimes.worker_builds import (
    ALL_SOURCES,
    FP16_CLIP,
    FP16_PIECES,
    IMPLICIT,
    INT8,
    PIECES,
    PYCUDA,
    WHOLE,
    Known,
    Reading,
    WorkerBuild,
    every_build,
    v1,
    v2,
    whole_build,
)

CLASSIFIER = "Logits/Conv2d_1c_1x1/Conv2D"


def search(found: Known) -> tuple[LayerForensics, ...]:
    """The search behind each 1x1 convolution."""
    return pointwise_forensics(found.engine, found.evidence)


# reading and attribution


@every_build
def test_it_is_read_without_warnings(known: Reading, build: WorkerBuild) -> None:
    evidence = known(build).evidence
    assert evidence.warnings == ()
    assert evidence.facts["tensorrt"] == build.cell.version
    assert evidence.iterations == build.document("evidence/profile_samples.json")["runs"] == 60
    assert [layer.name for layer in evidence.layers] == [row.name for row in evidence.times]
    assert bool(evidence.tactics) == (build in WHOLE)


@every_build
def test_all_of_the_time_is_attributed_to_the_networks_own_ops(known: Reading, build: WorkerBuild) -> None:
    engine = known(build).engine
    rows = build.document("evidence/profile_samples.json")["layers"]
    assert engine.total_ms == pytest.approx(sum(statistics.median(row["ms"]) for row in rows))
    assert engine.unattributed_ms == 0
    assert not engine.partial
    assert {name for layer in engine.layers for name in layer.source_ops} == {
        op.name for op in build.graph.ops
    }
    compute = [layer for layer in engine.layers if layer.role is LayerRole.COMPUTE]
    assert {bool(layer.source_ops) for layer in compute} == {True}
    carried = sum(engine.time_of_op().values())
    assert carried + adoption(engine).reformats.time_ms == pytest.approx(engine.total_ms)


@every_build
def test_how_ops_were_found_follows_from_what_the_version_tells(known: Reading, build: WorkerBuild) -> None:
    compute = [x for x in known(build).engine.layers if x.role is LayerRole.COMPUTE]
    assert {x.attributed_by for x in compute} == {"metadata" if build.cell.version == "8.6.0" else "name"}


@pytest.mark.parametrize(
    ("build", "separators"),
    [(v2("8.6.0"), 35 + 10), (PIECES, 35 * 3 + 10), (v1("8.6.0"), 27), (v2("8.5.3.1"), 0)],
    ids=str,
)
def test_metadata_of_a_fused_layer_gives_each_of_its_ops(
    known: Reading, build: WorkerBuild, separators: int
) -> None:
    found = known(build)
    raw = (found.folder / "evidence" / "layers.json").read_bytes()
    # 8.6 writes the separator between two ops raw, which no strict reader of JSON takes.
    assert raw.count(b"\x1e") == separators
    if separators:
        with pytest.raises(json.JSONDecodeError, match="control character"):
            json.loads(raw)
    named = [
        x.attributes["original_names"] for x in found.evidence.layers if "original_names" in x.attributes
    ]
    assert sum(len(names) - 1 for names in named) == separators


def test_a_fused_layer_carries_both_names_of_its_metadata(known: Reading) -> None:
    found = known(v2("8.6.0"))
    fused = found.evidence.layers[0]
    assert fused.attributes["metadata"] == "[ONNX Layer: Conv/Conv2D]\x1e[ONNX Layer: Conv/Relu6]"
    assert fused.attributes["original_names"] == ("Conv/Conv2D", "Conv/Relu6")
    assert found.engine.layers[0].source_ops == ("Conv/Conv2D", "Conv/Relu6")


# kernels of the 1x1 convolutions


@pytest.mark.parametrize(
    ("build", "on_gemm"),
    [
        (v2("8.5.1.7"), 1),
        (v2("8.5.1.7", 1), 0),
        (v2("8.5.1.7", 4), 1),
        (v2("8.5.2.2"), 1),
        (v2("8.5.3.1"), 1),
        (IMPLICIT, 1),
        (PYCUDA, 1),
        (v2("8.6.0"), 23),
        (v2("8.6.0", 1), 34),
        (v2("8.6.0", 2), 35),
        (v2("8.6.0", 3), 24),
        (v2("8.6.0", 4), 15),
        (PIECES, 35),
        (ALL_SOURCES, 29),
        (v1("8.5.3.1"), 1),
        (v1("8.6.0"), 12),
        (v1("8.6.0", 1), 14),
        (v1("8.6.0", 2), 12),
        (v1("8.6.0", 3), 14),
        (v1("8.6.0", 4), 14),
        (FP16_CLIP, 14),
        (FP16_PIECES, 1),
    ],
    ids=str,
)
def test_how_many_run_a_gemm_kernel(known: Reading, build: WorkerBuild, on_gemm: int) -> None:
    found = known(build)
    counts = pointwise_kernels(found.engine)
    assert counts.total == {"mobilenet_v1": 14, "mobilenet_v2": 35}[build.cell.network]
    assert (counts.on_any_gemm, counts.on_gemm_as_conv1x1, counts.unknown) == (on_gemm, 0, 0)
    assert set(counts.families) <= {KernelFamily.GEMM, KernelFamily.IMPLICIT_GEMM, KernelFamily.DIRECT}
    # The same again, from the kernels' names as the engine lists them.
    kernels = [layer.kernel or "" for layer in found.evidence.layers]
    assert sum("xmma_gemm" in name or "cublas" in name for name in kernels) == on_gemm
    assert not [name for name in kernels if "conv1x1" in name and "gemm_as" in name]


@whole_build
def test_gemm_as_conv1x1_is_timed_for_the_classifier_alone_and_chosen_nowhere(
    known: Reading, build: WorkerBuild
) -> None:
    found = search(known(build))
    offered = [layer for layer in found if layer.gemm_as_conv1x1.offered]
    assert [layer.layer.source_ops[0] for layer in offered] == [CLASSIFIER]
    family = offered[0].gemm_as_conv1x1
    assert family.timed == {"fp32": 1, "fp16": 2}[build.cell.treatment.precision]
    assert family.best is not None
    assert "gemm_as_conv1x1" in (family.best.kernel or "")
    assert family.winner is not None
    assert family.winner.kernel == offered[0].layer.kernel
    assert {layer.gemm_as_conv1x1.chosen for layer in found} == {False}
    assert {layer.gemm_as_conv1x1.offered for layer in found if layer is not offered[0]} == {False}


@whole_build
def test_other_gemm_kernels_are_offered_to_all_since_8_6_and_to_the_classifier_before(
    known: Reading, build: WorkerBuild
) -> None:
    found = search(known(build))
    offered = [layer.layer.source_ops[0] for layer in found if layer.any_gemm.offered]
    new = build.cell.version == "8.6.0"
    assert offered == ([layer.layer.source_ops[0] for layer in found] if new else [CLASSIFIER])
    assert {layer.any_gemm.offered for layer in found} == ({True} if new else {True, False})


@whole_build
def test_results_are_reused_for_layers_of_equal_shape(known: Reading, build: WorkerBuild) -> None:
    counts = Counter(layer.source for layer in search(known(build)))
    timed, inherited = {"mobilenet_v1": (10, 4), "mobilenet_v2": (20, 15)}[build.cell.network]
    assert counts == {Source.TIMED: timed, Source.INHERITED: inherited}


@whole_build
def test_the_engines_kernel_is_found_in_its_search(known: Reading, build: WorkerBuild) -> None:
    for layer in search(known(build)):
        assert layer.any_gemm.winner is not None
        assert layer.any_gemm.winner.kernel == layer.layer.kernel


# reformats, no-ops, activations


@pytest.mark.parametrize(
    ("build", "layers", "executed", "boundary", "no_ops"),
    [
        (v2("8.5.1.7"), 76, 2, 0, 20),
        (v2("8.5.1.7", 4), 54, 0, 0, 0),
        (v2("8.5.2.2"), 76, 2, 1, 20),
        (v2("8.5.3.1"), 74, 2, 0, 18),
        (IMPLICIT, 88, 2, 1, 32),
        (v2("8.6.0"), 78, 1, 0, 23),
        (v2("8.6.0", 4), 69, 1, 0, 14),
        (PIECES, 126, 1, 0, 36),
        (ALL_SOURCES, 89, 1, 0, 34),
        (v1("8.5.3.1"), 31, 2, 2, 0),
        (v1("8.6.0"), 31, 2, 2, 0),
        (v1("8.6.0", 2), 32, 2, 1, 1),
    ],
    ids=str,
)
def test_reformats_that_run_and_those_that_do_not(
    known: Reading, build: WorkerBuild, layers: int, executed: int, boundary: int, no_ops: int
) -> None:
    found = known(build)
    counts = adoption(found.engine).reformats
    assert len(found.engine.layers) == layers
    assert (counts.executed, counts.boundary, counts.no_ops) == (executed, boundary, no_ops)
    assert counts.interior == executed - boundary
    kinds = Counter(layer.type for layer in found.evidence.layers)
    assert (kinds["Reformat"], kinds["NoOp"]) == (executed, no_ops)


@every_build
def test_relu6_is_fused_as_a_clip_and_runs_on_its_own_in_pieces(known: Reading, build: WorkerBuild) -> None:
    alone = [layer for layer in known(build).engine.layers if layer.standalone_activation]
    assert len(alone) == {PIECES: 35, FP16_PIECES: 14}.get(build, 0)
    assert adoption(known(build).engine).activations == len(alone)
    # Four source ops (two ReLUs, two sums) became one kernel.
    assert {len(layer.source_ops) for layer in alone} <= {4}


def test_in_fp16_the_pieces_are_fused_into_1x1_convolutions_on_implicit_gemm_kernels_alone(
    known: Reading,
) -> None:
    """So 8.6.0, which has GEMM kernels for all 14 of them under a clip, runs one of them on a GEMM kernel."""
    pointwise = [x for x in known(FP16_PIECES).engine.layers if x.op_class == "pointwise"]
    fused = [layer for layer in pointwise if any("Relu6" in op for op in layer.source_ops)]
    assert (len(pointwise), len(fused)) == (14, 13)
    assert {(layer.family, (layer.kernel or "").endswith("_linkable")) for layer in fused} == {
        (KernelFamily.IMPLICIT_GEMM, True)
    }
    clip = [x for x in known(FP16_CLIP).engine.layers if x.op_class == "pointwise"]
    assert sum(any("Relu6" in op for op in layer.source_ops) for layer in clip) == 13
    assert {layer.family for layer in clip} == {KernelFamily.GEMM}


def test_in_int8_the_first_depthwise_convolutions_run_in_one_kernel_with_the_1x1_behind_them(
    known: Reading,
) -> None:
    engine = known(INT8).engine
    together = [x for x in engine.layers if x.family is KernelFamily.DEPTHWISE_SEPARABLE]
    assert [layer.source_ops for layer in together] == [
        (
            f"Conv2d_{number}_depthwise/depthwise",
            f"Conv2d_{number}_depthwise/Relu6",
            f"Conv2d_{number}_pointwise/Conv2D",
            f"Conv2d_{number}_pointwise/Relu6",
        )
        for number in range(1, 5)
    ]
    assert {layer.type for layer in together} == {"CaskDepSepConvolution"}
    counts = adoption(engine)
    assert dict(counts.pointwise.families) == {
        KernelFamily.DEPTHWISE_SEPARABLE: 4,
        KernelFamily.IMPLICIT_GEMM: 9,
        KernelFamily.GEMM: 1,
    }
    assert counts.depthwise_elsewhere == counts.as_json()["depthwise_elsewhere"] == 4
    assert shared_layers(engine, OpClass.DEPTHWISE) == SharedLayers(total=13, elsewhere=4)
    assert shared_layers(engine, OpClass.POINTWISE) == SharedLayers(total=14, guests=4)
    assert adoption(known(FP16_CLIP).engine).depthwise_elsewhere == 0


def test_grouped_direct_kernels_leave_everything_in_one_layout(known: Reading) -> None:
    engine = known(v2("8.5.1.7", 4)).engine
    depthwise = [layer.kernel or "" for layer in engine.layers if layer.op_class == "depthwise"]
    assert len(depthwise) == 17
    assert sum(name.startswith("conv2d_grouped_direct") for name in depthwise) == 14
    assert {x for layer in engine.layers for x in layer.input_formats} == {"linear fp32"}
