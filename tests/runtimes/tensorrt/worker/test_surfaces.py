"""Every version is given only names that it has: those read from wheels, and those NVIDIA documents."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from harness.runtimes.tensorrt.worker.build import Built, Toolbox, build
from harness.runtimes.tensorrt.worker.dialects import choose, letter_of
from harness.runtimes.tensorrt.worker.features import Features
from harness.runtimes.tensorrt.worker.logger import Log, make_logger
from harness.runtimes.tensorrt.worker.plan import OPTIONS, Plan
from harness.runtimes.tensorrt.worker.ranges import tensor_ranges
from harness.worker.errors import UnsupportedError
from harness.worker.result import Result
from tests.runtimes.tensorrt.worker.conftest import inputs_of, package_of, small_graph
from tests.runtimes.tensorrt.worker.surface import module, surfaces

DIALECT = {
    "5.0.2": "A",
    "5.1.5": "A",
    "6.0.1": "B",
    "7.0.0": "B",
    "7.2.3": "B",
    "8.0.1": "C",
    "8.2.1": "C",
    "8.4.1": "C",
    "8.5.3.1": "D",
    "8.6.0": "D",
    "10.16.1.11": "D",
    "11.0.0.114": "E",
    "11.4.0.106": "E",
    "rtx-1.4.0.76": "E",
    "rtx-1.7.1.116": "E",
}
VERSIONS = sorted(DIALECT)


def build_with(
    trt: Any, folder: Path, relu6: str = "clip", options: dict[str, Any] | None = None, **treatment: Any
) -> tuple[Built, Result, str]:
    """Build a small MobileNet v2 on the stand-in *trt*."""
    features = Features(trt)
    plan = Plan(treatment, {**OPTIONS, "gpu_present": True, **(options or {})}, features)
    graph = small_graph(batch=plan.batch, relu6=relu6)
    package, result, log = package_of(graph, folder), Result(str(folder)), Log()
    job: Any = SimpleNamespace(onnx=None)
    tools = Toolbox(trt, features, make_logger(trt, log), log, job, package, result)
    if plan.precision == "int8":
        tools.ranges = tensor_ranges(package, inputs_of(graph))
    dialect = choose(trt, features, plan)(trt, features, plan, result)
    return build(tools, plan, dialect, True), result, dialect.letter


def test_every_surface_has_its_expected_dialect() -> None:
    assert {version: letter_of(Features(module(s))) for version, s in surfaces().items()} == DIALECT


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("precision", ["fp32", "tf32", "fp16", "int8"])
@pytest.mark.parametrize("relu6", ["clip", "relu_sub"])
def test_a_version_builds_with_its_own_names(
    tmp_path: Path, all_surfaces: dict[str, Any], version: str, precision: str, relu6: str
) -> None:
    trt = module(all_surfaces[version])
    built, _, letter = build_with(trt, tmp_path, relu6, precision=precision, batch=2)
    assert letter == DIALECT[version]
    assert bytes(built.serialized) == b"serialized"


@pytest.mark.parametrize("version", ["6.0.1", "7.2.3", "8.0.1", "8.4.1", "8.5.3.1", "8.6.0"])
def test_implicit_batch_is_built_by_the_calls_of_tensorrt_6(
    tmp_path: Path, all_surfaces: dict[str, Any], version: str
) -> None:
    trt = module(all_surfaces[version])
    _, _, letter = build_with(trt, tmp_path, batch_mode="implicit", batch=4)
    assert letter == "B"
    assert ("Builder", "create_network", 0) in trt.calls
    assert ("Builder", "max_batch_size") in trt.calls
    shapes = [call[4] for call in trt.calls if call[:2] == ("INetworkDefinition", "add_input")]
    assert shapes == [(3, 32, 32)]


@pytest.mark.parametrize("version", ["10.16.1.11", "11.0.0.114", "rtx-1.7.1.116"])
def test_implicit_batch_is_refused_where_it_went_away(
    tmp_path: Path, all_surfaces: dict[str, Any], version: str
) -> None:
    with pytest.raises(UnsupportedError, match="implicit batch"):
        build_with(module(all_surfaces[version]), tmp_path, batch_mode="implicit")


def test_clip_is_put_together_where_there_is_none(tmp_path: Path, all_surfaces: dict[str, Any]) -> None:
    trt = module(all_surfaces["5.0.2"])
    _, result, _ = build_with(trt, tmp_path)
    kinds = {call[3] for call in trt.calls if call[:2] == ("INetworkDefinition", "add_activation")}
    assert kinds == {trt.ActivationType.RELU}
    assert any("no clip" in line for line in result.not_expressible)


def test_asymmetric_padding_is_a_layer_of_its_own_where_there_are_no_two_sides(
    tmp_path: Path, all_surfaces: dict[str, Any]
) -> None:
    trt = module(all_surfaces["5.0.2"])
    build_with(trt, tmp_path)
    paddings = [call[3:] for call in trt.calls if call[:2] == ("INetworkDefinition", "add_padding")]
    assert ((0, 0), (1, 1)) in paddings
    later = module(all_surfaces["5.1.5"])
    build_with(later, tmp_path)
    assert not [call for call in later.calls if call[:2] == ("INetworkDefinition", "add_padding")]


@pytest.mark.parametrize("version", ["8.5.3.1", "8.6.0", "10.16.1.11"])
def test_weak_typing_says_precision_in_flags(
    tmp_path: Path, all_surfaces: dict[str, Any], version: str
) -> None:
    trt = module(all_surfaces[version])
    build_with(trt, tmp_path, precision="fp16")
    assert ("IBuilderConfig", "set_flag", trt.BuilderFlag.FP16) in trt.calls
    assert ("IBuilderConfig", "clear_flag", trt.BuilderFlag.TF32) in trt.calls


@pytest.mark.parametrize("version", ["11.0.0.114", "rtx-1.4.0.76", "rtx-1.7.1.116"])
def test_strong_typing_sets_no_precision_flag(
    tmp_path: Path, all_surfaces: dict[str, Any], version: str
) -> None:
    trt = module(all_surfaces[version])
    build_with(trt, tmp_path, precision="fp16")
    assert not [call for call in trt.calls if call[:2] == ("IBuilderConfig", "set_flag")]
    casts = [call for call in trt.calls if call[:2] == ("INetworkDefinition", "add_cast")]
    assert [call[3] for call in casts] == ["float16", "float32"]  # inputs and outputs stay FP32


def test_strong_typing_is_a_choice_from_9_on(tmp_path: Path, all_surfaces: dict[str, Any]) -> None:
    trt = module(all_surfaces["10.16.1.11"])
    build_with(trt, tmp_path, precision="fp16", typing="strong")
    strongly = 1 << trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED
    created = [call[2] for call in trt.calls if call[:2] == ("Builder", "create_network")]
    assert [flags & strongly for flags in created] == [strongly]
    with pytest.raises(UnsupportedError, match="strong typing"):
        build_with(module(all_surfaces["8.6.0"]), tmp_path, typing="strong")


@pytest.mark.parametrize(
    ("version", "flag"), [("6.0.1", "STRICT_TYPES"), ("8.0.1", "STRICT_TYPES"), ("8.5.3.1", "DIRECT_IO")]
)
def test_a_format_may_be_reached_by_a_reformat_unless_that_is_forbidden(
    tmp_path: Path, all_surfaces: dict[str, Any], version: str, flag: str
) -> None:
    for direct in (False, True):
        trt = module(all_surfaces[version])
        options = {"direct_io": direct}
        build_with(trt, tmp_path, precision="fp16", tensor_format="hwc8", options=options)
        forbidden = ("IBuilderConfig", "set_flag", getattr(trt.BuilderFlag, flag))
        assert (forbidden in trt.calls) is direct
        assert trt.calls.count(("ITensor", "allowed_formats")) == 2


def test_a_format_that_a_version_does_not_know_is_unsupported(
    tmp_path: Path, all_surfaces: dict[str, Any]
) -> None:
    with pytest.raises(UnsupportedError, match="this version has LINEAR"):
        build_with(module(all_surfaces["6.0.1"]), tmp_path, precision="fp16", tensor_format="hwc")
    with pytest.raises(UnsupportedError, match="linear only"):
        build_with(module(all_surfaces["5.1.5"]), tmp_path, precision="fp16", tensor_format="hwc8")


@pytest.mark.parametrize(("asked", "state"), [("core", True), ("all", False)])
def test_tactic_sources_and_their_preview_feature_are_set_together(
    tmp_path: Path, all_surfaces: dict[str, Any], asked: str, state: bool
) -> None:
    trt = module(all_surfaces["8.6.0"])
    build_with(trt, tmp_path, tactic_sources=asked)
    external = trt.PreviewFeature.DISABLE_EXTERNAL_TACTIC_SOURCES_FOR_CORE_0805
    assert ("IBuilderConfig", "set_preview_feature", external, state) in trt.calls
    sources = trt.TacticSource
    mask = 1 << sources.EDGE_MASK_CONVOLUTIONS | 1 << sources.JIT_CONVOLUTIONS
    if asked == "all":
        mask |= 1 << sources.CUBLAS | 1 << sources.CUBLAS_LT | 1 << sources.CUDNN
    assert ("IBuilderConfig", "set_tactic_sources", mask) in trt.calls


def test_core_tactic_sources_need_a_source_of_the_builder(
    tmp_path: Path, all_surfaces: dict[str, Any]
) -> None:
    with pytest.raises(UnsupportedError, match="external sources only"):
        build_with(module(all_surfaces["8.2.1"]), tmp_path, tactic_sources="core")
    _, result, _ = build_with(module(all_surfaces["7.0.0"]), tmp_path, tactic_sources="core")
    assert any("tactic_sources core" in line for line in result.not_expressible)


def test_an_older_dialect_is_spoken_on_request(tmp_path: Path, all_surfaces: dict[str, Any]) -> None:
    for letter in "BCD":
        trt = module(all_surfaces["8.5.3.1"])
        assert build_with(trt, tmp_path, options={"dialect": letter})[2] == letter
    with pytest.raises(UnsupportedError, match="dialect C: this version lacks"):
        build_with(module(all_surfaces["10.16.1.11"]), tmp_path, options={"dialect": "C"})
