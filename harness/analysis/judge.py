"""The verdict engine: every bottleneck and the latency of every cell, beside its baseline."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, replace
from itertools import groupby

import numpy as np

from harness.analysis.accepted import Accepted, with_accepted
from harness.analysis.arms import Arm, arms_of
from harness.analysis.baseline import Baseline, version_key
from harness.analysis.compare import Draft, Question, answer, common_floor
from harness.analysis.device import host_peaks, with_peaks
from harness.analysis.rules.base import Rule
from harness.analysis.statistics.multiple import adjusted
from harness.analysis.verdict import Verdict
from harness.errors import UsageError
from harness.matrix.cell import Treatment
from harness.matrix.file import PREVIOUS
from harness.observations.records import RunObservation


def judge(
    run: RunObservation,
    baseline: str | RunObservation = PREVIOUS,
    *,
    rules: Mapping[str, Rule],
    accepted: Sequence[Accepted] = (),
) -> list[Verdict]:
    """Return the verdicts on *run*: by network, treatment, runtime, host, version and bottleneck.

    :param baseline: ``previous`` (the next older version), a version, or the observation of a stored run
    :param rules: by name
    :param accepted: accepted changes, noted at the verdicts they fit
    :raises UsageError: a baseline version that the run does not hold
    """
    peaks = host_peaks([run] if isinstance(baseline, str) else [run, baseline])
    arms = sorted(arms_of(with_peaks(run, peaks)), key=_order)
    found = Baseline(baseline if isinstance(baseline, str) else with_peaks(baseline, peaks), arms)
    asked = _asked(rules)
    noise = AaRatios(arms)
    drafts: list[Draft] = []
    for new in arms:
        old = found.find(new)
        kind = "aa" if new.is_aa else "version" if isinstance(baseline, str) else "run"
        against = None if old is None else "its twin" if new.is_aa else found.label(old)
        for rule in asked:
            question = Question(rule, new, old, against, kind, noise.others(rule, new))
            if (draft := answer(question)) is not None:
                drafts.append(draft)
    return with_accepted(_finished(drafts), accepted)


def compare_treatments(
    run: RunObservation,
    field: str,
    old: str,
    new: str,
    *,
    rules: Mapping[str, Rule],
    accepted: Sequence[Accepted] = (),
) -> list[Verdict]:
    """Return the verdicts on the same versions under two treatments that differ in one field only.

    ``compare_treatments(run, "relu6", "clip", "relu_sub")`` answers what ReLU6 in pieces costs,
    ``("tensor_format", "linear", "hwc8")`` what a native format saves.

    :param field: a field of :class:`harness.matrix.cell.Treatment`; :param old, new: its two values as text
    :param accepted: accepted changes, noted at the verdicts they fit
    :raises UsageError: a treatment has no such field, or both values are one
    """
    arms = sorted(arms_of(with_peaks(run, host_peaks([run]))), key=_order)
    if field not in (known := [item.name for item in fields(Treatment)]):
        raise UsageError(f"a treatment has no '{field}'; it has {', '.join(known)}")
    if old == new:
        raise UsageError(f"{field}: '{old}' and '{new}' are one treatment; name two values")
    drafts: list[Draft] = []
    noise = AaRatios(arms)
    for arm in arms:
        if arm.is_aa or str(getattr(arm.cell.treatment, field)) != new:
            continue
        twin = next(
            (x for x in arms if str(getattr(x.cell.treatment, field)) == old and _alike(x, arm, field)), None
        )
        if twin is None:
            continue
        for rule in _asked(rules):
            question = Question(rule, arm, twin, f"{field} {old}", "treatment", noise.others(rule, arm))
            if (draft := answer(question)) is not None:
                drafts.append(draft)
    return with_accepted(_finished(drafts), accepted)


class AaRatios:
    """Ratios of A/A pairs, second arm / first, by runtime, subject and host.

    :param arms: all arms of a run
    """

    def __init__(self, arms: Iterable[Arm]) -> None:
        arms = list(arms)
        mains = {
            (x.cell.release, x.cell.subject, x.host): x for x in arms if not x.is_aa and not x.cell.repeat
        }
        self._pairs: dict[tuple[str, str, str], list[tuple[Arm, Arm]]] = {}
        for arm in arms:
            main = mains.get((f"{arm.cell.runtime} {arm.cell.version}", arm.cell.subject, arm.host))
            if arm.is_aa and main is not None:
                self._pairs.setdefault((arm.cell.runtime, arm.cell.subject, arm.host), []).append((main, arm))

    def others(self, rule: Rule | None, new: Arm) -> list[float]:
        """Return the ratios of the pairs that *new* is no part of."""
        pairs = self._pairs.get((new.cell.runtime, new.cell.subject, new.host), [])
        found = (_ratio_of(rule, main, arm) for main, arm in pairs if arm is not new)
        return [x for x in found if x is not None]


def _ratio_of(rule: Rule | None, main: Arm, arm: Arm) -> float | None:
    a, b = main.series(rule), arm.series(rule)
    if not a.values or not b.values:
        return None
    floor = common_floor(rule, a, b)
    return float(np.exp(np.log(b.at_least(floor)).mean() - np.log(a.at_least(floor)).mean()))


def _asked(rules: Mapping[str, Rule]) -> list[Rule | None]:
    return [*rules.values(), None]


def _order(arm: Arm) -> tuple[object, ...]:
    cell = arm.cell
    return (
        cell.network,
        cell.treatment.label,
        cell.runtime,
        arm.host,
        version_key(cell.version),
        cell.repeat,
    )


def _alike(a: Arm, b: Arm, field: str) -> bool:
    def rest(arm: Arm) -> tuple[object, ...]:
        cell = arm.cell
        fields = {k: v for k, v in cell.treatment.as_json().items() if k != field}
        return (fields, cell.network, cell.runtime, cell.version, cell.environment, cell.repeat, arm.host)

    return rest(a) == rest(b)


def _finished(drafts: Sequence[Draft]) -> list[Verdict]:
    """Adjust the layers' probabilities over all pairs of one subject and host; give each verdict its top."""
    done: list[Verdict] = []
    for _, group in groupby(drafts, key=lambda d: (d.verdict.subject, d.verdict.runtime, d.verdict.host)):
        members = list(group)
        family = [p for d in members if d.rows is not None for p in d.rows.probabilities]
        q = adjusted(family)
        at = 0
        for draft in members:
            rows = draft.rows
            if rows is None:
                done.append(draft.verdict)
                continue
            done.append(replace(draft.verdict, layers=rows.top(q[at : at + len(rows.names)])))
            at += len(rows.names)
    return done
