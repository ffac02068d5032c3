"""Tonight's cells against earlier nights: the levels come as records, from whoever keeps nights.

Builds of several nights are never pooled: each night is one value. What nights scatter is in every answer.
An anchor's own change is told of the machine where the versions measured beside it moved with it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

from msgspec.structs import replace

from harness.analysis.accepted import Accepted, with_accepted
from harness.analysis.compare import PendingVerdict
from harness.analysis.comparison import Comparison, Found
from harness.analysis.device import group_with_peaks, host_peaks
from harness.analysis.grid import Grid
from harness.analysis.groups import BuildGroup
from harness.analysis.judge import finished, in_order
from harness.analysis.layer_changes import layer_rows
from harness.analysis.material import SHOWN, bottleneck_answer, latency_answer, smallest_seen
from harness.analysis.night_values import (
    Asked,
    SeriesNights,
    asked_of,
    shares_of_nights,
    version_of,
)
from harness.analysis.refusals import cannot_be_looked_at
from harness.analysis.rules.base import Rule
from harness.analysis.statistics.intervals import Interval, t_quantile
from harness.analysis.statistics.levels import Values
from harness.analysis.statistics.nights import CONFIDENCE, FEWEST, Tonight, against_nights, moved_alone
from harness.analysis.table import INDETERMINATE, Answer, Change, State, state_of
from harness.analysis.verdict import LATENCY, Verdict
from harness.analysis.wording import change_that_shows
from harness.written import change, number_of, percent

KIND = "night"
"""Of verdicts on what changed since earlier nights."""

ON_OTHER_NIGHTS = "on other nights"

SeriesKey = tuple[str, str, str, str]
"""Cell id, kind of environment, host, and ``latency`` or the name of a rule."""

_Version = tuple[str, str, str]
"""Subject, host, and runtime with version, as anchors are called."""


@dataclass(frozen=True)
class NightBaseline:
    """Earlier nights as a baseline. :param name: in messages: ``the last 14 nights``, ``night 2026-11-27``"""

    name: str
    series: Mapping[SeriesKey, SeriesNights] = field(default_factory=dict)


def judge_nights(
    grid: Grid,
    baseline: NightBaseline,
    *,
    rules: Mapping[str, Rule],
    accepted: Sequence[Accepted] = (),
    material: float | None = None,
    stored: Callable[[str], Grid | None] = lambda _: None,
) -> list[Verdict]:
    """Return what changed in *grid* since earlier nights, for each cell the bottlenecks and the latency.

    :param rules: by name; :param accepted: accepted changes, noted at the verdicts they fit
    :param material: m, a fraction; None: what the policy of the run's matrix says
    :param stored: id of a night to its grid, None where its files are not kept; asked only where something
        changed, to name the layers that carry it
    """
    m = grid.run.manifest.matrix.material if material is None else material
    peaks = host_peaks([grid.run])
    groups = in_order(group_with_peaks(group, peaks) for group in grid.judged if not group.is_aa)
    told: dict[int, PendingVerdict] = {}
    asked = [
        Comparison(rule, group, kind=KIND, blocks=grid.blocks, material=m)
        for group in groups
        for rule in (*rules.values(), None)
    ]
    open_: dict[tuple[str, str, str], dict[int, Asked]] = {}
    for place, one in enumerate(asked):
        if (refused := cannot_be_looked_at(one)) is not None:
            told[place] = PendingVerdict(refused)
        elif (found := baseline.series.get(key_of(one.new, one.name))) is None:
            told[place] = PendingVerdict(_nothing(one, "no earlier night has it"))
        else:
            # series of one host and measure scatter alike; relative to an anchor they scatter less
            members = open_.setdefault((one.new.host, one.name, found.anchor), {})
            members[place] = asked_of(one, found, grid)
    answers: dict[int, tuple[Asked, Tonight | None]] = {}
    for members in open_.values():
        numbers = list(members.values())
        differences = against_nights([x.tonight for x in numbers], [x.earlier for x in numbers])
        answers |= zip(members, zip(numbers, differences, strict=True), strict=True)
    machine = _machine(answers.values())
    for place, (one_asked, difference) in answers.items():
        told[place] = _told(one_asked, difference, machine, baseline, stored)
    return with_accepted(finished([told[place] for place in range(len(asked))]), accepted)


def key_of(group: BuildGroup, measure: str) -> SeriesKey:
    """Return how the series of *group* is called among those of earlier nights."""
    return group.cell.id, group.cell.environment, group.host, measure


def _nothing(one: Comparison, why: str) -> Verdict:
    state = state_of(one.new.series(one.rule).share)
    return one.verdict(INDETERMINATE, why, state=state)


def _machine(answers: Iterable[tuple[Asked, Tonight | None]]) -> dict[_Version, float]:
    """Return by what the versions measured beside each anchor moved tonight, logarithm: what all did alike.

    :param answers: of all series; those through an anchor say what stayed behind it
    """
    own: dict[_Version, float] = {}
    beside: dict[_Version, list[float]] = {}
    for asked, difference in answers:
        if asked.one.rule is None and difference is not None:
            moved, anchor = float(difference.difference.estimate), asked.found.anchor
            own[_version(asked.one.new)] = moved
            if anchor:
                beside.setdefault((*_version(asked.one.new)[:2], anchor), []).append(moved)
    return {anchor: own[anchor] + median(moved) for anchor, moved in beside.items() if anchor in own}


def _version(group: BuildGroup) -> _Version:
    return group.cell.subject, group.host, version_of(group)


def _told(
    asked: Asked,
    difference: Tonight | None,
    machine: Mapping[_Version, float],
    baseline: NightBaseline,
    stored: Callable[[str], Grid | None],
) -> PendingVerdict:
    one, found = asked.one, asked.found
    if difference is None:
        earlier = number_of(len(found.level) + len(found.before), "earlier night")
        why = f"{earlier}: with fewer than {FEWEST} what nights scatter is not known"
        return PendingVerdict(_nothing(one, why))
    state = state_of(one.new.series(one.rule).share)
    said = _answer(one, found, difference, state)
    moved = _moved_by_the_machine(asked, difference, said, machine)
    if moved is not None:
        why = f"the machine: the versions measured beside it moved by {change(math.exp(moved))} with it"
        said = Answer(None, f"{why}, so it is not told of this one; {said.reason}")
    reason = "; ".join([said.reason, *_remarks(asked, difference)])
    numbers = _found(one, difference)
    if said.change is None and moved is None and numbers.smallest is not None:
        reason = f"{reason}; {change_that_shows(numbers.smallest, '' if one.rule is None else 'it')}"
    word = INDETERMINATE if said.change is None else str(said.change)
    evidence: dict[str, object] = {
        "material": one.material,
        "scatter_of_nights": difference.scatter,
        "nights": [x.night for x in found.level],
        "set_aside": [found.level[at].night for at in difference.set_aside],
        "anchor": found.anchor or None,
        "machine": None if moved is None else math.exp(moved),
        "also_differ": list(found.differs),
    }
    verdict = one.verdict(word, reason, state=state, change=said.change, found=numbers, evidence=evidence)
    verdict = replace(verdict, against=baseline.name, against_cell=one.new.cell.id, measured=ON_OTHER_NIGHTS)
    old = _stored_twin(one.new, found, stored) if verdict.alarm else None
    rows = layer_rows([(None if old is None else old.series(one.rule), one.new.series(one.rule))])[0]
    return PendingVerdict(verdict, rows if verdict.alarm else None)


def _moved_by_the_machine(
    asked: Asked, difference: Tonight, said: Answer, machine: Mapping[_Version, float]
) -> float | None:
    """Return by what the machine moved all versions, logarithm, where that is what changed of an anchor."""
    moved = machine.get(_version(asked.one.new))
    if moved is None or said.change in (None, Change.UNCHANGED):
        return None
    # what the machine makes of a cost is in proportion to it
    part = moved if asked.one.rule is None else -math.expm1(-moved) * asked.tonight
    return None if moved_alone(float(difference.difference.estimate), part) else moved


def _answer(one: Comparison, found: SeriesNights, tonight: Tonight, state: State | None) -> Answer:
    if one.rule is None:
        return latency_answer(tonight.difference, one.material, alarm=CONFIDENCE)
    old = state_of(_over_nights(shares_of_nights(found.level), tonight))
    return bottleneck_answer(tonight.difference, old, state, one.material, alarm=CONFIDENCE)


def _over_nights(shares: Values, tonight: Tonight) -> Interval | None:
    if not shares.size:
        return None
    half = tonight.scatter / shares.size**0.5 * t_quantile(0.975, float(tonight.difference.degrees))
    mean = float(shares.mean())
    return Interval(mean, mean - half, mean + half)


def _found(one: Comparison, tonight: Tonight) -> Found:
    builds = tonight.nights, len(one.new.series(one.rule).values)
    if one.rule is None:
        shown = tonight.difference.ratio(SHOWN)
        smallest = smallest_seen(tonight.difference, math.log1p(one.material), alarm=CONFIDENCE)
        return Found(
            effect=shown.estimate,
            interval=(shown.low, shown.high),
            builds=builds,
            smallest=math.expm1(min(smallest, 700.0)),
        )
    shown = tonight.difference.interval(SHOWN)
    return Found(
        builds=builds,
        difference=shown.estimate,
        difference_interval=(shown.low, shown.high),
        smallest=smallest_seen(tonight.difference, one.material, alarm=CONFIDENCE),
    )


def _remarks(asked: Asked, tonight: Tonight) -> Iterator[str]:
    found = asked.found
    scatter = percent(tonight.scatter, 2)
    yield f"tonight against {number_of(tonight.nights, 'night')}, which scatter by {scatter}"
    yield from asked.slow
    if tonight.set_aside:
        yield "set aside: " + ", ".join(found.level[at].day for at in tonight.set_aside)
    how = "the same engines" if found.same_engines else "measured"
    yield f"through {found.anchor}, {how} in each" if found.anchor else found.no_anchor or "no anchor"
    if found.differs:
        yield f"also differ: {', '.join(found.differs)}"


def _stored_twin(
    new: BuildGroup, found: SeriesNights, stored: Callable[[str], Grid | None]
) -> BuildGroup | None:
    """Return the builds of the last night that tonight is held against whose files are kept."""
    for night in reversed(found.level):
        if (grid := stored(night.night)) is not None:
            same = (x for x in grid.judged if key_of(x, LATENCY) == key_of(new, LATENCY) and x.builds)
            return next(same, None)
    return None
