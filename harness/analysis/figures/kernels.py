"""Kernel adoption and reformats, every build shown; and how the builder's search came to it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from harness.analysis.figures.times import mean
from harness.analysis.grid import GridRow
from harness.analysis.groups import BuildGroup, Release
from harness.attribution.adoption import Adoption, adoption
from harness.attribution.forensics import FamilySearch, LayerForensics, pointwise_forensics
from harness.networks.graph import OpClass
from harness.observations.records import BuildObservation
from harness.remembering import once_each


@dataclass(frozen=True)
class GroupCounts:
    """Over the 1x1 convolution layers of one build: for how many a kernel group was offered, timed, chosen.

    :param cannot_tell: layers for which the log does not say whether it was offered
    """

    offered: int
    timed: int
    chosen: int
    cannot_tell: int


@dataclass(frozen=True)
class LostSearches:
    """The 1x1 convolution layers of one build for which a kernel group was timed and something else chosen.

    :param elsewhere: those where its best was timed with other formats of inputs and outputs than the chosen:
        there the layout decided, by what it costs around the layer, and the best may be the faster of the two
    :param best_ms, chosen_ms: as timed by the builder, summed over these layers
    """

    layers: int
    elsewhere: int
    best_ms: float
    chosen_ms: float


@dataclass(frozen=True)
class LostLayer:
    """One layer for which ``gemm_as_conv1x1`` was timed and something else chosen.

    :param best_ms, chosen_ms: as timed by the builder
    :param chosen: kernel, or runner, that was chosen; empty where the log names none
    :param same_formats: whether both were timed with the same formats of inputs and outputs
    """

    layer: str
    best_ms: float
    chosen_ms: float
    chosen: str
    same_formats: bool


@dataclass(frozen=True)
class SearchSummary:
    """What the builder logs of a release say about its 1x1 convolutions, one entry a build.

    :param gemm_lost: where a GEMM kernel of any family lost; :param lost: ``gemm_as_conv1x1``, layer by layer
    """

    build: int
    layers: int
    timed_themselves: int
    inherited: int
    gemm_as_conv1x1: GroupCounts
    any_gemm: GroupCounts
    gemm_lost: LostSearches
    lost: tuple[LostLayer, ...]


@dataclass(frozen=True)
class KernelFigures:
    """One group.

    :param adoptions: counts of each build; :param families: of build 0
    :param depthwise_elsewhere: of each build, those that run inside layers of another class
    :param tactics: whether its engines name tactics: other runtimes choose kernels without offering them
    :param searches: of each build, None where its log has no tactics (a timing cache answered, say); empty
        where no build's has
    :param pointwise_ms: time of the 1x1 convolutions in the profile, mean over builds
    :param latency_ms: as everywhere
    :param launch_bound: builds that are bound by launches, of those that say
    """

    release: Release
    cell: str
    adoptions: tuple[Adoption, ...]
    families: tuple[tuple[str, int], ...]
    pointwise_ms: float | None
    latency_ms: float | None
    activations_ms: float
    reformats_ms: float
    depthwise_time_share: float | None
    depthwise_flop_share: float | None
    depthwise_elsewhere: tuple[int, ...]
    launch_bound: tuple[int, int]
    searches: tuple[SearchSummary | None, ...]
    tactics: bool = False

    @property
    def on_gemm(self) -> tuple[int, ...]:
        """1x1 convolutions on a GEMM kernel of any family, of each build."""
        return tuple(found.pointwise.on_any_gemm for found in self.adoptions)


def kernel_figures(row: GridRow) -> tuple[KernelFigures, ...]:
    """Return the figures of the groups of *row* whose engine layers are known."""
    return tuple(figures for figures in map(kernels_of, row.groups) if figures is not None)


@once_each
def kernels_of(group: BuildGroup) -> KernelFigures | None:
    """Return the figures of *group*, None where no engine layers are known."""
    builds = [b for b in group.good if b.engine is not None and b.engine.layers]
    engines = [b.engine for b in builds if b.engine is not None]
    if not engines:
        return None
    counts = tuple(adoption(engine) for engine in engines)
    searches = tuple(map(search_summary, builds))
    return KernelFigures(
        release=group.release,
        cell=group.cell.id,
        adoptions=counts,
        families=tuple(sorted((str(k), n) for k, n in counts[0].pointwise.families.items())),
        pointwise_ms=mean([e.time_of_class().get(OpClass.POINTWISE, 0.0) for e in engines if e.total_ms]),
        latency_ms=group.latency.middle,
        activations_ms=mean([c.activations_ms for c in counts]) or 0.0,
        reformats_ms=mean([c.reformats.time_ms for c in counts]) or 0.0,
        depthwise_time_share=mean(
            [c.depthwise_time_share for c in counts if c.depthwise_time_share is not None]
        ),
        depthwise_flop_share=counts[0].depthwise_flop_share,
        depthwise_elsewhere=tuple(c.depthwise_elsewhere for c in counts),
        launch_bound=group.launch_bound,
        searches=searches if any(searches) else (),
        tactics=any(searches) or any(layer.tactic for engine in engines for layer in engine.layers),
    )


def search_summary(build: BuildObservation) -> SearchSummary | None:
    """Return what the builder log of *build* says, None where it has no tactics."""
    if build.engine is None or build.evidence is None or not build.evidence.tactics:
        return None
    layers = pointwise_forensics(build.engine, build.evidence)
    sources = Counter(str(layer.source) for layer in layers)
    return SearchSummary(
        build=build.build,
        layers=len(layers),
        timed_themselves=sources["timed"],
        inherited=sources["inherited"],
        gemm_as_conv1x1=_counts([layer.gemm_as_conv1x1 for layer in layers]),
        any_gemm=_counts([layer.any_gemm for layer in layers]),
        gemm_lost=_lost_searches(layers),
        lost=tuple(lost for lost in map(_lost, layers) if lost is not None),
    )


def _counts(searches: Sequence[FamilySearch]) -> GroupCounts:
    return GroupCounts(
        offered=sum(1 for f in searches if f.offered),
        timed=sum(1 for f in searches if f.timed),
        chosen=sum(1 for f in searches if f.chosen),
        cannot_tell=sum(1 for f in searches if f.offered is None),
    )


def _lost_searches(layers: Sequence[LayerForensics]) -> LostSearches:
    count, elsewhere, best_ms, chosen_ms = 0, 0, 0.0, 0.0
    for layer in layers:
        search = layer.any_gemm
        # Where the engine's kernel is unknown (None), so is whether GEMM lost.
        if search.chosen is None or (lost := search.lost_ms) is None:
            continue
        count += 1
        elsewhere += not any(
            search.best in s.candidates and search.winner in s.candidates for s in layer.searches
        )
        best_ms += lost[0]
        chosen_ms += lost[1]
    return LostSearches(count, elsewhere, best_ms, chosen_ms)


def _lost(layer: LayerForensics) -> LostLayer | None:
    """Return by how much ``gemm_as_conv1x1`` lost for one layer, None where it was not timed."""
    lost, winner = layer.gemm_as_conv1x1.lost_ms, layer.gemm_as_conv1x1.winner
    if lost is None or winner is None:
        return None
    best = layer.gemm_as_conv1x1.best
    together = any(best in s.candidates and winner in s.candidates for s in layer.searches)
    return LostLayer(layer.layer.name, *lost, winner.kernel or winner.runner or "", together)
