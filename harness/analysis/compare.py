"""One comparison of two groups of builds: from their values to a verdict, by the decision table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np

from harness.analysis.groups import BuildGroup, Series
from harness.analysis.layer_changes import LayerRows, layer_rows
from harness.analysis.rules.base import Rule
from harness.analysis.statistics.intervals import Interval, Ratio, ratio
from harness.analysis.statistics.thresholds import aa_threshold, margin, smallest_detectable
from harness.analysis.table import (
    INDETERMINATE,
    INVALID,
    MINIMUM_BUILDS,
    RESOLUTION,
    UNSUPPORTED,
    Change,
    State,
    change_of,
    latency_change,
    state_of,
)
from harness.analysis.verdict import LATENCY, Verdict
from harness.analysis.wording import change_that_shows

_CANNOT_RUN = ("unsupported", "unavailable")
_UNKNOWN_HOSTS = ("", "unknown")
_NOTHING = "costs less than 0.1 % of the layer time"


@dataclass(frozen=True)
class PendingVerdict:
    """A verdict whose layers wait for the adjustment over all pairs."""

    verdict: Verdict
    rows: LayerRows | None = None


@dataclass(frozen=True)
class Comparison:
    """What is asked: one rule (None: latency) of *new*, beside *old* where there is one.

    :param against: what the old side is called; :param kind: see :class:`Verdict`
    :param aa_ratios: ratios of other A/A pairs of this subject, runtime and host for the same rule
    """

    rule: Rule | None
    new: BuildGroup
    old: BuildGroup | None = None
    against: str | None = None
    kind: str = "version"
    aa_ratios: Sequence[float] = ()

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
        ratio: Ratio | None = None,
        effect: float | None = None,
        smallest: float | None = None,
        evidence: Mapping[str, object] | None = None,
    ) -> Verdict:
        """Return the verdict of this comparison with *word* as its answer."""
        cell = self.new.cell
        pair = (self.old, self.new)
        sides = tuple(0 if side is None else len(side.series(self.rule).values) for side in pair)
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
            effect=ratio.interval.estimate if ratio is not None else effect,
            interval=None if ratio is None else (ratio.interval.low, ratio.interval.high),
            builds=(sides[0], sides[1]),
            smallest_detectable=smallest,
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
    floor = common_floor(comparison.rule, before, after)
    a, b = before.at_least(floor), after.at_least(floor)
    change = ratio(a, b)
    if change is None:
        effect = float(np.exp(np.log(b).mean() - np.log(a).mean()))
        reason = f"{_builds(len(a))} of the old and {_builds(len(b))} of the new: with fewer than "
        reason += f"{MINIMUM_BUILDS} on a side no change of any size can be shown"
        reason = _with_notes(reason, before.notes, after.notes)
        return comparison.verdict(INDETERMINATE, reason, state=state, effect=effect, evidence=evidence)
    threshold = aa_threshold(change, comparison.aa_ratios)
    m = margin(threshold)
    smallest = smallest_detectable(change, m)
    evidence |= {"margin": m, "aa_threshold": threshold, "aa_pairs": len(comparison.aa_ratios), "p": change.p}
    if old.host in _UNKNOWN_HOSTS:
        reason = (
            "the host is not known: only builds of one host are compared; state it as 'host' in the "
            "'meta.json' of what is imported"
        )
        return comparison.verdict(
            INDETERMINATE, reason, state=state, ratio=change, smallest=smallest, evidence=evidence
        )
    if comparison.rule is None:
        said = latency_change(change.interval, m)
    else:
        said = change_of(change.interval, m, state_of(before.share), state)
    reason = said.reason
    if said.change is None:
        reason += f"; {change_that_shows(smallest)}"
    if comparison.rule is not None:
        reason = _with_floor(reason, said.change, bool((a <= floor).all()), bool((b <= floor).all()))
    reason = _with_notes(reason, before.notes, after.notes)
    if besides := differences_besides(old, comparison.new, comparison.kind):
        reason = f"{reason}; also differ: {', '.join(besides)}"
        evidence |= {"also_differ": list(besides)}
    word = INDETERMINATE if said.change is None else str(said.change)
    return comparison.verdict(
        word, reason, state=state, change=said.change, ratio=change, smallest=smallest, evidence=evidence
    )


def _with_floor(reason: str, change: Change | None, old: bool, new: bool) -> str:
    """Say of a cost that is below the floor on a side (True) that the ratio is not that of two costs."""
    if old and new and change is not None:
        return f"{_NOTHING} on both sides"
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
