"""The status of a cell: what its builds add up to, in a run that ended and in one that was killed."""

from __future__ import annotations

from collections.abc import Sequence

from harness.store.bundle import BuildRecord

UNREACHED = "the run ended before this cell was measured"

_SEVERITY = {"ok": 0, "unsupported": 1, "invalid": 2, "failed": 3}


def worst_of(builds: Sequence[BuildRecord]) -> BuildRecord:
    """Return the first of the *builds* (one or more) whose state is the worst: it decides for the cell."""
    return max(builds, key=lambda build: _SEVERITY[build.document.state])


def cell_status(worst: BuildRecord) -> tuple[str, str]:
    """Return status and reason of the cell whose worst build is *worst*."""
    state, outputs = worst.document.state, worst.document.outputs
    reason = worst.reason or (outputs.reason if outputs is not None else "")
    return "measured" if state == "ok" else state, reason
