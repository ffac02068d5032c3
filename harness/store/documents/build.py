"""``build.json``: one build, how its worker ended, whether its outputs are right, and where it comes from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Annotated, Any, ClassVar

from msgspec import Meta, field

from harness.store.documents.base import UNKNOWN, Document, Part
from harness.store.documents.origin import Host, Software, fingerprint

Time = Annotated[datetime, Meta(tz=True)]
"""A time with its offset; we write UTC."""


class Outcome(Part, frozen=True, kw_only=True):
    """How the worker's process ended.

    :param status: ``ok``, ``failed``, ``killed``, ``time_limit`` ...
    :param seconds: wall time; :param peak_memory_bytes: resident
    :param facts: what its environment adds: states of the GPU, digest of the worker ...
    """

    status: str
    exit_code: int | None = None
    seconds: float | None = None
    peak_memory_bytes: int | None = None
    facts: dict[str, Any] = field(default_factory=dict)


class Outputs(Part, frozen=True, kw_only=True):
    """How the outputs compare with the FP32 reference (:func:`harness.networks.bounds.check_outputs`).

    :param error: largest absolute difference over the reference's largest absolute value; None is infinite
    :param bound: what was allowed; :param top1: agreement of the first answer, None where the margin is small
    """

    valid: bool
    error: float | None
    bound: float
    top1: float | None = None
    reason: str = ""


def _of_1(old: dict[str, Any]) -> dict[str, Any]:
    """Return the present form of ``trtmatrix.build/1``: of its software it knew what the environment held."""
    new = {key: value for key, value in old.items() if key in _SAME and value is not None}
    environment = old.get("environment") or {}
    new["host"] = {"machine": UNKNOWN, "device": UNKNOWN}
    if "host" in old:
        host = Host.named(_text(old["host"]))
        new["host"] = {"machine": host.machine, "device": host.device}
    new["software"] = {"fingerprint": fingerprint(environment)}
    new["environment"] = environment
    if outcome := old.get("outcome"):
        named = {key: outcome[key] for key in _OUTCOME if key in outcome}
        new["outcome"] = {**named, "facts": {k: v for k, v in outcome.items() if k not in _OUTCOME}}
    new.setdefault("round", old["build"])
    unknown = sorted(old.keys() - _SAME - {"schema", "host", "environment", "outcome"})
    if unknown:
        raise ValueError(f"it has no '{unknown[0]}'")
    return new


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"host: expected a text, found {value!r:.40}")
    return value


_OUTCOME = ("status", "exit_code", "seconds", "peak_memory_bytes")
_SAME = {
    "cell", "build", "round", "status", "reason", "digest", "outputs", "started", "log_tail", "visit",
    "recorded", "files",
}  # fmt: skip


class Build(Document, frozen=True, kw_only=True, tag="trtmatrix.build/2"):
    """One build of a cell.

    :param build: number within the cell and run, from 0; :param round: round of the run that it belongs to
    :param run: id of its run, ``unknown`` where the bundle's is meant
    :param pool: what builds share that may be pooled, ``unknown`` where the run is meant
    :param status: ``ok``, ``failed``, ``unsupported`` ...; :param reason: why, one line
    :param started, ended: of the worker; None for recorded files
    :param block: what builds share that were measured side by side; empty for one that was measured alone
    :param lost_processes: of its further processes, those that did not come to their end, and why
    :param digest: of the network
    :param environment: what the environment really held: packages, image, Python ...
    :param visit: id of the visit to a host that it was measured in
    :param kept_engine: what an anchor's engine is called that is kept over nights; empty for all others
    :param recorded: when recorded files were imported; :param files: their names to digests
    """

    EARLIER: ClassVar[Mapping[str, Callable[[dict[str, Any]], dict[str, Any]]]] = {"trtmatrix.build/1": _of_1}

    cell: str
    build: Annotated[int, Meta(ge=0)]
    status: str
    reason: str = ""
    run: str = UNKNOWN
    pool: str = UNKNOWN
    round: Annotated[int, Meta(ge=0)] = 0
    started: Time | None = None
    ended: Time | None = None
    block: str = ""
    lost_processes: list[str] = field(default_factory=list)
    digest: str = UNKNOWN
    host: Host = field(default_factory=Host)
    software: Software = field(default_factory=Software)
    environment: dict[str, Any] = field(default_factory=dict)
    outcome: Outcome | None = None
    outputs: Outputs | None = None
    log_tail: str = ""
    visit: str = ""
    kept_engine: str = ""
    recorded: Time | None = None
    files: dict[str, str] = field(default_factory=dict)

    @property
    def state(self) -> str:
        """``ok``, ``invalid`` (outputs wrong), ``unsupported`` or ``failed``."""
        if self.status == "ok" and self.outputs is not None and not self.outputs.valid:
            return "invalid"
        return self.status if self.status in ("ok", "invalid", "unsupported") else "failed"
