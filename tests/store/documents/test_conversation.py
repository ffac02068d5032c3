"""Messages between harness and worker are read strictly: what neither side knows is named."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from harness.store.documents.conversation import (
    Built,
    Close,
    Loaded,
    SliceTaken,
    TakenSamples,
    TakeSlice,
    answer_of,
    command_of,
)

OK = {"status": "ok", "reason": ""}
SAMPLES = {"clock": "host", "start_ns": [1, 2], "latency_ms": [0.5, 0.25]}


def test_each_command_is_one_of_its_kind() -> None:
    asked = {"command": "slice", "pass": "latency", "seconds": 0.5}
    assert command_of(asked) == TakeSlice(pass_name="latency", seconds=0.5, at_least=1, at_most=1, settle=0)
    assert command_of({"command": "close"}) == Close()


def test_each_answer_is_one_of_its_kind() -> None:
    assert answer_of({"answer": "build", **OK}) == Built(status="ok", reason="", more=False)
    assert answer_of({"answer": "load", **OK, "passes": ["a"]}) == Loaded(
        status="ok", reason="", passes=["a"]
    )
    taken = TakenSamples(clock="host", start_ns=[1, 2], latency_ms=[0.5, 0.25])
    assert answer_of({"answer": "slice", **OK, "samples": SAMPLES}) == SliceTaken(
        status="ok", reason="", samples=taken
    )


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ({}, "missing required field `command`"),
        ({"command": "sing"}, "Invalid value 'sing'"),
        ({"command": "build", "louder": True}, "unknown field `louder`"),
        ({"command": "warm_up", "pass": "latency"}, "missing required field `seconds`"),
        ({"command": "profile", "iterations": 1.5}, "Expected `int`, got `float`"),
    ],
)
def test_what_is_no_command_is_refused(message: dict[str, Any], said: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=said):
        command_of(message)


@pytest.mark.parametrize(
    ("message", "said"),
    [
        (OK, "missing required field `answer`"),
        ({"answer": "build", "status": "ok"}, "missing required field `reason`"),
        ({"answer": "build", "reason": ""}, "missing required field `status`"),
        ({"answer": "load", **OK, "mood": "good"}, "unknown field `mood`"),
        ({"answer": "slice", **OK, "samples": {**SAMPLES, "window": 0}}, "unknown field `window`"),
        ({"answer": "slice", **OK, "samples": {"clock": "host", "start_ns": []}}, "`latency_ms`"),
        ({"answer": "warm_up", **OK, "inferences": "3"}, "Expected `int`, got `str`"),
    ],
)
def test_what_is_no_answer_is_refused(message: dict[str, Any], said: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=said):
        answer_of(message)
