"""Messages are values: nobody changes one on its way, and each part of one is named."""

from __future__ import annotations

import inspect
from typing import get_args

import pytest

from harness.store.documents.conversation import (
    AnyAnswer,
    AnyCommand,
    Built,
    Loaded,
    SliceTaken,
    TakenSamples,
    TakeSlice,
    WarmedUp,
    WarmUp,
    answer_of,
    command_of,
)

EVERY = [*get_args(AnyCommand), *get_args(AnyAnswer), TakenSamples]


@pytest.mark.parametrize("kind", EVERY, ids=lambda kind: kind.__name__)
def test_a_message_does_not_change_and_its_parts_are_named(kind: type) -> None:
    config = kind.__struct_config__  # type: ignore[attr-defined]
    assert config.frozen
    assert config.forbid_unknown_fields
    kinds = {field.kind for field in inspect.signature(kind).parameters.values()}
    assert kinds <= {inspect.Parameter.KEYWORD_ONLY}


def test_each_step_of_a_conversation_is_asked_for_and_answered_by_one_name() -> None:
    asked = {kind.__struct_config__.tag: kind for kind in get_args(AnyCommand)}
    told = {kind.__struct_config__.tag: kind for kind in get_args(AnyAnswer)}
    assert set(asked) == set(told) == {"build", "load", "warm_up", "slice", "profile", "close"}
    for name in ("build", "load", "close"):
        assert type(command_of({"command": name})) is asked[name]
    for name, kind in told.items():
        assert type(answer_of({"answer": name, "status": "ok", "reason": ""})) is kind


def test_what_a_message_leaves_out_is_the_least_that_it_can_mean() -> None:
    done = {"status": "ok", "reason": ""}
    assert answer_of({"answer": "build", **done}) == Built(status="ok", reason="", more=False)
    assert answer_of({"answer": "load", **done}) == Loaded(status="ok", reason="", passes=[])
    assert answer_of({"answer": "warm_up", **done}) == WarmedUp(status="ok", reason="", inferences=0)
    assert answer_of({"answer": "slice", **done}) == SliceTaken(status="ok", reason="", samples=None)
    bare = TakenSamples(clock="gpu", start_ns=[], latency_ms=[])
    assert (bare.enqueue_ms, bare.host_ms, bare.cpu_ms) == (None, None, None)
    asked = command_of({"command": "slice", "pass": "cold_l2", "seconds": 0.5})
    assert asked == TakeSlice(pass_name="cold_l2", seconds=0.5, at_least=1, at_most=1, settle=0)
    assert command_of({"command": "warm_up", "pass": "cold_l2", "seconds": 0.5}) == WarmUp(
        pass_name="cold_l2", seconds=0.5
    )
