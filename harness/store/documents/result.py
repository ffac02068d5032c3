"""``result.json``: what a worker says of one build."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from msgspec import field

from harness.store.documents.base import Document, Part


class Setting(Part, frozen=True, kw_only=True):
    """One effective setting; settings stand in the order in which they were made."""

    name: str
    value: Any


def _of_protocol_1(data: dict[str, Any]) -> dict[str, Any]:
    """Return the present form of what the release before wrote, with windows in place of slices.

    :raises ValueError: it says nothing at all, as a file does that was never filled
    """
    if not data:
        raise ValueError("an empty object, and every worker states what came of its build")
    kept = {key: value for key, value in data.items() if key not in ("protocol", "windows")}
    return {**kept, "slices": data.get("windows")}


class Result(Document, frozen=True, kw_only=True, tag="trtmatrix.result/2"):
    """Status, facts and settings of one build.

    :param status: ``ok``, ``failed``, ``unsupported``; :param reason: one line, empty when ok
    :param facts: of build and host, by name; a runtime states what it likes
    :param not_expressible: lines, one for each setting that the version cannot express
    :param slices: how many slices were answered, so that a lost one is missed; None where nobody counted
    """

    status: str = "failed"
    reason: str = ""
    facts: dict[str, Any] = field(default_factory=dict)
    settings: list[Setting] = field(default_factory=list)
    not_expressible: list[str] = field(default_factory=list)
    slices: int | None = None

    EARLIER: ClassVar[Mapping[str, Callable[[dict[str, Any]], dict[str, Any]]]] = {"": _of_protocol_1}
