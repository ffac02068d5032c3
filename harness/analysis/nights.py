"""Tonight's cells against earlier nights: the levels come as records, from whoever keeps nights.

Builds of several nights are never pooled: each night is one value. What nights scatter is in every answer.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean, pvariance

import numpy as np
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
from harness.analysis.refusals import cannot_be_looked_at
from harness.analysis.rules.base import Rule
from harness.analysis.statistics.intervals import Interval, t_quantile
from harness.analysis.statistics.levels import Values
from harness.analysis.statistics.nights import CONFIDENCE, FEWEST, Earlier, Tonight, against_nights
from harness.analysis.table import INDETERMINATE, Answer, State, state_of
from harness.analysis.verdict import LATENCY, Verdict
from harness.analysis.wording import change_that_shows
from harness.written import number_of, percent

KIND = "night"
"""Of verdicts on what changed since earlier nights."""

ON_OTHER_NIGHTS = "on other nights"

SeriesKey = tuple[str, str, str, str]
"""Cell id, kind of environment, host, and ``latency`` or the name of a rule."""


@dataclass(frozen=True)
class NightValue:
    """One series in one night.

    :param night: id of its run; :param day: UTC, for people
    :param values: ms, one a build: latencies, or costs as differences are made of them
    :param total: layer time, ms, mean over builds; None where it has none
    :param anchor: the anchor's latency in that night, ms, one a build; empty where it was not measured
    """

    night: str
    day: str
    values: tuple[float, ...]
    total: float | None = None
    anchor: tuple[float, ...] = ()


@dataclass(frozen=True)
class SeriesNights:
    """The nights that one series of tonight is held against, oldest first.

    :param level: those of its present level; :param before: earlier ones, which say how nights scatter
    :param chosen: places in *level* that are compared with; None for all
    :param differs: in words, which facts are not as in the last of them
    :param anchor: what the anchor is called, empty for none; :param no_anchor: why there is none
    :param same_engines: whether the anchor's engines are the same bytes in all of them
    """

    level: tuple[NightValue, ...]
    before: tuple[NightValue, ...] = ()
    chosen: tuple[int, ...] | None = None
    differs: tuple[str, ...] = ()
    anchor: str = ""
    no_anchor: str = ""
    same_engines: bool = False


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
    open_: dict[tuple[str, str, str], list[tuple[int, Comparison, SeriesNights]]] = {}
    for place, one in enumerate(asked):
        if (refused := cannot_be_looked_at(one)) is not None:
            told[place] = PendingVerdict(refused)
        elif (found := baseline.series.get(key_of(one.new, one.name))) is None:
            told[place] = PendingVerdict(_nothing(one, "no earlier night has it"))
        else:
            # series of one host and measure scatter alike; relative to an anchor they scatter less
            open_.setdefault((one.new.host, one.name, found.anchor), []).append((place, one, found))
    for members in open_.values():
        differences = against_nights(*_numbers(members, grid))
        for (place, one, found), difference in zip(members, differences, strict=True):
            told[place] = _told(one, found, difference, baseline, stored)
    return with_accepted(finished([told[place] for place in range(len(asked))]), accepted)


def key_of(group: BuildGroup, measure: str) -> SeriesKey:
    """Return how the series of *group* is called among those of earlier nights."""
    return group.cell.id, group.cell.environment, group.host, measure


def _nothing(one: Comparison, why: str) -> Verdict:
    state = state_of(one.new.series(one.rule).share)
    return one.verdict(INDETERMINATE, why, state=state)


def _numbers(
    members: Iterable[tuple[int, Comparison, SeriesNights]], grid: Grid
) -> tuple[list[float], list[Earlier]]:
    """Return tonight's values of series of one host and measure, and what they are held against."""
    tonight: list[float] = []
    earlier: list[Earlier] = []
    for _, one, found in members:
        values = one.new.series(one.rule)
        if one.rule is None:
            anchor = anchor_values(grid, one.new, found.anchor)
            tonight.append(_mean_log(values.values) - _mean_log(anchor))
            level, before = (
                np.array([_mean_log(x.values) - _mean_log(x.anchor if anchor else ()) for x in nights])
                for nights in (found.level, found.before)
            )
            mine = [values.values, *([anchor] if anchor else [])]
            usual = [[x.values, *([x.anchor] if anchor else [])] for x in found.level]
            excess, degrees = _excess([_logs(x) for x in mine], [[_logs(y) for y in x] for x in usual])
        else:
            total = _total(found)
            tonight.append(fmean(values.signed) / total)
            level, before = (
                np.array([fmean(x.values) / total for x in nights]) for nights in (found.level, found.before)
            )
            excess, degrees = _excess([values.signed], [[x.values] for x in found.level])
            excess /= total**2
        earlier.append(Earlier(level, before, found.chosen, excess, degrees))
    return tonight, earlier


def anchor_values(grid: Grid, group: BuildGroup, anchor: str) -> tuple[float, ...]:
    """Return tonight's latencies of the anchor of *group*, ms, one a build; none where it was not measured.

    :param anchor: runtime and version: ``onnxruntime 1.18.1``
    """
    for other in grid.judged:
        same = other.cell.subject == group.cell.subject and other.host == group.host and not other.is_aa
        if anchor and same and f"{other.cell.runtime} {other.cell.version}" == anchor:
            return other.series(None).values
    return ()


def _logs(values: Sequence[float]) -> tuple[float, ...]:
    return tuple(math.log(value) for value in values)


def _mean_log(values: Sequence[float]) -> float:
    return fmean(_logs(values)) if values else 0.0


def _total(found: SeriesNights) -> float:
    """Return the layer time of the nights compared with, ms; it is known of each."""
    return fmean(x.total for x in (found.level or found.before) if x.total)


def _excess(
    tonight: Sequence[Sequence[float]], nights: Sequence[Sequence[Sequence[float]]]
) -> tuple[float, float]:
    """Return by what variance tonight's mean over builds is less sure than a usual night's, and its degrees.

    A night of fewer builds, or one on which builds lay further apart, is known less well.
    """
    mine = sum(_squared_error(values) for values in tonight)
    usual = fmean(sum(_squared_error(values) for values in night) for night in nights) if nights else 0.0
    return max(0.0, mine - usual), float(max(1, min(len(values) for values in tonight) - 1))


def _squared_error(values: Sequence[float]) -> float:
    count = len(values)
    return pvariance(values) / (count - 1) if count > 1 else 0.0


def _told(
    one: Comparison,
    found: SeriesNights,
    difference: Tonight | None,
    baseline: NightBaseline,
    stored: Callable[[str], Grid | None],
) -> PendingVerdict:
    if difference is None:
        earlier = number_of(len(found.level) + len(found.before), "earlier night")
        why = f"{earlier}: with fewer than {FEWEST} what nights scatter is not known"
        return PendingVerdict(_nothing(one, why))
    state = state_of(one.new.series(one.rule).share)
    said = _answer(one, found, difference, state)
    reason = "; ".join([said.reason, *_remarks(one, found, difference)])
    numbers = _found(one, difference)
    if said.change is None and numbers.smallest is not None:
        reason = f"{reason}; {change_that_shows(numbers.smallest, '' if one.rule is None else 'it')}"
    word = INDETERMINATE if said.change is None else str(said.change)
    evidence: dict[str, object] = {
        "material": one.material,
        "scatter_of_nights": difference.scatter,
        "nights": [x.night for x in found.level],
        "set_aside": [found.level[at].night for at in difference.set_aside],
        "anchor": found.anchor or None,
        "also_differ": list(found.differs),
    }
    verdict = one.verdict(word, reason, state=state, change=said.change, found=numbers, evidence=evidence)
    verdict = replace(verdict, against=baseline.name, against_cell=one.new.cell.id, measured=ON_OTHER_NIGHTS)
    old = _stored_twin(one.new, found, stored) if verdict.alarm else None
    rows = layer_rows([(None if old is None else old.series(one.rule), one.new.series(one.rule))])[0]
    return PendingVerdict(verdict, rows if verdict.alarm else None)


def _answer(one: Comparison, found: SeriesNights, tonight: Tonight, state: State | None) -> Answer:
    if one.rule is None:
        return latency_answer(tonight.difference, one.material, alarm=CONFIDENCE)
    shares = np.array([max(fmean(x.values), 0.0) / x.total for x in found.level if x.total])
    old = state_of(_over_nights(shares, tonight))
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


def _remarks(one: Comparison, found: SeriesNights, tonight: Tonight) -> Iterator[str]:
    scatter = percent(tonight.scatter, 2)
    yield f"tonight against {number_of(tonight.nights, 'night')}, which scatter by {scatter}"
    if tonight.set_aside:
        yield "set aside: " + ", ".join(found.level[at].day for at in tonight.set_aside)
    if one.rule is None:
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
