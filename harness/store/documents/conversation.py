"""The messages between harness and worker, one JSON object a line (see ``worker-protocol.md``)."""

from __future__ import annotations

from typing import Any

import msgspec


class Command(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="command"):
    """Base of what the harness asks for."""


class Build(Command, frozen=True, tag="build"):
    """Build the engine, or the next of several."""


class Load(Command, frozen=True, tag="load"):
    """Make it ready, leave its outputs, name its passes."""


class WarmUp(Command, frozen=True, kw_only=True, tag="warm_up", rename={"pass_name": "pass"}):
    """Run inferences that are not counted for *seconds*, at least one."""

    pass_name: str
    seconds: float


class TakeSlice(Command, frozen=True, kw_only=True, tag="slice", rename={"pass_name": "pass"}):
    """Take samples for *seconds*, between *at_least* and *at_most*, after *settle* that are not counted."""

    pass_name: str
    seconds: float
    at_least: int = 1
    at_most: int = 1
    settle: int = 0


class Profile(Command, frozen=True, kw_only=True, tag="profile"):
    """Leave the times of the engine's layers."""

    iterations: int


class Close(Command, frozen=True, tag="close"):
    """Write ``result.json`` and end."""


class Answer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="answer"):
    """Base of what the worker answers.

    :param status: ``ok``, ``failed``, ``unsupported``; :param reason: one line, empty when ok
    """

    status: str
    reason: str


class Built(Answer, frozen=True, kw_only=True, tag="build"):
    """:param more: another engine follows: the harness begins again with ``build`` after this one"""

    more: bool = False


class Loaded(Answer, frozen=True, kw_only=True, tag="load"):
    """:param passes: names of the passes to measure, the treatment's own first"""

    passes: list[str] = msgspec.field(default_factory=list)


class WarmedUp(Answer, frozen=True, kw_only=True, tag="warm_up"):
    """:param inferences: how many there were"""

    inferences: int = 0


class TakenSamples(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Columns of one slice: lists of one length, or null where not measured."""

    clock: str
    start_ns: list[int]
    latency_ms: list[float]
    enqueue_ms: list[float] | None = None
    host_ms: list[float] | None = None
    cpu_ms: list[float] | None = None


class SliceTaken(Answer, frozen=True, kw_only=True, tag="slice"):
    """:param samples: none where it was not done"""

    samples: TakenSamples | None = None


class Profiled(Answer, frozen=True, tag="profile"):
    """The profile lies in the evidence."""


class Closed(Answer, frozen=True, tag="close"):
    """``result.json`` is written, and the worker ends."""


AnyCommand = Build | Load | WarmUp | TakeSlice | Profile | Close
AnyAnswer = Built | Loaded | WarmedUp | SliceTaken | Profiled | Closed


def command_of(message: dict[str, Any]) -> AnyCommand:
    """Return the typed form of a command.

    :raises msgspec.ValidationError: it is none
    """
    found: AnyCommand = msgspec.convert(message, AnyCommand)
    return found


def answer_of(message: dict[str, Any]) -> AnyAnswer:
    """Return the typed form of an answer.

    :raises msgspec.ValidationError: it is none
    """
    found: AnyAnswer = msgspec.convert(message, AnyAnswer)
    return found
