"""The status of a cell: what its builds add up to, in a run that ended and in one that was killed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.store.bundle import BuildRecord

UNREACHED = "the run ended before this cell was measured"

_SEVERITY = {"ok": 0, "unsupported": 1, "invalid": 2, "failed": 3}


def build_state(document: Mapping[str, object]) -> str:
    """Return ``ok``, ``invalid`` (outputs wrong), ``unsupported`` or ``failed`` for a ``build.json``."""
    outputs = document.get("outputs")
    if document.get("status") == "ok" and isinstance(outputs, Mapping) and not outputs.get("valid", True):
        return "invalid"
    status = str(document.get("status"))
    return status if status in _SEVERITY else "failed"


def worst_of(builds: Sequence[BuildRecord]) -> BuildRecord:
    """Return the first of the *builds* (one or more) whose state is the worst: it decides for the cell."""
    return max(builds, key=lambda build: _SEVERITY[build_state(build.document)])


def cell_status(worst: BuildRecord) -> tuple[str, str]:
    """Return status and reason of the cell whose worst build is *worst*."""
    state = build_state(worst.document)
    outputs = worst.document.get("outputs")
    reason = worst.reason or (str(outputs.get("reason", "")) if isinstance(outputs, Mapping) else "")
    return "measured" if state == "ok" else state, reason
