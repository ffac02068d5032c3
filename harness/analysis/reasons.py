"""The reasons of a verdict in words, beside the numbers they come from."""

from __future__ import annotations

from collections.abc import Sequence

from harness.analysis.blocks import SharedPass
from harness.analysis.comparison import Found
from harness.analysis.groups import BuildGroup
from harness.analysis.material import SHOWN
from harness.analysis.rules.base import Rule
from harness.analysis.series import Series
from harness.analysis.table import INDETERMINATE, MINIMUM_BUILDS, Answer, State
from harness.analysis.wording import change_that_shows, milliseconds_of_both

_NOTHING = "costs less than 0.1 % of the layer time"


def reason_of(
    rule: Rule | None,
    said: Answer,
    sides: tuple[Series, Series],
    found: Found,
    nothing: tuple[bool, bool],
) -> str:
    """Return why a pair was given its answer, with the costs of both sides and what could have been seen.

    :param sides: the old and the new; :param nothing: which of them costs too little to be told from nothing
    """
    reason = said.reason
    if rule is not None:
        if all(nothing) and said.change is not None:
            return f"{_NOTHING} on both sides"
        before, after = sides
        reason = f"{reason}; {milliseconds_of_both(before.values, after.values)}"
        reason = _with_floor(reason, *nothing)
    if said.change is None and found.smallest is not None:
        of = "" if rule is None else "it"
        reason = f"{reason}; {change_that_shows(found.smallest, of)}"
    return reason


def too_few(sides: tuple[int, int]) -> str:
    """Return the reason where a side has too few builds. :param sides: builds of the old and of the new"""
    old, new = map(builds_in_words, sides)
    reason = f"{old} of the old and {new} of the new: with fewer than {MINIMUM_BUILDS} on a side "
    return f"{reason}no change of any size can be shown"


def state_in_words(series: Series, state: State | None) -> tuple[str, str]:
    """Return the word of a group that is held against nothing, and the reason."""
    if (share := series.share) is None:
        if len(series.values) < MINIMUM_BUILDS:
            return (
                INDETERMINATE,
                f"{builds_in_words(len(series.values))}: fewer than {MINIMUM_BUILDS} show no spread",
            )
        return INDETERMINATE, "the profile covers a part of the network: no share of the whole"
    if not any(series.values):
        return (INDETERMINATE if state is None else state), _NOTHING
    interval = f"{100 * share.low:.1f} to {100 * share.high:.1f}"
    text = f"costs {100 * share.estimate:.1f} % of the layer time ({interval})"
    return (INDETERMINATE, f"{text}, neither wholly above nor below 5 %") if state is None else (state, text)


def differences_besides(old: BuildGroup, new: BuildGroup, kind: str) -> tuple[str, ...]:
    """Return in words what differs between two groups besides what is compared and what a run varies."""
    if old.identity is None or new.identity is None or (old.pool == new.pool and kind != "run"):
        return ()
    compared = ("run ",) if kind == "run" else ("version ", "environment fingerprint ")
    return tuple(x for x in new.identity.differences(old.identity) if not x.startswith(compared))


def engines_in_words(shared: SharedPass | None) -> str:
    """Return of one build a side with several processes each how the two engines differ, empty elsewhere."""
    if shared is None or shared.in_all != (1, 1):
        return ""
    (old,), (new,) = (shared.levels.members[side] for side in (shared.old, shared.new))
    processes = [len(shared.levels.of_build[build]) for build in (old, new)]
    found = shared.levels.engines(old, new) if min(processes) > 1 else None
    if found is None:
        return ""
    shown = found.ratio(SHOWN)
    return (
        f"these two engines differ by {shown.estimate:.4f} times ({shown.low:.4f} to {shown.high:.4f}), "
        "which says nothing of other builds"
    )


def no_total(before: Series, after: Series) -> str:
    """Return why a change cannot be said as a share of the layer time, empty where it can."""
    if len(before.totals) != len(before.values):
        return "the old builds have no total layer time"
    if before.shares is None or after.shares is None:
        return "the profile covers a part of the network: what a change is worth of the whole cannot be told"
    return ""


def left_out(shared: SharedPass | None, there: tuple[int, int], used: tuple[int, int]) -> list[str]:
    """Return of a comparison within blocks how many builds were measured outside of them, one text or none.

    :param there: builds of the old and of the new that have a value; :param used: those that were compared
    """
    missing = sum(there) - sum(used)
    if shared is None or missing <= 0:
        return []
    where = "not in these blocks" if shared.others else "not in this block"
    return [f"{where} and left out: {builds_in_words(missing)}"]


def with_notes(reason: str, old: Sequence[str], new: Sequence[str]) -> str:
    """Return *reason* with what is to be known of both costs.

    Each side is named where they differ: then unlike things are compared.
    """
    if old == new:
        return "; ".join([reason, *new])
    sides = [f"{side}: {'; '.join(notes)}" for side, notes in (("old", old), ("new", new)) if notes]
    return "; ".join([reason, *sides])


def builds_in_words(count: int) -> str:
    """Return ``no build``, ``one build``, ``3 builds``."""
    return {0: "no build", 1: "one build"}.get(count, f"{count} builds")


def _with_floor(reason: str, old: bool, new: bool) -> str:
    """Say of a cost that is below the floor on a side (True) that the ratio is not that of two costs."""
    if old is new:
        return reason
    side = "old" if old else "new"
    return f"{reason}; the {side} {_NOTHING} and is counted as that much"
