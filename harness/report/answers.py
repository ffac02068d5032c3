"""The first screen: which version to use for a network, what changed, and how sure that is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from harness.analysis.groups import spread_notes
from harness.analysis.statistics.intervals import ratio
from harness.analysis.verdict import LATENCY, Verdict
from harness.observations.records import GRAPH_PASS, CellObservation, RunObservation
from harness.report.columns import Release, anchor, build_values, hosts_of, latency_of, release_of, subjects


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
    :param notes: what has to be known of the intervals
    """

    subject: str
    anchor: str
    best: Best
    launch_bound: tuple[int, int]
    graph: Best | None
    changes: tuple[Verdict, ...]
    undecided: int
    recorded: bool
    notes: tuple[str, ...] = ()


def answers(run: RunObservation, verdicts: Sequence[Verdict]) -> tuple[Answer, ...]:
    """Return one answer a subject with anything measured, hosts apart."""
    found = []
    for subject, cells in subjects(run).items():
        timed = _timed(cells)
        if timed:
            ids = {c.cell.id for c in timed}
            hosts = {host for c in timed for host in hosts_of(c)}
            mine = [v for v in verdicts if v.cell in ids and v.host in hosts]
            found.append(_answer(subject, timed, mine))
    return tuple(found)


def _timed(cells: Iterable[CellObservation]) -> list[CellObservation]:
    return [c for c in cells if build_values(c) and not c.cell.repeat]


def _answer(subject: str, cells: Sequence[CellObservation], verdicts: Sequence[Verdict]) -> Answer:
    latency = [v for v in verdicts if v.bottleneck == LATENCY and v.kind in ("version", "run") and v.against]
    bound, said = sum(c.launch_bound[0] for c in cells), sum(c.launch_bound[1] for c in cells)
    graphs = _timed(c.judged_by(GRAPH_PASS) for c in cells) if bound else []
    return Answer(
        subject=subject,
        anchor=anchor("latency", subject),
        best=_best(cells),
        launch_bound=(bound, said),
        graph=_best(graphs) if graphs else None,
        changes=tuple(v for v in latency if v.alarm),
        undecided=sum(1 for v in latency if v.verdict == "indeterminate" and all(v.builds)),
        recorded=any(c.status == "recorded" for c in cells),
        notes=tuple(dict.fromkeys(n for c in cells if len(c.good) > 1 for n in spread_notes(c.cell))),
    )


def _best(cells: Sequence[CellObservation]) -> Best:
    """Return the best of *cells*, each of which has a build."""
    best = min(cells, key=_middle)
    latency = latency_of(best)
    return Best(
        release=release_of(best),
        milliseconds=_middle(best),
        low=latency.low,
        high=latency.high,
        ties=tuple(release_of(c) for c in cells if c is not best and not _slower(best, c)),
        others=len(cells) - 1,
    )


def _middle(found: CellObservation) -> float:
    middle = latency_of(found).middle
    assert middle is not None  # only cells with a build are asked about
    return middle


def _slower(best: CellObservation, other: CellObservation) -> bool:
    """Say whether *other* is slower than *best*: the 95 % interval of the ratio lies above 1.

    A weaker word than a verdict, which the noise between builds must not explain either.
    """
    found = ratio(build_values(best), build_values(other))
    return found is not None and found.interval.low > 1.0
