"""Why nothing can be told: a group cannot be looked at, or nothing is held against its baseline."""

from __future__ import annotations

from harness.analysis.comparison import Comparison
from harness.analysis.reasons import builds_in_words
from harness.analysis.table import INDETERMINATE, INVALID, UNSUPPORTED
from harness.analysis.verdict import Verdict

_CANNOT_RUN = ("unsupported", "unavailable")


def cannot_be_looked_at(comparison: Comparison) -> Verdict | None:
    """Return the verdict on a new side that cannot be looked at, None where it can."""
    new = comparison.new
    if new.invalid:
        detail = f": {new.problem}" if new.problem else ""
        return comparison.verdict(INVALID, f"outputs out of bounds in {builds_in_words(new.invalid)}{detail}")
    if not new.builds:
        if new.throttled:
            return comparison.verdict(
                INDETERMINATE, f"all {builds_in_words(new.throttled)} were throttled most of the time"
            )
        if new.status in _CANNOT_RUN:
            return comparison.verdict(UNSUPPORTED, new.problem or f"the cell is {new.status} here")
        reason = f"no build to look at: {new.problem or new.status}"
        return comparison.verdict(INDETERMINATE, reason, evidence={"status": new.status})
    if not (series := new.series(comparison.rule)).values:
        missing = "layer times" if comparison.rule is not None else "latency samples"
        reason = series.problem or f"no build has {missing} that tell"
        return comparison.verdict(INDETERMINATE, reason)
    return None


def baseline_problem(comparison: Comparison) -> str | None:
    """Return why nothing is held against the old side, None where it can be or where there is none."""
    old = comparison.old
    if old is None:
        return None
    if old.invalid:
        return f"outputs of {comparison.against} are out of bounds: nothing is compared with them"
    if not old.builds:
        return f"{comparison.against} has no build to compare with: {old.problem or old.status}"
    if not (series := old.series(comparison.rule)).values:
        return series.problem or f"no build of {comparison.against} can tell"
    digests = {old.digest, comparison.new.digest} - {"unknown"}
    if len(digests) > 1 and comparison.kind != "treatment":
        return f"{comparison.against} ran another network: the digests differ"
    return None
