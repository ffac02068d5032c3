"""OpenVINO in an environment of its own: precision, threads, layouts, the instruction set's cap."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.worker.live import run_live, uncovered

VERSION = "2024.6.0"


@pytest.mark.parametrize("relu6", ["clip", "relu_sub"])
def test_everything_is_attributed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, relu6: str) -> None:
    live = run_live(tmp_path, monkeypatch, "openvino", VERSION, relu6)
    assert (live.said["status"], live.said["reason"]) == ("ok", "")
    assert uncovered(live) == set()
    assert live.engine.unattributed_ms == 0
    assert "unknown" not in {str(layer.family) for layer in live.engine.layers}
    assert live.evidence.warnings == ()
    # Five rounds of one compiled model, and no fewer than two warm inferences each.
    profile = live.evidence.profile
    assert profile is not None
    assert [(one.round, len(one.inference_ms)) for one in profile.rounds] == [(n, 2) for n in range(5)]
    assert len(profile.plain_ms) == 2  # before the first and the fifth round
    assert live.evidence.iterations == 10
    assert all(len(row.samples_ms) == 5 for row in live.evidence.times)


def test_effective_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    live = run_live(tmp_path, monkeypatch, "openvino", VERSION)
    assert live.setting("INFERENCE_PRECISION_HINT") == "f32"
    assert live.setting("INFERENCE_NUM_THREADS") == 1
    assert live.setting("NUM_STREAMS") == 1
    assert live.said["facts"]["openvino"].startswith(VERSION)
    kernels = {layer.kernel for layer in live.engine.layers if layer.kernel}
    assert not [kernel for kernel in kernels if "avx512" in kernel]


def test_an_nhwc_input_needs_no_reorder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def reordered(folder: str, tensor_format: str) -> int:
        (tmp_path / folder).mkdir()
        treatment: dict[str, object] = {"tensor_format": tensor_format}
        live = run_live(tmp_path / folder, monkeypatch, "openvino", VERSION, treatment=treatment)
        assert uncovered(live) == set()
        return len([layer for layer in live.engine.layers if layer.role == "reformat" and layer.after])

    assert reordered("linear", "linear") > reordered("hwc", "hwc")


def test_what_cannot_be_done_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    live = run_live(tmp_path, monkeypatch, "openvino", VERSION, treatment={"precision": "int8"})
    assert live.said["status"] == "unsupported"
    assert live.said["reason"] == "precision 'int8' is not for this runtime"
