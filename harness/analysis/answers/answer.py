"""Which version to use for a network, what became of each bottleneck, what got worse, what is open."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from harness.analysis.answers.best import Best, best_of
from harness.analysis.answers.bottlenecks import Finding, findings
from harness.analysis.answers.kernels import KernelAnswer, kernel_answer
from harness.analysis.answers.published import published_gains
from harness.analysis.answers.remedies import RemedyAnswer, remedies
from harness.analysis.figures.kernels import kernels_of
from harness.analysis.grid import Grid, GridRow
from harness.analysis.groups import BuildGroup, spread_notes
from harness.analysis.table import Change, State
from harness.analysis.verdict import LATENCY, Verdict
from harness.observations.records import GRAPH_PASS

Place = tuple[str, str, str]
"""Cell, host and group."""


@dataclass(frozen=True)
class RuntimeAnswer:
    """One network and treatment on one host, in the versions of one runtime.

    :param builds: number of each version that has a latency, oldest first
    :param device: model of the GPU or CPU, empty where it is not known
    :param launch_bound: builds that launching bounds, of those that say
    :param graph: the best as a CUDA graph, where launching bounds any build and graphs were measured
    :param latency: comparisons of two versions; :param costs: those of bottlenecks
    :param remedies: for the bottlenecks that are present in the newest version
    """

    runtime: str
    builds: Mapping[str, int]
    device: str
    best: Best
    launch_bound: tuple[int, int]
    graph: Best | None
    latency: tuple[Verdict, ...]
    costs: tuple[Verdict, ...]
    findings: tuple[Finding, ...]
    kernels: KernelAnswer
    remedies: tuple[RemedyAnswer, ...] = ()

    @property
    def versions(self) -> tuple[str, ...]:
        """The versions that have a latency, oldest first."""
        return tuple(self.builds)

    @property
    def changes(self) -> tuple[Verdict, ...]:
        """The latencies that changed, and the versions whose outputs are wrong."""
        return tuple(v for v in self.latency if v.alarm)

    @property
    def worse(self) -> tuple[Verdict, ...]:
        """What regressed from one version to the next, latencies first."""
        return tuple(v for v in (*self.latency, *self.costs) if v.change is Change.REGRESSED)

    @property
    def unclear(self) -> tuple[Verdict, ...]:
        """The latencies of two versions with builds that cannot be told apart."""
        return tuple(v for v in self.latency if v.verdict == "indeterminate" and all(v.builds))


@dataclass(frozen=True)
class Answer:
    """One network and treatment.

    :param label: its treatment in words, without what all answers of a run have in common
    :param host: as its row names it, or nothing
    :param best: of all runtimes
    :param launch_bound: builds that launching bounds, of those that say
    :param graph: the best as a CUDA graph, where launching bounds any build and graphs were measured
    :param notes: what has to be known of the intervals
    """

    subject: str
    network: str
    label: str
    host: str
    best: Best
    launch_bound: tuple[int, int]
    graph: Best | None
    runtimes: tuple[RuntimeAnswer, ...]
    recorded: bool
    notes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Network, treatment and, where rows are of several, the host."""
        return " ".join(part for part in (self.network, self.label, self.host and f"on {self.host}") if part)

    @property
    def changes(self) -> tuple[Verdict, ...]:
        """The latency verdicts that say something changed."""
        return tuple(v for one in self.runtimes for v in one.changes)

    @property
    def unclear(self) -> tuple[Verdict, ...]:
        """Comparisons of two versions with builds that cannot tell."""
        return tuple(v for one in self.runtimes for v in one.unclear)

    @property
    def undecided(self) -> int:
        """Their number."""
        return len(self.unclear)

    @property
    def unsettled(self) -> tuple[Verdict, ...]:
        """Those of them of which it is known what would settle them."""
        return tuple(v for v in self.unclear if v.settles is not None)


def answers(
    grid: Grid, verdicts: Sequence[Verdict], titles: Mapping[str, str] | None = None
) -> tuple[Answer, ...]:
    """Return one answer a subject with anything measured, hosts apart.

    :param titles: of the rules, by name in their order
    """
    by_place: dict[Place, list[Verdict]] = {}
    for verdict in verdicts:
        if verdict.kind in ("version", "run"):
            by_place.setdefault((verdict.cell, verdict.host, verdict.group), []).append(verdict)
    rows = [(row, timed) for row in grid.rows if (timed := _timed(row.groups))]
    same = shared_words(grid)
    return tuple(_answer(grid, row, timed, by_place, titles or {}, same) for row, timed in rows)


def shared_words(grid: Grid) -> tuple[str, ...]:
    """Return the words on treatments that all answers of a run have in common, none of one alone."""
    treatments = [timed[0].cell.treatment.words for row in grid.rows if (timed := _timed(row.groups))]
    if len(treatments) < 2:
        return ()
    return tuple(word for word in treatments[0] if all(word in others for others in treatments[1:]))


def _timed(groups: Iterable[BuildGroup]) -> list[BuildGroup]:
    return [group for group in groups if group.latency.builds and not group.cell.repeat]


def _answer(
    grid: Grid,
    row: GridRow,
    groups: Sequence[BuildGroup],
    by_place: Mapping[Place, Sequence[Verdict]],
    titles: Mapping[str, str],
    same: Collection[str],
) -> Answer:
    cell = groups[0].cell
    runtimes: dict[str, list[BuildGroup]] = {}
    for group in row.groups:
        if not group.cell.repeat:
            runtimes.setdefault(group.cell.runtime, []).append(group)
    label = " ".join(x for x in cell.treatment.words if x not in same)
    host = row.name.removeprefix(f"{row.subject} on ") if row.name != row.subject else ""
    name = f"{cell.network} {label}".strip()
    whole = _best(grid, groups), _graph(grid, groups)
    parts = []
    for own in runtimes.values():
        if timed := _timed(own):
            # of one runtime alone it is the same answer
            alone = len(timed) == len(groups) and all(a is b for a, b in zip(timed, groups, strict=True))
            best = whole if alone else (_best(grid, timed), _graph(grid, timed))
            parts.append(_runtime(grid, own, best, by_place, titles, name))
    return Answer(
        subject=row.name,
        network=cell.network,
        label=label,
        host=host,
        best=whole[0],
        launch_bound=_launch_bound(groups),
        graph=whole[1],
        runtimes=tuple(parts),
        recorded=any(group.status == "recorded" for group in groups),
        notes=tuple(dict.fromkeys(n for g in groups if len(g.good) > 1 for n in spread_notes(g.cell))),
    )


def _runtime(
    grid: Grid,
    groups: Sequence[BuildGroup],
    best: tuple[Best, Best | None],
    by_place: Mapping[Place, Sequence[Verdict]],
    titles: Mapping[str, str],
    name: str,
) -> RuntimeAnswer:
    timed = _timed(groups)
    # a version whose outputs are wrong has no latency that counts, and is to be heard of
    observed = (group for group in groups if group.observed)
    verdicts = [v for g in observed for v in by_place.get((g.cell.id, g.host, g.name), ())]
    compared = [v for v in verdicts if v.against is not None]
    kernels = kernel_answer([found for found in map(kernels_of, timed) if found is not None])
    facts = timed[0].good[0].facts
    found = findings(verdicts, titles, kernels)
    launch_bound = _launch_bound(timed)
    # of the newest version: what is gone there needs no other remedy
    present = {one.bottleneck for one in found if one.state is State.PRESENT}
    present |= {"launch"} if timed[-1].launch_bound[0] else set()
    return RuntimeAnswer(
        runtime=timed[0].cell.runtime,
        builds=_builds(timed),
        device=str(facts.get("gpu") or facts.get("cpu") or ""),
        best=best[0],
        launch_bound=launch_bound,
        graph=best[1],
        latency=tuple(v for v in compared if v.bottleneck == LATENCY),
        costs=tuple(v for v in compared if v.bottleneck != LATENCY),
        findings=found,
        kernels=kernels,
        remedies=remedies(grid, timed[-1], frozenset(present), name, published_gains(_own_bundles(grid))),
    )


def _own_bundles(grid: Grid) -> frozenset[str]:
    return frozenset(path.name.removesuffix(".tar.xz") for path in grid.run.runs)


def _builds(groups: Sequence[BuildGroup]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for group in groups:
        counts[group.cell.version] = counts.get(group.cell.version, 0) + len(group.latency.builds)
    return counts


def _best(grid: Grid, groups: Sequence[BuildGroup]) -> Best:
    return best_of(groups, grid.blocks, grid.run.manifest.matrix.material)


def _launch_bound(groups: Sequence[BuildGroup]) -> tuple[int, int]:
    return sum(g.launch_bound[0] for g in groups), sum(g.launch_bound[1] for g in groups)


def _graph(grid: Grid, groups: Sequence[BuildGroup]) -> Best | None:
    graphs = _timed(g.judged_by(GRAPH_PASS) for g in groups) if _launch_bound(groups)[0] else []
    return _best(grid, graphs) if graphs else None
