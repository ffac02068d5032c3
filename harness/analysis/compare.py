"""Comparisons of groups of builds: from their values to verdicts, by the decision table.

What many comparisons need alike (the differences, their errors, the layers' probabilities) is worked out for
all of them at once, and each is told on its own.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from statistics import median

import msgspec
import numpy as np
from msgspec.structs import replace

from harness.analysis.comparison import Comparison, Found
from harness.analysis.groups import BuildGroup
from harness.analysis.layer_changes import LayerRows, layer_rows
from harness.analysis.material import (
    SHOWN,
    SlowBuilds,
    bottleneck_answer,
    latency_answer,
    smallest_seen,
)
from harness.analysis.pair import Pair
from harness.analysis.pairs import Sides, cost_sides, latency_sides, pairs_of, seconds_a_build
from harness.analysis.reasons import (
    differences_besides,
    engines_in_words,
    left_out,
    no_total,
    reason_of,
    state_in_words,
    too_few,
    with_notes,
)
from harness.analysis.refusals import baseline_problem, cannot_be_looked_at
from harness.analysis.rules.base import Rule
from harness.analysis.series import Series
from harness.analysis.settling import first_builds, what_settles
from harness.analysis.statistics.intervals import Interval, ratio
from harness.analysis.statistics.levels import Values
from harness.analysis.table import INDETERMINATE, RESOLUTION, Answer, State, state_of
from harness.analysis.verdict import Verdict

NIGHTS_NOT_IN_IT = "what runs scatter from night to night is not in it (--history brings it in)"
"""Said of runs that are set against each other without a history."""

_UNKNOWN_HOSTS = ("", "unknown")
_UNKNOWN_HOST = (
    "the host is not known: only builds of one host are compared; state it as 'host' in the "
    "'meta.json' of what is imported"
)


class PendingVerdict(msgspec.Struct, frozen=True):
    """A verdict whose layers wait for the adjustment over all pairs."""

    verdict: Verdict
    rows: LayerRows | None = None


@dataclass(frozen=True)
class _Open:
    """A comparison with builds on both sides.

    :param before, after: values of the old and of the new builds
    :param state: of the new side
    :param pair: what it is answered by, or what that is to be made of; None where a side has too few builds
    :param problem: why a change cannot be said as a share, empty where it can
    """

    comparison: Comparison
    old: BuildGroup
    before: Series
    after: Series
    state: State | None
    evidence: dict[str, object]
    pair: Pair | Sides | None
    problem: str

    @cached_property
    def floor(self) -> float:
        """The cost, ms, below which costs are not told apart."""
        return common_floor(self.comparison.rule, self.before, self.after)

    @cached_property
    def floored(self) -> tuple[Values, Values]:
        """The values of both sides, those below the floor raised to it."""
        return self.before.at_least(self.floor), self.after.at_least(self.floor)


def compare(comparisons: Iterable[Comparison], *, layers: bool = True) -> list[PendingVerdict]:
    """Return the verdicts in order, without the latency of groups that have nothing to compare with.

    :param layers: whether it is asked which layers carry a change
    """
    begun = [made for one in comparisons if (made := _begun(one)) is not None]
    pairs = iter(pairs_of([x.pair for x in begun if isinstance(x, _Open) and isinstance(x.pair, Sides)]))
    told: list[tuple[Verdict, tuple[Series | None, Series] | None]] = []
    for one in begun:
        if not isinstance(one, _Open):
            told.append(one)
            continue
        pair = next(pairs) if isinstance(one.pair, Sides) else one.pair
        told.append((_told(one, pair), (one.before, one.after)))
    if not layers:
        return [PendingVerdict(verdict) for verdict, _ in told]
    rows = iter(layer_rows([sides for _, sides in told if sides is not None]))
    return [PendingVerdict(verdict, None if sides is None else next(rows)) for verdict, sides in told]


def common_floor(rule: Rule | None, old: Series, new: Series) -> float:
    """Return the cost, ms, below which costs are not told apart: 0.1 % of the layer time of both sides."""
    totals = [*old.totals, *new.totals]
    if rule is None or not totals:
        return float(np.finfo(np.float64).tiny)
    return RESOLUTION * median(totals)


def _begun(
    comparison: Comparison,
) -> _Open | tuple[Verdict, tuple[Series | None, Series] | None] | None:
    """Return the comparison with its values; where none is made, the verdict with what its layers are of."""
    new, old, rule = comparison.new, comparison.old, comparison.rule
    if (refused := cannot_be_looked_at(comparison)) is not None:
        return refused, None
    series = new.series(rule)
    state = state_of(series.share)
    if old is None and rule is None:
        return None
    evidence = _evidence(comparison, series)
    if old is None:
        word, reason = state_in_words(series, state)
        reason = with_notes(reason, series.notes, series.notes)
        return comparison.verdict(word, reason, state=state, evidence=evidence), (None, series)
    if (unfit := baseline_problem(comparison)) is not None:
        verdict = comparison.verdict(INDETERMINATE, unfit, state=state, evidence=evidence)
        return verdict, (None, series)
    before = old.series(rule)
    problem = "" if rule is None else no_total(before, series)
    pair: Pair | Sides | None = None
    if not problem:
        asked = old, new, comparison.blocks, comparison.shared
        pair = latency_sides(*asked) if rule is None else cost_sides(rule, *asked)
    return _Open(comparison, old, before, series, state, evidence, pair, problem)


def _told(one: _Open, pair: Pair | None) -> Verdict:
    comparison, evidence = one.comparison, one.evidence
    notes = one.before.notes, one.after.notes
    if one.problem:
        reason = with_notes(one.problem, *notes)
        return comparison.verdict(
            INDETERMINATE, reason, state=one.state, found=_ratio(one), evidence=evidence
        )
    if pair is None:
        return _too_few(one)
    found = _found(one, pair)
    evidence |= {"material": comparison.material, "p": pair.p}
    if any(side.count for side in pair.slow):
        evidence["slow_builds"] = {"old": _slow(pair.slow[0]), "new": _slow(pair.slow[1])}
    if one.old.host in _UNKNOWN_HOSTS:
        return comparison.verdict(
            INDETERMINATE, _UNKNOWN_HOST, state=one.state, found=found, evidence=evidence
        )
    states = state_of(one.before.share), one.state
    said = _answer(comparison, pair, *states)
    # what is absent on both sides makes no alarm, whatever more builds say
    silent = states == (State.ABSENT, State.ABSENT) and abs(found.difference or 0.0) > comparison.material
    if said.change is None and not silent:
        limit = math.log1p(comparison.material) if comparison.rule is None else comparison.material
        found = replace(found, settles=what_settles(pair, limit))
    nothing = (False, False)
    if comparison.rule is not None:
        nothing = max(one.before.values) <= one.floor, max(one.after.values) <= one.floor
    reason = reason_of(comparison.rule, said, (one.before, one.after), found, nothing)
    there = len(one.before.values), len(one.after.values)
    reason = with_notes("; ".join([reason, *left_out(comparison.shared, there, pair.builds)]), *notes)
    if comparison.kind == "run":
        reason = f"{reason}; {NIGHTS_NOT_IN_IT}"
    if besides := differences_besides(one.old, comparison.new, comparison.kind):
        reason = f"{reason}; also differ: {', '.join(besides)}"
        evidence |= {"also_differ": list(besides)}
    word = INDETERMINATE if said.change is None else str(said.change)
    return comparison.verdict(
        word, reason, state=one.state, change=said.change, found=found, evidence=evidence
    )


def _answer(comparison: Comparison, pair: Pair, old: State | None, new: State | None) -> Answer:
    if comparison.rule is None:
        return latency_answer(pair.difference, comparison.material, pair.slow)
    return bottleneck_answer(pair.difference, old, new, comparison.material, pair.slow)


def _found(one: _Open, pair: Pair) -> Found:
    """Return the numbers of a comparison of at least two builds on either side."""
    material = one.comparison.material
    if one.comparison.rule is None:
        shown = pair.difference.ratio(SHOWN)
        # two builds that hardly agree have an error that is beyond any number
        smallest = math.expm1(min(smallest_seen(pair.difference, math.log1p(material)), 700.0))
        return Found(
            effect=shown.estimate,
            interval=(shown.low, shown.high),
            builds=pair.builds,
            smallest=smallest,
        )
    shown = pair.difference.interval(SHOWN)
    return replace(
        _ratio(one),
        builds=pair.builds,
        difference=shown.estimate,
        difference_interval=(shown.low, shown.high),
        smallest=smallest_seen(pair.difference, material),
    )


def _ratio(one: _Open) -> Found:
    """Return r of a cost with its interval, which is shown and decides nothing."""
    old, new = one.floored
    if (r := ratio(old, new)) is None:
        return Found(effect=float(np.exp(np.log(new).mean() - np.log(old).mean())))
    return Found(effect=r.interval.estimate, interval=(r.interval.low, r.interval.high))


def _too_few(one: _Open) -> Verdict:
    comparison = one.comparison
    sides = len(one.before.values), len(one.after.values)
    reason = too_few(sides)
    if comparison.rule is None and (said := engines_in_words(comparison.shared)):
        reason = f"{reason}; {said}"
    settles = first_builds(sides, seconds_a_build(one.old, comparison.new, comparison.blocks))
    found = Found(effect=_ratio(one).effect, builds=sides, settles=settles)
    reason = with_notes(reason, one.before.notes, one.after.notes)
    return comparison.verdict(INDETERMINATE, reason, state=one.state, found=found, evidence=one.evidence)


def _slow(side: SlowBuilds) -> dict[str, object]:
    return {"count": side.count, "of": side.of, "by": None if side.by is None else list(side.by)}


def _evidence(comparison: Comparison, series: Series) -> dict[str, object]:
    sides: dict[str, object] = {"new": _side(comparison.new, series)}
    if comparison.old is not None:
        sides["old"] = _side(comparison.old, comparison.old.series(comparison.rule))
    return sides


def _side(group: BuildGroup, series: Series) -> dict[str, object]:
    share: Interval | None = series.share
    return {
        "ms": list(series.values),
        "share": None if share is None else [share.estimate, share.low, share.high],
        "shares": None if series.shares is None else list(series.shares),
        "builds_that_cannot_tell": series.missing,
        "throttled_builds": group.throttled,
        "latency_drift_a_round": group.drift,
        **series.columns,
    }
