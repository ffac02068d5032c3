"""What the builder was offered for each layer, what it timed and what it chose; and why a kernel lost.

The builder times one layer and reuses the result for others of equal shape, type and formats: such a layer
has no tactic lines of its own and is *inherited*, from the layer that was timed. Silence is not absence:
"not offered" is said only where a search that the log shows whole holds no such kernel; where a log names no
kernels, or the source of an inherited result cannot be found, the answer is None: unknown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from harness.attribution.engine import AttributedEngine, AttributedLayer, KernelFamily, LayerRole
from harness.attribution.families import GEMM_FAMILIES
from harness.attribution.search import Candidate, Search, read_searches
from harness.attribution.signatures import signatures
from harness.evidence.records import Evidence
from harness.networks.graph import OpClass
from harness.remembering import once_each


class Source(StrEnum):
    """Where the result of a layer came from."""

    TIMED = "timed"  # the log holds timed tactics of this very layer
    INHERITED = "inherited"  # reused from an equal layer that was timed
    UNKNOWN = "unknown"  # no tactics, and no equal layer that was timed: the log cannot tell


@dataclass(frozen=True, slots=True)
class FamilySearch:
    """What became of one group of kernel families in the search for one layer; times in milliseconds.

    :param offered: None where the log cannot tell
    :param timed: how many tactics of it have a time
    :param chosen: the engine runs one of it; None where the engine's kernel is unknown
    :param best: the fastest of it, None where none was timed
    :param winner: what the engine runs, as it was timed in the same search
    """

    offered: bool | None
    timed: int
    chosen: bool | None
    best: Candidate | None = None
    winner: Candidate | None = None

    @property
    def lost_ms(self) -> tuple[float, float] | None:
        """Times of the best of it and of what won; None where it won or was not timed."""
        if self.chosen or self.best is None or self.winner is None:
            return None
        if self.best.time_ms is None or self.winner.time_ms is None:
            return None
        return self.best.time_ms, self.winner.time_ms

    @property
    def lost_by_ms(self) -> float | None:
        """How much slower the best of it was than what won; None where it won or was not timed."""
        return None if self.lost_ms is None else self.lost_ms[0] - self.lost_ms[1]


@dataclass(frozen=True, slots=True)
class LayerForensics:
    """The search behind one engine layer.

    :param inherited_from: the layer whose result was reused, None where it was timed itself or is unknown
    :param searches: one a format combination; for an inherited layer those of the layer it inherits from
    :param silent: format combinations opened for this layer below which nothing stands (results reused)
    """

    layer: AttributedLayer
    source: Source
    inherited_from: str | None
    searches: tuple[Search, ...]
    gemm_as_conv1x1: FamilySearch
    any_gemm: FamilySearch
    silent: int = 0

    @property
    def runners(self) -> dict[str, str]:
        """Return runner to ``timed``, ``offered`` (listed without a time) or ``skipped``."""
        found: dict[str, str] = {}
        rank = {"skipped": 0, "offered": 1, "timed": 2}
        for search in self.searches:
            for runner, state in search.runners().items():
                if rank[state] >= rank.get(found.get(runner, ""), -1):
                    found[runner] = state
        return found


def forensics(engine: AttributedEngine, evidence: Evidence) -> tuple[LayerForensics, ...]:
    """Return the search behind each compute layer of *engine*, in execution order.

    :param evidence: what *engine* was made of; its tactics come from a VERBOSE builder log
    """
    searches = read_searches(evidence, str(evidence.facts.get("tensorrt") or "") or None)
    compute = [layer for layer in engine.layers if layer.role in (LayerRole.COMPUTE, LayerRole.UNKNOWN)]
    equal = signatures(engine, evidence)
    timed = {name: found for name, found in searches.of_layer.items() if any(s.timed for s in found)}
    # The builder goes through the layers in the order of the log; only what came before can be reused.
    order = {name: place for place, name in enumerate(timed)}
    return tuple(_layer(layer, compute, timed, order, equal, searches.silent) for layer in compute)


@once_each
def pointwise_forensics(engine: AttributedEngine, evidence: Evidence) -> tuple[LayerForensics, ...]:
    """Return :func:`forensics` of the layers that are 1x1 convolutions."""
    return tuple(x for x in forensics(engine, evidence) if x.layer.op_class == OpClass.POINTWISE)


def _layer(
    layer: AttributedLayer,
    compute: Sequence[AttributedLayer],
    timed: dict[str, tuple[Search, ...]],
    order: dict[str, int],
    equal: dict[int, object],
    silent: dict[str, int],
) -> LayerForensics:
    own = timed.get(layer.name)
    source, donor = Source.UNKNOWN, None
    if own is not None:
        source = Source.TIMED
    else:
        donor = _donor(layer, compute, timed, order, equal)
        if donor is not None:
            source, own = Source.INHERITED, timed[donor]
    found = own or ()
    quiet = silent.get(layer.name, 0) if source is Source.TIMED else 0
    return LayerForensics(
        layer=layer,
        source=source,
        inherited_from=donor,
        searches=found,
        gemm_as_conv1x1=_fate(layer, found, frozenset({KernelFamily.GEMM_AS_CONV1X1}), quiet),
        any_gemm=_fate(layer, found, GEMM_FAMILIES, quiet),
        silent=quiet,
    )


def _donor(
    layer: AttributedLayer,
    compute: Sequence[AttributedLayer],
    timed: dict[str, tuple[Search, ...]],
    order: dict[str, int],
    equal: dict[int, object],
) -> str | None:
    """Return the timed layer of equal shape whose search holds the tactic that *layer* runs."""
    key = equal.get(layer.position)
    if key is None:
        return None
    names = [
        other.name
        for other in compute
        if other.name in timed and equal.get(other.position) == key and other.name != layer.name
    ]
    names.sort(key=order.__getitem__)
    holding = [name for name in names if any(s.find(layer.tactic, layer.type) for s in timed[name])]
    # Without a tactic id of the engine (kernels of Myelin, a log that was cut) equal shape has to do.
    return next(iter(holding or (names if layer.tactic is None else [])), None)


def _fate(
    layer: AttributedLayer, searches: Sequence[Search], families: frozenset[KernelFamily], silent: int
) -> FamilySearch:
    inside = [c for s in searches for c in s.candidates if c.family in families]
    timed = [c for c in inside if c.time_ms is not None]
    chosen = None if layer.family is KernelFamily.UNKNOWN else layer.family in families
    best = min(timed, key=lambda c: c.time_ms or 0.0, default=None)
    return FamilySearch(
        offered=True if inside else _not_offered(searches, families, silent),
        timed=len(timed),
        chosen=chosen,
        best=best,
        winner=_winner(layer, searches, best),
    )


def _not_offered(searches: Sequence[Search], families: frozenset[KernelFamily], silent: int) -> bool | None:
    """Return False where the searches show that nothing of *families* was offered, None where they cannot."""
    if silent or not any(search.timed for search in searches):
        return None
    for candidate in (c for search in searches for c in search.candidates):
        nameless = candidate.kernel is None
        if candidate.family is KernelFamily.UNKNOWN:
            return None
        # A matrix library without kernel names may have run the very kernel asked for.
        if nameless and candidate.family in GEMM_FAMILIES and families != GEMM_FAMILIES:
            return None
    return False


def _winner(layer: AttributedLayer, searches: Sequence[Search], best: Candidate | None) -> Candidate | None:
    """Return the engine's tactic as it was timed: where *best* was timed if it stands there, else fastest."""
    found = [(s, c) for s in searches if (c := s.find(layer.tactic, layer.type)) is not None]
    timed = [(s, c) for s, c in found if c.time_ms is not None]
    if best is not None:
        same = [c for s, c in timed if best in s.candidates]
        if same:
            return same[0]
    return min((c for _, c in timed), key=lambda c: c.time_ms or 0.0, default=found[0][1] if found else None)
