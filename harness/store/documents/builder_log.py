"""``evidence/builder_log.json``: what was read from a builder log, in its place in a published bundle.

The records are those of :mod:`harness.evidence.records`, field by field; rows keep the order of the log.
"""

from __future__ import annotations

from typing import Any

from msgspec import field

from harness.store.documents.base import Document, Part


class LoggedTensor(Part, frozen=True, kw_only=True):
    """A tensor of an engine layer, as printed."""

    name: str
    dimensions: tuple[int, ...] | None = None
    format: str | None = None
    datatype: str | None = None


class LoggedLayer(Part, frozen=True, kw_only=True):
    """A layer of the engine. :param kernel: or primitive; :param attributes: what else was printed of it"""

    position: int
    name: str
    type: str | None = None
    tactic: str | None = None
    kernel: str | None = None
    inputs: tuple[LoggedTensor, ...] = ()
    outputs: tuple[LoggedTensor, ...] = ()
    attributes: dict[str, Any] = field(default_factory=dict)
    engine: int = 0


class LoggedTactic(Part, frozen=True, kw_only=True):
    """A tactic that was weighed for a layer.

    :param formats: the combination being tuned; :param time_ms: None where it was not timed
    :param chosen: whether the builder settled on it
    """

    layer: str
    runner: str | None
    formats: str | None
    tactic: str
    tactic_id: str | None
    kernel: str | None
    time_ms: float | None
    fastest: bool = False
    chosen: bool = False
    engine: int = 0


class LoggedDecision(Part, frozen=True, kw_only=True):
    """What the builder settled on. :param timed: the log shows a time for it; :param cached: from a cache"""

    layer: str
    formats: str | None
    runner: str
    tactic: str
    tactic_id: str | None
    timed: bool
    engine: int = 0
    cached: bool = False


class LoggedCombination(Part, frozen=True, kw_only=True):
    """A format combination that the builder opened.

    :param block: of the layer's costs, from 0; :param tactics, timed: how many below it, and with a time
    """

    layer: str | None
    formats: str | None
    block: int
    runners: tuple[str, ...] = ()
    tactics: int = 0
    timed: int = 0
    decision: LoggedDecision | None = None
    engine: int = 0


class LoggedSkip(Part, frozen=True, kw_only=True):
    """A runner that had nothing to offer for a layer."""

    layer: str
    runner: str
    reason: str
    engine: int = 0


class LoggedWarning(Part, frozen=True, kw_only=True):
    """What the reader could not use. :param line: of the log, from 1"""

    line: int | None
    text: str


class BuilderLog(Document, frozen=True, kw_only=True, tag="trtmatrix.builder-log/1"):
    """All that the readers take from a builder log.

    :param engine_layers: as the log lists them; a description that the engine gives itself goes before them
    """

    tactics: tuple[LoggedTactic, ...] = ()
    skipped_runners: tuple[LoggedSkip, ...] = ()
    combinations: tuple[LoggedCombination, ...] = ()
    engine_layers: tuple[LoggedLayer, ...] = ()
    warnings: tuple[LoggedWarning, ...] = ()
