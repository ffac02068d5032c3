"""Tactic searches: the recordings' builder logs, and each way of losing in small."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from functools import cache

import pytest

from harness.attribution.adoption import pointwise_kernels
from harness.attribution.attribute import attribute
from harness.attribution.forensics import LayerForensics, Source, forensics, pointwise_forensics
from harness.evidence.reader import read_file
from harness.evidence.records import Combination, EngineLayer, Evidence, SkippedRunner, Tactic, TensorInfo
from harness.networks.graph import Graph
from harness.runtimes.recorded import merge
from tests.attribution.recorded import (
    ALL,
    FAMILIES,
    RECORDINGS,
    V1_FP16,
    V2_850,
    V2_860,
    V2_8517,
    V2_PIECES,
    engine,
    evidence,
    network,
)

V2 = FAMILIES["mobilenet_v2"].graph()
CLASSIFIER = "Logits/Conv2d_1c_1x1/Conv2D"
GEMM_AS = "sm70_xmma_gemm_as_conv1x1_f32f32_f32_f32_tn_n_simt_small_batch_bias_relu"
GEMM = "sm80_xmma_gemm_f32f32_f32f32_f32_tn_n_tilesize32x32x8"
IMPLICIT = "sm80_xmma_fprop_implicit_gemm_f32f32_f32f32_f32_nhwckrsc_nhwc_simple_t1r1s1"


@cache
def log(name: str) -> Evidence:
    """The builder log of a recording alone."""
    return merge([("log", read_file(RECORDINGS / name / "build.log.gz"))])


@cache
def searched(name: str) -> tuple[LayerForensics, ...]:
    """1x1 convolutions of a recording, from engine, profile and log."""
    known = log(name)
    both = replace(
        evidence(name),
        tactics=known.tactics,
        skipped_runners=known.skipped_runners,
        combinations=known.combinations,
    )
    return pointwise_forensics(engine(name), both)


@pytest.mark.parametrize(
    ("name", "timed", "inherited"),
    [(V2_8517, 20, 15), (V2_850, 20, 15), (V2_860, 20, 15), (V2_PIECES, 20, 15), (V1_FP16, 10, 4)],
)
def test_timed_and_inherited(name: str, timed: int, inherited: int) -> None:
    counts = Counter(layer.source for layer in searched(name))
    assert counts == {Source.TIMED: timed, Source.INHERITED: inherited}


def test_inherited_layers_name_an_equal_layer_that_was_timed() -> None:
    found = {layer.layer.source_ops[0]: layer for layer in searched(V2_850)}
    reused = found["expanded_conv_9/expand/Conv2D"]
    assert reused.inherited_from == "expanded_conv_7/expand/Conv2D + PWN(expanded_conv_7/expand/Relu6)"
    assert reused.searches == found["expanded_conv_7/expand/Conv2D"].searches
    assert found["expanded_conv_7/expand/Conv2D"].inherited_from is None


@pytest.mark.parametrize("name", ALL)
def test_gemm_as_conv1x1_is_offered_and_timed_for_the_classifier_and_chosen_nowhere(name: str) -> None:
    found = searched(name)
    offered = [layer for layer in found if layer.gemm_as_conv1x1.offered]
    assert [layer.layer.source_ops[0] for layer in offered] == [CLASSIFIER]
    family = offered[0].gemm_as_conv1x1
    assert family.timed >= 1
    assert (family.lost_by_ms or 0.0) > 0.0
    assert family.winner is not None
    assert family.winner.family == "gemm"
    assert not any(layer.gemm_as_conv1x1.chosen for layer in found)
    assert all(layer.gemm_as_conv1x1.offered is False for layer in found if layer not in offered)


def test_how_much_it_lost_by_and_to_what() -> None:
    family = next(x for x in searched(V2_850) if x.gemm_as_conv1x1.offered).gemm_as_conv1x1
    assert family.best is not None
    assert family.winner is not None
    assert (family.best.time_ms, family.winner.time_ms) == (0.006952, 0.00530506)
    assert family.lost_by_ms == pytest.approx(0.00164694)
    assert family.winner.kernel is not None
    assert family.winner.kernel.startswith("sm50_xmma_cublas_gemvx")


@pytest.mark.parametrize(("name", "offered"), [(V2_850, 1), (V2_860, 35)])
def test_gemm_kernels_were_not_even_offered_before_8_6(name: str, offered: int) -> None:
    found = searched(name)
    assert sum(layer.any_gemm.offered is True for layer in found) == offered
    assert sum(layer.any_gemm.offered is False for layer in found) == 35 - offered
    assert sum(layer.any_gemm.chosen is True for layer in found) == offered


def test_runners_of_a_layer() -> None:
    first = searched(V2_850)[0]
    assert first.runners["CaskConvolution"] == "timed"
    assert first.runners["CaskGemmConvolution"] == "skipped"
    assert first.searches[0].formats is not None
    assert first.searches[0].chosen is not None


@pytest.mark.parametrize(("name", "gemm", "total"), [(V2_850, 1, 35), (V2_860, 35, 35), (V1_FP16, 1, 14)])
def test_a_builder_log_with_the_network_tells_as_much(name: str, gemm: int, total: int) -> None:
    found = attribute(network(name), log(name))
    counts = pointwise_kernels(found)
    assert (counts.on_any_gemm, counts.on_gemm_as_conv1x1, counts.total, counts.unknown) == (
        gemm,
        0,
        total,
        0,
    )
    sources = Counter(layer.source for layer in pointwise_forensics(found, log(name)))
    assert sources == Counter(layer.source for layer in searched(name))


# composed searches


def conv(place: int, name: str, tactic: str | None = "0x1fb90698107bb33a") -> EngineLayer:
    return EngineLayer(place, name, "CaskConvolution", tactic)


def offer(
    layer: str,
    kernel: str | None,
    tactic: str,
    ms: float | None,
    runner: str = "CaskConvolution",
    **more: object,
) -> Tactic:
    return Tactic(layer, runner, "Float(1) -> Float(1)", tactic, None, kernel, ms, **more)  # type: ignore[arg-type]


def search(graph: Graph | None, made: Evidence) -> list[LayerForensics]:
    return list(forensics(attribute(graph, made), made))


def test_a_kernel_that_won() -> None:
    layer = EngineLayer(0, "Conv_1/Conv2D", "CaskGemmConvolution", "0x20582")
    made = Evidence(
        layers=(layer,),
        tactics=(
            offer("Conv_1/Conv2D", GEMM_AS, "0x20582", 1.0, "CaskGemmConvolution"),
            offer("Conv_1/Conv2D", IMPLICIT, "0x1fb90698107bb33a", 2.0),
        ),
    )
    family = search(V2, made)[0].gemm_as_conv1x1
    assert (family.offered, family.chosen, family.lost_by_ms) == (True, True, None)


def test_logs_without_kernel_names_cannot_tell() -> None:
    name = "Conv_1/Conv2D"
    made = Evidence(
        layers=(conv(0, name, "1825138533642645384"),),
        tactics=(offer(name, None, "1825138533642645384", 1.0, runner="14"),),
        facts={"tensorrt": "5.1.5"},
    )
    found = search(V2, made)[0]
    assert (found.source, found.gemm_as_conv1x1.offered, found.any_gemm.offered) == (Source.TIMED, None, None)
    library = replace(made, tactics=(offer(name, None, "0", 1.0, runner="CublasConvolution"),))
    found = search(V2, library)[0]
    assert (found.gemm_as_conv1x1.offered, found.any_gemm.offered) == (None, True)


def test_silence_is_unknown_where_no_equal_layer_was_timed() -> None:
    made = Evidence(
        layers=(conv(0, "Conv_1/Conv2D"), conv(1, CLASSIFIER)),
        tactics=(offer("Conv_1/Conv2D", IMPLICIT, "0x1fb90698107bb33a", 1.0),),
        skipped_runners=(SkippedRunner("Conv_1/Conv2D", "CaskGemmConvolution", "no valid tactics"),),
    )
    timed, silent = search(V2, made)
    assert timed.any_gemm.offered is False
    assert timed.runners == {"CaskGemmConvolution": "skipped", "CaskConvolution": "timed"}
    assert (silent.source, silent.inherited_from, silent.any_gemm.offered) == (Source.UNKNOWN, None, None)


def test_an_equal_layer_that_runs_another_tactic_is_not_the_source() -> None:
    names = ("expanded_conv_7/expand/Conv2D", "expanded_conv_8/expand/Conv2D")
    made = Evidence(
        layers=(conv(0, names[0]), conv(1, names[1], "0x90f8f2915f87ed77")),
        tactics=(offer(names[0], IMPLICIT, "0x1fb90698107bb33a", 1.0),),
    )
    assert search(V2, made)[1].source is Source.UNKNOWN
    same = replace(made, layers=(conv(0, names[0]), conv(1, names[1])))
    assert search(V2, same)[1].inherited_from == names[0]


def test_without_a_network_equal_layers_are_told_by_shape() -> None:
    def shaped(place: int, name: str, channels: int) -> EngineLayer:
        inside, outside = TensorInfo("a", (1, channels, 14, 14)), TensorInfo("b", (1, 96, 14, 14))
        return EngineLayer(
            place,
            name,
            "CaskConvolution",
            "0x1fb90698107bb33a",
            None,
            (inside,),
            (outside,),
            {"kernel": [1, 1]},
        )

    made = Evidence(
        layers=(shaped(0, "a", 16), shaped(1, "b", 16), shaped(2, "c", 32)),
        tactics=(offer("a", IMPLICIT, "0x1fb90698107bb33a", 1.0),),
    )
    found = search(None, made)
    assert [layer.source for layer in found] == [Source.TIMED, Source.INHERITED, Source.UNKNOWN]


def test_a_timed_layer_with_a_silent_combination_cannot_say_not_offered() -> None:
    name = "Conv_1/Conv2D"
    whole = Combination(name, "Float(1) -> Float(1)", 0, ("CaskConvolution",), 1, 1)
    quiet = Combination(None, "Float(2) -> Float(2)", 0)
    made = Evidence(
        layers=(conv(0, name),),
        tactics=(offer(name, IMPLICIT, "0x1fb90698107bb33a", 1.0),),
        combinations=(whole, quiet),
    )
    found = search(V2, made)[0]
    assert (found.silent, found.any_gemm.offered) == (1, None)
    assert search(V2, replace(made, combinations=(whole,)))[0].any_gemm.offered is False


def test_estimates_of_reformats_are_no_search() -> None:
    made = Evidence(
        layers=(conv(0, "Conv_1/Conv2D"),),
        tactics=(offer("Optimizer Reformat(<in> -> x)", None, "0x3e8", 1.0, runner="Reformat"),),
    )
    assert search(V2, made)[0].searches == ()
