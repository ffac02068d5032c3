"""Tensor formats that 8.6.0 really accepted at the edges of MobileNet v1 FP16, and what it did inside."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.attribution.adoption import Reformats, adoption, reformats
from harness.attribution.format_trial import FormatTrial
from harness.runtimes.tensorrt.runtime import TensorRT
from tests.runtimes.worker_builds import FORMATS

ACCEPTED = [
    ("LINEAR", "fp32"),
    *((name, "fp16") for name in ("LINEAR", "CHW2", "HWC8", "CHW4", "CHW16", "CHW32", "HWC16")),
]
KEPT = {("LINEAR", "fp32"), ("HWC8", "fp16"), ("CHW32", "fp16")}
"""Those whose engine layers are among the recorded files."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The build folder."""
    return FORMATS.put(tmp_path_factory.mktemp("formats"))


@pytest.fixture(scope="module")
def trials(folder: Path) -> dict[tuple[str, str], FormatTrial]:
    """Trials by format and type, in the order they were made."""
    return {(x.name, x.io_type): x for x in TensorRT().format_trials(folder, FORMATS.graph)}


def inside(trial: FormatTrial) -> Reformats:
    """The reformats of a trial's engine."""
    assert trial.engine is not None
    return reformats(trial.engine)


def test_eight_were_accepted_and_the_rest_says_why_not(trials: dict[tuple[str, str], FormatTrial]) -> None:
    assert [key for key, trial in trials.items() if trial.accepted] == ACCEPTED
    refused = [trial for trial in trials.values() if not trial.accepted]
    assert [x.name for x in refused] == ["HWC", "DHWC8", "CDHW32", "DLA_LINEAR", "DLA_HWC4", "DHWC"]
    for trial in refused:
        assert trial.reason
        assert "\n" not in trial.reason
        assert (trial.latency_ms, trial.difference, trial.engine) == (None, None, None)


def test_the_facts_of_the_build_say_the_same(
    folder: Path, trials: dict[tuple[str, str], FormatTrial]
) -> None:
    evidence = TensorRT().read(folder)
    assert evidence.warnings == ()
    # One log and many engines: layers belong to a format, never to the build as a whole.
    assert (evidence.layers, evidence.times) == ((), ())
    assert evidence.facts["accepted_formats"] == [name for name, io_type in ACCEPTED if io_type == "fp16"]
    assert evidence.facts["refused_formats"] == [x.name for x in trials.values() if not x.accepted]


def test_outputs_of_every_accepted_format_agree_with_those_of_linear_fp32(
    trials: dict[tuple[str, str], FormatTrial],
) -> None:
    said = FORMATS.document("build.json")["outputs"]
    assert said["valid"]
    found = {key: trials[key].difference for key in ACCEPTED}
    assert found.pop(("LINEAR", "fp32")) == 0.0
    assert all(x is not None and 0.0 < x < said["bound"] for x in found.values())


@pytest.mark.parametrize(
    ("key", "layers", "interior", "boundary", "no_ops"),
    [(("LINEAR", "fp32"), 31, 1, 1, 0), (("HWC8", "fp16"), 29, 0, 0, 0), (("CHW32", "fp16"), 31, 0, 2, 0)],
    ids=str,
)
def test_the_native_format_needs_no_reformat_and_others_need_two(
    trials: dict[tuple[str, str], FormatTrial],
    key: tuple[str, str],
    layers: int,
    interior: int,
    boundary: int,
    no_ops: int,
) -> None:
    trial = trials[key]
    assert trial.engine is not None
    assert len(trial.engine.layers) == layers
    found = inside(trial)
    assert (found.interior, found.boundary, found.no_ops) == (interior, boundary, no_ops)
    assert found.executed == interior + boundary


def test_what_the_reformats_turn_into_what(trials: dict[tuple[str, str], FormatTrial]) -> None:
    linear, wide = inside(trials["LINEAR", "fp32"]), inside(trials["CHW32", "fp16"])
    assert {key: count for key, (count, _) in linear.transitions.items()} == {
        ("linear fp32", "hwc4 fp16"): 1,
        ("hwc8 fp16", "linear fp32"): 1,
    }
    assert {key: count for key, (count, _) in wide.transitions.items()} == {
        ("chw32 fp16", "hwc4 fp16"): 1,
        ("hwc8 fp16", "chw32 fp16"): 1,
    }


@pytest.mark.parametrize("key", sorted(KEPT), ids=str)
def test_engines_of_formats_are_attributed_like_any_other(
    trials: dict[tuple[str, str], FormatTrial], key: tuple[str, str]
) -> None:
    engine = trials[key].engine
    assert engine is not None
    assert engine.total_ms > 0
    assert engine.unattributed_ms == 0
    assert {name for x in engine.layers for name in x.source_ops} == {op.name for op in FORMATS.graph.ops}
    counts = adoption(engine)
    assert (counts.pointwise.on_any_gemm, counts.pointwise.total, counts.activations) == (10, 14, 0)


def test_a_format_without_files_has_a_engine_of_no_layers(
    trials: dict[tuple[str, str], FormatTrial],
) -> None:
    engines = [trials[key].engine for key in ACCEPTED if key not in KEPT]
    assert len(engines) == 5
    assert [engine.layers for engine in engines if engine is not None] == [()] * 5
