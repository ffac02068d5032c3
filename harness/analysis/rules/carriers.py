"""The layers that carry a cost: chosen from an engine, named alike in every version, heaviest first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from operator import itemgetter

from harness.analysis.rules.base import Cost
from harness.attribution.engine import AttributedEngine, AttributedLayer, LayerRole
from harness.observations.records import BuildObservation

MOST_UNATTRIBUTED = 0.20
"""Above this share of unattributed layer time nothing is said of a class of convolutions."""


def timed_engine(build: BuildObservation) -> AttributedEngine | None:
    """Return the build's engine where it has layer times, None elsewhere."""
    engine = build.engine
    return engine if engine is not None and engine.total_ms > 0 else None


def carrier_name(layer: AttributedLayer) -> str:
    """Return a name for *layer* that another version's engine has too, where the source ops allow one.

    Compute layers are named after the source op that carries most of them, reformats after the op that writes
    what they read and the op that reads what they write (what is fused to these differs between engines), the
    unattributed keep the engine's name.
    """
    if layer.role is LayerRole.REFORMAT:
        if not (layer.before or layer.after):
            return layer.name
        before = layer.before[-1] if layer.before else "network input"
        after = layer.after[0] if layer.after else "network output"
        return f"reformat {before} -> {after}"
    if layer.shares:
        return max(layer.shares, key=layer.shares.__getitem__)
    return layer.source_ops[0] if layer.source_ops else layer.name


def cost_of(
    engine: AttributedEngine,
    layers: Iterable[AttributedLayer],
    evidence: Mapping[str, object],
    *,
    bound_ms: float = 0.0,
    note: str = "",
) -> Cost:
    """Return the cost that *layers* carry: their time above *bound_ms*, not below 0.

    :param bound_ms: least time for the same work, ms
    :param note: see :class:`Cost`
    """
    times = carrier_times(layers)
    spent = sum(times.values())
    milliseconds = max(0.0, spent - bound_ms)
    return Cost(
        milliseconds=milliseconds,
        share=None if engine.partial else milliseconds / engine.total_ms,
        layers=tuple(_heaviest_first(times)),
        evidence=evidence,
        note=note,
        signed=spent - bound_ms,
    )


def _heaviest_first(times: Mapping[str, float]) -> list[tuple[str, float]]:
    # twice, in C: the order by name stays among those of one time
    return sorted(sorted(times.items()), key=itemgetter(1), reverse=True)


def carrier_times(layers: Iterable[AttributedLayer]) -> dict[str, float]:
    """Return carrier name to milliseconds; layers of one name are added, those without a time are not."""
    times: dict[str, float] = {}
    reformat = LayerRole.REFORMAT
    for layer in layers:
        if (ms := layer.time_ms) is None:
            continue
        if len(layer.shares) == 1 and layer.role is not reformat:
            # most layers carry one op alone: carrier_name says no more of them, and costs a call
            (name,) = layer.shares
        else:
            name = carrier_name(layer)
        times[name] = times.get(name, 0.0) + ms
    return times


def families_of(layers: Iterable[AttributedLayer]) -> dict[str, int]:
    """Return kernel family to number of layers."""
    counts = Counter([layer.family for layer in layers])
    return dict(sorted((str(family), count) for family, count in counts.items()))


def tells_classes(engine: AttributedEngine) -> bool:
    """Return whether enough of the time is attributed to speak of a class of convolutions."""
    return engine.unattributed_ms <= MOST_UNATTRIBUTED * engine.total_ms
