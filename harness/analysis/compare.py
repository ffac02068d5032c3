"""One comparison of two groups of builds: from their values to a verdict, by the decision table."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from statistics import median

import numpy as np

from harness.analysis.blocks import Blocks, SharedPass
from harness.analysis.groups import BuildGroup, Series
from harness.analysis.layer_changes import LayerRows, layer_rows
from harness.analysis.material import (
    MATERIAL,
    SHOWN,
    SlowBuilds,
    bottleneck_answer,
    latency_answer,
    smallest_seen,
)
from harness.analysis.pairs import Pair, cost_pair, latency_pair, seconds_a_build
from harness.analysis.rules.base import Rule
from harness.analysis.settling import first_builds, what_settles
from harness.analysis.statistics.intervals import Interval, ratio
from harness.analysis.table import (
    INDETERMINATE,
    INVALID,
    MINIMUM_BUILDS,
    RESOLUTION,
    UNSUPPORTED,
    Answer,
    Change,
    State,
    state_of,
)
from harness.analysis.verdict import LATENCY, ONE_AFTER_THE_OTHER, SIDE_BY_SIDE, Verdict
from harness.analysis.wording import change_that_shows, milliseconds_of_both

_CANNOT_RUN = ("unsupported", "unavailable")
_UNKNOWN_HOSTS = ("", "unknown")
_NOTHING = "costs less than 0.1 % of the layer time"


@dataclass(frozen=True)
class PendingVerdict:
    """A verdict whose layers wait for the adjustment over all pairs."""

    verdict: Verdict
    rows: LayerRows | None = None


@dataclass(frozen=True)
class Found:
    """The numbers of a comparison, as :class:`Verdict` has them."""

    effect: float | None = None
    interval: tuple[float, float] | None = None
    builds: tuple[int, int] | None = None
    smallest: float | None = None
    difference: float | None = None
    difference_interval: tuple[float, float] | None = None
    settles: str | None = None


@dataclass(frozen=True)
class Comparison:
    """What is asked: one rule (None: latency) of *new*, beside *old* where there is one.

    :param against: what the old side is called; :param kind: see :class:`Verdict`
    :param blocks: those of the run; :param material: m, a fraction
    """

    rule: Rule | None
    new: BuildGroup
    old: BuildGroup | None = None
    against: str | None = None
    kind: str = "version"
    blocks: Blocks = field(default_factory=Blocks)
    material: float = MATERIAL

    @cached_property
    def shared(self) -> SharedPass | None:
        """The block that both were measured in."""
        return None if self.old is None else self.blocks.shared(self.old, self.new)

    @property
    def name(self) -> str:
        """Name of the rule, or ``latency``."""
        return LATENCY if self.rule is None else self.rule.name

    def verdict(
        self,
        word: str,
        reason: str,
        *,
        state: State | None = None,
        change: Change | None = None,
        found: Found | None = None,
        evidence: Mapping[str, object] | None = None,
    ) -> Verdict:
        """Return the verdict of this comparison with *word* as its answer."""
        cell = self.new.cell
        found = found or Found()
        sides = [0 if x is None else len(x.series(self.rule).values) for x in (self.old, self.new)]
        measured = None
        if self.old is not None and all(sides):
            measured = ONE_AFTER_THE_OTHER if self.shared is None else SIDE_BY_SIDE
        return Verdict(
            bottleneck=self.name,
            network=cell.network,
            treatment=cell.treatment.label,
            runtime=cell.runtime,
            version=cell.version,
            host=self.new.host,
            verdict=word,
            reason=reason,
            cell=cell.id,
            state=state,
            change=change,
            effect=found.effect,
            interval=found.interval,
            builds=found.builds or (sides[0], sides[1]),
            smallest_detectable=found.smallest,
            difference=found.difference,
            difference_interval=found.difference_interval,
            measured=measured,
            settles=found.settles if word == INDETERMINATE else None,
            evidence=evidence or {},
            against=self.against if self.old is not None else None,
            against_cell=None if self.old is None else self.old.cell.id,
            kind=self.kind,
            group=self.new.name,
        )


def compare(comparison: Comparison) -> PendingVerdict | None:
    """Return the verdict, None for the latency of a group with nothing to compare with."""
    new, old = comparison.new, comparison.old
    if (refused := _cannot_be_looked_at(comparison)) is not None:
        return PendingVerdict(refused)
    series = new.series(comparison.rule)
    share = series.share
    state = state_of(share)
    evidence = _evidence(comparison, series, share)
    if old is None:
        if comparison.rule is None:
            return None
        word, reason = _state_word(series, share, state)
        reason = _with_notes(reason, series.notes, series.notes)
        verdict = comparison.verdict(word, reason, state=state, evidence=evidence)
        return PendingVerdict(verdict, layer_rows(None, series))
    if (problem := _baseline_problem(comparison)) is not None:
        verdict = comparison.verdict(INDETERMINATE, problem, state=state, evidence=evidence)
        return PendingVerdict(verdict, layer_rows(None, series))
    rows = layer_rows(old.series(comparison.rule), series)
    return PendingVerdict(_pair(comparison, old, state, evidence), rows)


def differences_besides(old: BuildGroup, new: BuildGroup, kind: str) -> tuple[str, ...]:
    """Return in words what differs between two groups besides what is compared and what a run varies."""
    if old.identity is None or new.identity is None or (old.pool == new.pool and kind != "run"):
        return ()
    compared = ("run ",) if kind == "run" else ("version ", "environment fingerprint ")
    return tuple(x for x in new.identity.differences(old.identity) if not x.startswith(compared))


def common_floor(rule: Rule | None, old: Series, new: Series) -> float:
    """Return the cost, ms, below which costs are not told apart: 0.1 % of the layer time of both sides."""
    totals = [*old.totals, *new.totals]
    if rule is None or not totals:
        return float(np.finfo(np.float64).tiny)
    return RESOLUTION * median(totals)


def _pair(
    comparison: Comparison, old: BuildGroup, state: State | None, evidence: dict[str, object]
) -> Verdict:
    before, after = old.series(comparison.rule), comparison.new.series(comparison.rule)
    notes = before.notes, after.notes
    if comparison.rule is None:
        pair = latency_pair(old, comparison.new, comparison.blocks, comparison.shared)
    elif (problem := _no_total(before, after)) is not None:
        reason = _with_notes(problem, *notes)
        found = _ratio(comparison, before, after)
        return comparison.verdict(INDETERMINATE, reason, state=state, found=found, evidence=evidence)
    else:
        pair = cost_pair(old, comparison.new, comparison.rule, comparison.blocks, comparison.shared)
    if pair is None:
        return _too_few(comparison, old, state, evidence)
    found = _found(comparison, pair, before, after)
    evidence |= {"material": comparison.material, "p": pair.p}
    if any(side.count for side in pair.slow):
        evidence["slow_builds"] = {"old": _slow(pair.slow[0]), "new": _slow(pair.slow[1])}
    if old.host in _UNKNOWN_HOSTS:
        reason = (
            "the host is not known: only builds of one host are compared; state it as 'host' in the "
            "'meta.json' of what is imported"
        )
        return comparison.verdict(INDETERMINATE, reason, state=state, found=found, evidence=evidence)
    states = state_of(before.share), state
    said = _answer(comparison, pair, *states)
    # what is absent on both sides makes no alarm, whatever more builds say
    silent = states == (State.ABSENT, State.ABSENT) and abs(found.difference or 0.0) > comparison.material
    if said.change is None and not silent:
        limit = math.log1p(comparison.material) if comparison.rule is None else comparison.material
        found = replace(found, settles=what_settles(pair, limit))
    reason = _reason(comparison, said, before, after, found)
    reason = _with_notes("; ".join([reason, *_left_out(comparison, old)]), *notes)
    if besides := differences_besides(old, comparison.new, comparison.kind):
        reason = f"{reason}; also differ: {', '.join(besides)}"
        evidence |= {"also_differ": list(besides)}
    word = INDETERMINATE if said.change is None else str(said.change)
    return comparison.verdict(word, reason, state=state, change=said.change, found=found, evidence=evidence)


def _answer(comparison: Comparison, pair: Pair, old: State | None, new: State | None) -> Answer:
    if comparison.rule is None:
        return latency_answer(pair.difference, comparison.material, pair.slow)
    return bottleneck_answer(pair.difference, old, new, comparison.material, pair.slow)


def _found(comparison: Comparison, pair: Pair, before: Series, after: Series) -> Found:
    """Return the numbers of a comparison of at least two builds on either side."""
    if comparison.rule is None:
        limit = math.log1p(comparison.material)
        shown = pair.difference.ratio(SHOWN)
        # two builds that hardly agree have an error that is beyond any number
        smallest = math.expm1(min(smallest_seen(pair.difference, limit), 700.0))
        return Found(
            effect=shown.estimate,
            interval=(shown.low, shown.high),
            builds=pair.builds,
            smallest=smallest,
        )
    shown = pair.difference.interval(SHOWN)
    return replace(
        _ratio(comparison, before, after),
        difference=shown.estimate,
        difference_interval=(shown.low, shown.high),
        smallest=smallest_seen(pair.difference, comparison.material),
    )


def _ratio(comparison: Comparison, before: Series, after: Series) -> Found:
    """Return r of a cost with its interval, which is shown and decides nothing."""
    floor = common_floor(comparison.rule, before, after)
    a, b = before.at_least(floor), after.at_least(floor)
    if (r := ratio(a, b)) is None:
        return Found(effect=float(np.exp(np.log(b).mean() - np.log(a).mean())))
    return Found(effect=r.interval.estimate, interval=(r.interval.low, r.interval.high))


def _too_few(
    comparison: Comparison, old: BuildGroup, state: State | None, evidence: dict[str, object]
) -> Verdict:
    new, shared = comparison.new, comparison.shared
    before, after = old.series(comparison.rule), new.series(comparison.rule)
    sides = len(before.values), len(after.values)
    reason = f"{_builds(sides[0])} of the old and {_builds(sides[1])} of the new: with fewer than "
    reason += f"{MINIMUM_BUILDS} on a side no change of any size can be shown"
    if comparison.rule is None and (said := _engines(shared)):
        reason = f"{reason}; {said}"
    found = _ratio(comparison, before, after)
    settles = first_builds(sides, seconds_a_build(old, new, comparison.blocks))
    found = Found(effect=found.effect, builds=sides, settles=settles)
    reason = _with_notes(reason, before.notes, after.notes)
    return comparison.verdict(INDETERMINATE, reason, state=state, found=found, evidence=evidence)


def _engines(shared: SharedPass | None) -> str:
    """Say of one build a side with several processes each how the two engines differ."""
    if shared is None or shared.builds != (1, 1):
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


def _no_total(before: Series, after: Series) -> str | None:
    """Return why a change cannot be said as a share of the layer time, None where it can."""
    if len(before.totals) != len(before.values):
        return "the old builds have no total layer time"
    if before.shares is None or after.shares is None:
        return "the profile covers a part of the network: what a change is worth of the whole cannot be told"
    return None


def _reason(comparison: Comparison, said: Answer, before: Series, after: Series, found: Found) -> str:
    reason = said.reason
    if comparison.rule is not None:
        floor = common_floor(comparison.rule, before, after)
        nothing = [bool((side.at_least(floor) <= floor).all()) for side in (before, after)]
        if all(nothing) and said.change is not None:
            return f"{_NOTHING} on both sides"
        reason = f"{reason}; {milliseconds_of_both(before.values, after.values)}"
        reason = _with_floor(reason, *nothing)
    if said.change is None and found.smallest is not None:
        of = "" if comparison.rule is None else "it"
        reason = f"{reason}; {change_that_shows(found.smallest, of)}"
    return reason


def _left_out(comparison: Comparison, old: BuildGroup) -> list[str]:
    """Say of a comparison within a block which builds of either side were measured outside of it."""
    shared = comparison.shared
    if shared is None or comparison.rule is not None:
        return []
    counts = len(old.series(None).values), len(comparison.new.series(None).values)
    missing = sum(counts) - sum(shared.builds)
    return [f"not in this block and left out: {_builds(missing)}"] if missing > 0 else []


def _slow(side: SlowBuilds) -> dict[str, object]:
    return {"count": side.count, "of": side.of, "by": None if side.by is None else list(side.by)}


def _with_floor(reason: str, old: bool, new: bool) -> str:
    """Say of a cost that is below the floor on a side (True) that the ratio is not that of two costs."""
    if old is new:
        return reason
    side = "old" if old else "new"
    return f"{reason}; the {side} {_NOTHING} and is counted as that much"


def _with_notes(reason: str, old: Sequence[str], new: Sequence[str]) -> str:
    """Say what is to be known of both costs, each side where it differs: then unlike things are compared."""
    if old == new:
        return "; ".join([reason, *new])
    sides = [f"{side}: {'; '.join(notes)}" for side, notes in (("old", old), ("new", new)) if notes]
    return "; ".join([reason, *sides])


def _cannot_be_looked_at(comparison: Comparison) -> Verdict | None:
    new = comparison.new
    if new.invalid:
        detail = f": {new.problem}" if new.problem else ""
        return comparison.verdict(INVALID, f"outputs out of bounds in {_builds(new.invalid)}{detail}")
    if not new.builds:
        if new.throttled:
            return comparison.verdict(
                INDETERMINATE, f"all {_builds(new.throttled)} were throttled most of the time"
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


def _baseline_problem(comparison: Comparison) -> str | None:
    old = comparison.old
    assert old is not None
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


def _state_word(series: Series, share: Interval | None, state: State | None) -> tuple[str, str]:
    if share is None:
        if len(series.values) < MINIMUM_BUILDS:
            return INDETERMINATE, f"{_builds(len(series.values))}: fewer than {MINIMUM_BUILDS} show no spread"
        return INDETERMINATE, "the profile covers a part of the network: no share of the whole"
    if not any(series.values):
        return (INDETERMINATE if state is None else state), _NOTHING
    interval = f"{100 * share.low:.1f} to {100 * share.high:.1f}"
    text = f"costs {100 * share.estimate:.1f} % of the layer time ({interval})"
    return (INDETERMINATE, f"{text}, neither wholly above nor below 5 %") if state is None else (state, text)


def _evidence(comparison: Comparison, series: Series, share: Interval | None) -> dict[str, object]:
    sides: dict[str, object] = {"new": _side(comparison.new, series, share)}
    if comparison.old is not None:
        before = comparison.old.series(comparison.rule)
        sides["old"] = _side(comparison.old, before, before.share)
    return sides


def _side(group: BuildGroup, series: Series, share: Interval | None) -> dict[str, object]:
    return {
        "ms": list(series.values),
        "share": None if share is None else [share.estimate, share.low, share.high],
        "shares": None if series.shares is None else list(series.shares),
        "builds_that_cannot_tell": series.missing,
        "throttled_builds": group.throttled,
        "latency_drift_a_round": group.drift,
        **series.columns,
    }


def _builds(count: int) -> str:
    return {0: "no build", 1: "one build"}.get(count, f"{count} builds")
