"""Kernel adoption and reformats, every build shown; and how the builder's search came to it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from harness.attribution.adoption import Adoption, adoption
from harness.attribution.forensics import Fate, LayerForensics, pointwise_forensics
from harness.networks.graph import OpClass
from harness.observations.records import BuildObservation, CellObservation, RunObservation
from harness.report.columns import Release, anchor, latency_of, mean, of_each, release_of, subjects


@dataclass(frozen=True)
class FateCounts:
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
class SearchSummary:
    """What the builder logs of a release say about its 1x1 convolutions, one entry a build.

    :param gemm_lost: where a GEMM kernel of any family lost; :param lost: ``gemm_as_conv1x1``, layer by layer
    """

    build: int
    layers: int
    timed_themselves: int
    inherited: int
    gemm_as_conv1x1: FateCounts
    any_gemm: FateCounts
    gemm_lost: LostSearches
    lost: tuple[str, ...]


@dataclass(frozen=True)
class KernelRow:
    """One release.

    :param adoptions: counts of each build; :param families: of build 0
    :param depthwise_elsewhere: of each build, those that run inside layers of another class; empty for none
    :param searches: of each build, None where its log has no tactics (a timing cache answered, say); empty
        where no build's has
    :param pointwise_ms: time of the 1x1 convolutions in the profile, mean over builds
    :param latency_ms: as in every section
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
    depthwise_elsewhere: str
    launch_bound: str
    searches: tuple[SearchSummary | None, ...]


@dataclass(frozen=True)
class KernelView:
    """One subject."""

    subject: str
    anchor: str
    rows: tuple[KernelRow, ...]


def kernel_views(run: RunObservation) -> tuple[KernelView, ...]:
    """Return one view a subject whose engine layers are known."""
    views = []
    for subject, cells in subjects(run).items():
        rows = tuple(row for row in map(_row, cells) if row is not None)
        if rows:
            views.append(KernelView(subject, anchor("kernels", subject), rows))
    return tuple(views)


def _row(found: CellObservation) -> KernelRow | None:
    engines = [b.engine for b in found.good if b.engine is not None and b.engine.layers]
    if not engines:
        return None
    counts = tuple(adoption(engine) for engine in engines)
    searches = tuple(_search(b) for b in found.good if b.engine is not None and b.engine.layers)
    return KernelRow(
        release=release_of(found),
        cell=found.cell.id,
        adoptions=counts,
        families=tuple(sorted((str(k), n) for k, n in counts[0].pointwise.families.items())),
        pointwise_ms=mean([p.time_of_class().get(OpClass.POINTWISE, 0.0) for p in engines if p.total_ms]),
        latency_ms=latency_of(found).middle,
        activations_ms=mean([c.activations_ms for c in counts]) or 0.0,
        reformats_ms=mean([c.reformats.time_ms for c in counts]) or 0.0,
        depthwise_time_share=_mean_of([c.depthwise_time_share for c in counts]),
        depthwise_flop_share=counts[0].depthwise_flop_share,
        depthwise_elsewhere=of_each([c.depthwise_elsewhere for c in counts]),
        launch_bound=_launch_bound(found),
        searches=searches if any(searches) else (),
    )


def _mean_of(values: Sequence[float | None]) -> float | None:
    return mean([v for v in values if v is not None])


def _launch_bound(found: CellObservation) -> str:
    """Return how many builds are, of those that say; nothing where none does."""
    bound, said = found.launch_bound
    return f"{bound} of {said}" if said else ""


def _search(build: BuildObservation) -> SearchSummary | None:
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
        lost=tuple(text for text in map(_lost, layers) if text),
    )


def _counts(fates: Sequence[Fate]) -> FateCounts:
    return FateCounts(
        offered=sum(1 for f in fates if f.offered),
        timed=sum(1 for f in fates if f.timed),
        chosen=sum(1 for f in fates if f.chosen),
        cannot_tell=sum(1 for f in fates if f.offered is None),
    )


def _lost_searches(layers: Sequence[LayerForensics]) -> LostSearches:
    count, elsewhere, best_ms, chosen_ms = 0, 0, 0.0, 0.0
    for layer in layers:
        fate = layer.any_gemm
        # Where the engine's kernel is unknown (None), so is whether GEMM lost.
        if fate.chosen is None or (lost := fate.lost_ms) is None:
            continue
        count += 1
        elsewhere += not any(
            fate.best in s.candidates and fate.winner in s.candidates for s in layer.searches
        )
        best_ms += lost[0]
        chosen_ms += lost[1]
    return LostSearches(count, elsewhere, best_ms, chosen_ms)


def _lost(layer: LayerForensics) -> str:
    """Say by how much ``gemm_as_conv1x1`` lost for one layer, nothing where it was not timed."""
    lost, winner = layer.gemm_as_conv1x1.lost_ms, layer.gemm_as_conv1x1.winner
    if lost is None or winner is None:
        return ""
    said = (
        f"{layer.layer.name}: {lost[0]:.4g} ms against {lost[1]:.4g} ms "
        f"of {winner.kernel or winner.runner or 'the chosen kernel'}"
    )
    best = layer.gemm_as_conv1x1.best
    together = any(best in s.candidates and winner in s.candidates for s in layer.searches)
    return said if together else f"{said}, in other formats"
