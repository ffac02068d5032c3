"""What the builder was offered for the 1x1 convolutions, and by how much the kernels asked for lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from statistics import median

from harness.attribution.engine import AttributedEngine
from harness.attribution.forensics import FamilySearch, pointwise_forensics
from harness.evidence.records import Evidence


def pointwise_offers(engine: AttributedEngine, evidence: Evidence) -> dict[str, object]:
    """Return counts over the layers that are 1x1 convolutions, empty without a VERBOSE builder log.

    ``search`` says where each layer's result came from; ``offered`` splits into layers for which such kernels
    were offered, were not, and cannot be told (reused results leave no lines: silence is not absence).
    """
    if not evidence.tactics:
        return {}
    found = pointwise_forensics(engine, evidence)
    return {
        "search": dict(sorted(Counter(str(layer.source) for layer in found).items())),
        "gemm_as_conv1x1": _summary([layer.gemm_as_conv1x1 for layer in found]),
        "any_gemm": _summary([layer.any_gemm for layer in found]),
    }


def _summary(searches: Sequence[FamilySearch]) -> dict[str, object]:
    offered = Counter({True: "yes", False: "no", None: "unknown"}[search.offered] for search in searches)
    lost = [search.lost_by_ms for search in searches if search.lost_by_ms is not None]
    return {
        "offered": dict(sorted(offered.items())),
        "timed_layers": sum(search.timed > 0 for search in searches),
        "timed_tactics": sum(search.timed for search in searches),
        "chosen": sum(search.chosen is True for search in searches),
        "lost": len(lost),
        "lost_by_ms_median": median(lost) if lost else None,
        "lost_by_ms_least": min(lost, default=None),
    }
