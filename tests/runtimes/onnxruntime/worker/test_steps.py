"""onnxruntime in an environment of its own: every optimization level, attributed to the last op."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.worker.live import run_live, uncovered

VERSION = "1.22.1"


@pytest.mark.parametrize("relu6", ["clip", "relu_sub"])
@pytest.mark.parametrize("level", ["disable_all", "basic", "extended", "all"])
def test_every_level_is_attributed_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, level: str, relu6: str
) -> None:
    options = {"graph_optimization_level": level}
    live = run_live(tmp_path, monkeypatch, "onnxruntime", VERSION, relu6, options=options)
    assert (live.said["status"], live.said["reason"]) == ("ok", "")
    assert live.setting("graph_optimization_level") == level
    assert uncovered(live) == set()
    assert live.engine.unattributed_ms == 0
    assert live.evidence.warnings == ()
    assert all(layer.time_ms is not None for layer in live.engine.layers)
    families = Counter(str(layer.family) for layer in live.engine.layers)
    assert families["unknown"] == 0
    if level in ("disable_all", "basic"):
        # One node an op; the only kernels are those of the plain layout.
        carried = sorted(layer.source_ops for layer in live.engine.layers)
        assert carried == sorted((op.name,) for op in live.graph.ops)
        assert families["gemm"] == 5


def test_settings_and_facts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    live = run_live(tmp_path, monkeypatch, "onnxruntime", VERSION)
    assert live.setting("intra_op_num_threads") == 1
    assert live.setting("providers") == ["CPUExecutionProvider"]
    facts = live.said["facts"]
    assert facts["onnxruntime"] == VERSION
    assert facts["build_seconds"] > 0
    assert facts["peaks"]["flops_per_s"] > 0
    profile = live.evidence.profile
    assert profile is not None
    assert [(one.round, one.settle) for one in profile.rounds] == [(0, 3), (1, 1), (2, 1), (3, 1), (4, 1)]
    assert len(profile.plain_ms) == 2  # before the first and the fifth round
    over = [one.at for one in profile.rounds]
    assert None not in over
    assert over == sorted(over, key=lambda at: at or 0.0)
    assert live.evidence.iterations == sum(len(one.inference_ms) for one in profile.rounds) == 5
    # What a node takes lies within the inference that it is part of, which says that both are the same.
    layers_ms = sum(row.samples_ms[3] for row in live.evidence.times)
    assert 0 < layers_ms < profile.rounds[3].inference_ms[0] + 0.001 * len(live.evidence.times)
    assert all(len(row.samples_ms) == 5 for row in live.evidence.times)
    # No weights are kept.
    assert sorted(path.name for path in (live.folder / "evidence").iterdir()) == [
        "optimized.json",
        "profile_runs.json",
        "trace.json.gz",
    ]


def test_without_a_profile_there_are_no_layers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.worker.worker_jobs import MEASURE

    live = run_live(
        tmp_path, monkeypatch, "onnxruntime", VERSION, measure={**MEASURE, "profile_iterations": 0}
    )
    assert live.said["status"] == "ok"
    assert live.engine.layers == ()


@pytest.mark.parametrize(
    ("changes", "status", "reason"),
    [
        ({"treatment": {"precision": "fp16"}}, "unsupported", "precision 'fp16' is not for this runtime"),
        ({"options": {"colour": "red"}}, "failed", "job: options.colour is unknown; known: "),
        (
            {"options": {"graph_optimization_level": "most"}},
            "failed",
            "job: options.graph_optimization_level",
        ),
    ],
)
def test_what_cannot_be_done_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changes: dict[str, object], status: str, reason: str
) -> None:
    live = run_live(tmp_path, monkeypatch, "onnxruntime", VERSION, **changes)  # type: ignore[arg-type]
    assert live.said["status"] == status
    assert live.said["reason"].startswith(reason)
