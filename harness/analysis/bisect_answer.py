"""How what a bisection found is said: as JSON, and for people."""

from __future__ import annotations

from harness.analysis.bisect import ChangeLocation
from harness.analysis.verdict import verdict_message
from harness.written import number_of


def location_as_json(location: ChangeLocation) -> dict[str, object]:
    """Return the JSON form (schema ``trtmatrix.bisect/1``)."""
    return {
        "schema": "trtmatrix.bisect/1",
        "before": location.before,
        "after": location.after,
        "certain": location.certain,
        "evaluated": list(location.evaluated),
        "cannot_run": dict(location.cannot_run),
        "reason": location.reason,
        "verdict": None if location.verdict is None else location.verdict.as_json(),
        "neighbours": [verdict.as_json() for verdict in location.neighbours],
    }


def location_message(location: ChangeLocation) -> str:
    """Return what was found, for people."""
    evaluated = f"{number_of(len(location.evaluated), 'cell')} evaluated: {', '.join(location.evaluated)}"
    lines = [f"{location.reason} ({evaluated})"]
    if location.before is not None and location.verdict is not None:
        lines.append(verdict_message(location.verdict))
    lines += map(verdict_message, location.neighbours)
    return "\n".join(lines + [f"{version}: {why}" for version, why in location.cannot_run.items()])
