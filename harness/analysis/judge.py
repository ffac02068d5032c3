"""The verdict engine: every bottleneck and the latency of every cell, beside its baseline."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import groupby

from msgspec import structs

from harness.analysis.accepted import Accepted, with_accepted
from harness.analysis.baseline import Baseline
from harness.analysis.blocks import Blocks
from harness.analysis.compare import PendingVerdict, compare
from harness.analysis.comparison import Comparison
from harness.analysis.confirmation import second_look, with_confirmation
from harness.analysis.device import group_with_peaks, host_peaks
from harness.analysis.grid import Grid, grid_of
from harness.analysis.groups import BuildGroup
from harness.analysis.rules.base import Rule
from harness.analysis.statistics.multiple import adjusted
from harness.analysis.verdict import TWIN, TWIN_ELSEWHERE, Verdict
from harness.errors import BadOptionError, NoSuchVersionError, NothingToCompareError, UnknownNameError
from harness.matrix.file import PREVIOUS
from harness.versions import version_key


def judge(
    grid: Grid,
    baseline: str | Grid = PREVIOUS,
    *,
    rules: Mapping[str, Rule],
    accepted: Sequence[Accepted] = (),
    material: float | None = None,
) -> list[Verdict]:
    """Return the verdicts on a run: by network, treatment, runtime, host, version and bottleneck.

    :param baseline: ``previous`` (the next older version), a version, or the grid of a stored run
    :param rules: by name
    :param accepted: accepted changes, noted at the verdicts they fit
    :param material: m, a fraction; None: what the policy of the run's matrix says
    :raises UsageError: a baseline version that the run does not hold
    """
    verdicts = _judged(grid, baseline, rules, material)
    again = second_look(grid.run)
    if again is not None:
        # The second look holds suspect cells only: what the rest is compared with may not be among them.
        with suppress(NoSuchVersionError, NothingToCompareError):
            verdicts = with_confirmation(verdicts, _judged(grid_of(again), baseline, rules, material))
    return with_accepted(verdicts, accepted)


def _judged(
    grid: Grid, baseline: str | Grid, rules: Mapping[str, Rule], material: float | None
) -> list[Verdict]:
    peaks = host_peaks([grid.run] if isinstance(baseline, str) else [grid.run, baseline.run])
    groups = in_order(group_with_peaks(group, peaks) for group in grid.judged)
    if not isinstance(baseline, str):
        stored = tuple(group_with_peaks(group, peaks) for group in baseline.judged)
        baseline = replace(baseline, judged=stored)
    sides = Baseline(baseline, groups)
    every = _rules(rules)
    table = _table(grid, material)
    asked: list[Comparison] = []
    for new in groups:
        old = sides.find(new)
        kind = "aa" if new.is_aa else "version" if isinstance(baseline, str) else "run"
        against = None if old is None else TWIN if new.is_aa else sides.label(old)
        asked += _asked(every, table, new, old, against, kind)
        if (twin := sides.elsewhere(new)) is not None:
            asked += _asked(every, table, new, twin, TWIN_ELSEWHERE + twin.cell.environment, "aa")
        if baseline != PREVIOUS or new.is_aa or not new.builds:
            continue
        if (earlier := sides.earlier(new)) is not None:
            asked += _asked(every, table, new, earlier, sides.label(earlier), "run")
    return finished(compare(asked))


@dataclass(frozen=True)
class _Table:
    """What all comparisons of a run are made with."""

    blocks: Blocks
    material: float


def _table(grid: Grid, material: float | None) -> _Table:
    return _Table(grid.blocks, grid.run.manifest.matrix.material if material is None else material)


def _asked(
    rules: Iterable[Rule | None],
    table: _Table,
    new: BuildGroup,
    old: BuildGroup | None,
    against: str | None,
    kind: str,
) -> Iterable[Comparison]:
    for rule in rules:
        yield Comparison(rule, new, old, against, kind, table.blocks, table.material)


def compare_treatments(
    grid: Grid,
    field: str,
    old: str,
    new: str,
    *,
    rules: Mapping[str, Rule],
    accepted: Sequence[Accepted] = (),
    material: float | None = None,
) -> list[Verdict]:
    """Return the verdicts on the same versions under two treatments that differ in one field only.

    ``compare_treatments(grid, "relu6", "clip", "relu_sub")`` answers what ReLU6 in pieces costs,
    ``("tensor_format", "linear", "hwc8")`` what a native format saves.

    :param field: of the run's treatments, a runtime's own included; :param old, new: two values as text
    :param accepted: accepted changes, noted at the verdicts they fit
    :param material: as for :func:`judge`
    :raises UsageError: a treatment has no such field, or both values are one
    """
    peaks = host_peaks([grid.run])
    groups = in_order(group_with_peaks(group, peaks) for group in grid.judged)
    known = dict.fromkeys(name for group in groups for name in group.cell.treatment.as_json())
    if field not in known:
        raise UnknownNameError(f"a treatment has no '{field}'; it has {', '.join(known)}")
    if old == new:
        raise BadOptionError(f"{field}: '{old}' and '{new}' are one treatment; name two values")
    asked: list[Comparison] = []
    table = _table(grid, material)
    for group in groups:
        if group.is_aa or str(group.cell.treatment.as_json().get(field)) != new:
            continue
        of_old = (x for x in groups if str(x.cell.treatment.as_json().get(field)) == old)
        # Of the same run, where several have it.
        twins = sorted(of_old, key=lambda x: x.pool != group.pool)
        twin = next((x for x in twins if _alike(x, group, field)), None)
        if twin is None:
            continue
        asked += _asked(_rules(rules), table, group, twin, f"{field} {old}", "treatment")
    return with_accepted(finished(compare(asked)), accepted)


def _rules(rules: Mapping[str, Rule]) -> list[Rule | None]:
    return [*rules.values(), None]


def in_order(groups: Iterable[BuildGroup]) -> list[BuildGroup]:
    """Return *groups* in the order of their verdicts."""
    return sorted(groups, key=_order)


def _order(group: BuildGroup) -> tuple[object, ...]:
    cell = group.cell
    return (
        cell.network,
        cell.treatment.label,
        cell.runtime,
        group.host,
        version_key(cell.version),
        cell.repeat,
        group.started,
    )


def _alike(a: BuildGroup, b: BuildGroup, field: str) -> bool:
    def rest(group: BuildGroup) -> tuple[object, ...]:
        cell = group.cell
        fields = {k: v for k, v in cell.treatment.as_json().items() if k != field}
        return (fields, cell.network, cell.runtime, cell.version, cell.environment, cell.repeat, group.host)

    return rest(a) == rest(b)


def _family(pending: PendingVerdict) -> tuple[str, str, str]:
    return pending.verdict.subject, pending.verdict.runtime, pending.verdict.host


def finished(pending: Sequence[PendingVerdict]) -> list[Verdict]:
    """Adjust the layers' probabilities over all pairs of one subject and host; give each verdict its top."""
    done: list[Verdict] = []
    for _, group in groupby(pending, key=_family):
        members = list(group)
        family = [p for one in members if one.rows is not None for p in one.rows.probabilities]
        q = adjusted(family)
        at = 0
        for one in members:
            rows = one.rows
            if rows is None:
                done.append(one.verdict)
                continue
            done.append(structs.replace(one.verdict, layers=rows.top(q[at : at + len(rows.names)])))
            at += len(rows.names)
    return done
