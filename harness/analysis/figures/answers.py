"""Which version to use for a network, what changed, and how sure that is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from harness.analysis.grid import Grid, GridRow
from harness.analysis.groups import BuildGroup, Release, spread_notes
from harness.analysis.statistics.intervals import ratio
from harness.analysis.verdict import LATENCY, Verdict
from harness.observations.records import GRAPH_PASS


@dataclass(frozen=True)
class Best:
    """The release with the lowest mean of a subject.

    :param low, high: 95 % interval over builds, None with fewer than two
    :param ties: releases that cannot be told from it: the interval of the ratio holds 1, or there is none
    :param others: number of the other releases
    """

    release: Release
    milliseconds: float
    low: float | None
    high: float | None
    ties: tuple[Release, ...]
    others: int

    @property
    def open(self) -> bool:
        """Whether no version stands out: no other can be told from the one with the lowest mean."""
        return 0 < self.others == len(self.ties)


@dataclass(frozen=True)
class Answer:
    """One network and treatment.

    :param launch_bound: builds that launching bounds, of those that say
    :param graph: the best as a CUDA graph, where launching bounds any build and graphs were measured
    :param changes: the latency verdicts that say something changed
    :param undecided: comparisons of two versions with builds that cannot tell
    :param unsettled: those of them of which it is known what would settle them
    :param notes: what has to be known of the intervals
    """

    subject: str
    best: Best
    launch_bound: tuple[int, int]
    graph: Best | None
    changes: tuple[Verdict, ...]
    undecided: int
    recorded: bool
    notes: tuple[str, ...] = ()
    unsettled: tuple[Verdict, ...] = ()


def answers(grid: Grid, verdicts: Sequence[Verdict]) -> tuple[Answer, ...]:
    """Return one answer a subject with anything measured, hosts apart."""
    by_place: dict[tuple[str, str, str], list[tuple[int, Verdict]]] = {}
    for place, verdict in enumerate(verdicts):
        if verdict.bottleneck == LATENCY and verdict.kind in ("version", "run") and verdict.against:
            by_place.setdefault((verdict.cell, verdict.host, verdict.group), []).append((place, verdict))
    rows = ((row, _timed(row.groups)) for row in grid.rows)
    return tuple(_answer(row, timed, by_place) for row, timed in rows if timed)


def _timed(groups: Iterable[BuildGroup]) -> list[BuildGroup]:
    return [group for group in groups if group.latency.builds and not group.cell.repeat]


def _answer(
    row: GridRow,
    groups: Sequence[BuildGroup],
    by_place: Mapping[tuple[str, str, str], Sequence[tuple[int, Verdict]]],
) -> Answer:
    placed = (one for group in groups for one in by_place.get((group.cell.id, group.host, group.name), ()))
    latency = [verdict for _, verdict in sorted(placed, key=lambda one: one[0])]
    bound, said = sum(g.launch_bound[0] for g in groups), sum(g.launch_bound[1] for g in groups)
    graphs = _timed(group.judged_by(GRAPH_PASS) for group in groups) if bound else []
    open_ones = [v for v in latency if v.verdict == "indeterminate" and all(v.builds)]
    return Answer(
        subject=row.name,
        best=_best(groups),
        launch_bound=(bound, said),
        graph=_best(graphs) if graphs else None,
        changes=tuple(v for v in latency if v.alarm),
        undecided=len(open_ones),
        unsettled=tuple(v for v in open_ones if v.settles is not None),
        recorded=any(group.status == "recorded" for group in groups),
        notes=tuple(dict.fromkeys(n for g in groups if len(g.good) > 1 for n in spread_notes(g.cell))),
    )


def _best(groups: Sequence[BuildGroup]) -> Best:
    """Return the best of *groups*, each of which has a build."""
    best = min(groups, key=_middle)
    return Best(
        release=best.release,
        milliseconds=_middle(best),
        low=best.latency.low,
        high=best.latency.high,
        ties=tuple(g.release for g in groups if g is not best and not _slower(best, g)),
        others=len(groups) - 1,
    )


def _middle(group: BuildGroup) -> float:
    middle = group.latency.middle
    assert middle is not None  # only groups with a build are asked about
    return middle


def _slower(best: BuildGroup, other: BuildGroup) -> bool:
    """Say whether *other* is slower than *best*: the 95 % interval of the ratio lies above 1.

    A weaker word than a verdict, which the noise between builds must not explain either.
    """
    compared = ratio(best.latency.builds, other.latency.builds)
    return compared is not None and compared.interval.low > 1.0
