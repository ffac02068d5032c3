"""Two engines with different fusions side by side, source op by source op."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import msgspec

from harness.attribution.engine import (
    AttributedEngine,
    AttributedLayer,
    KernelFamily,
    LayerRole,
)
from harness.remembering import once_each


class OpSide(msgspec.Struct, frozen=True):
    """One op in one engine.

    :param time_ms: its share of the layers that carry it; None where the engine has no times
    :param layer: the engine layer that carries most of it
    :param fused_with: the other ops of that layer
    """

    time_ms: float | None
    layer: str
    kernel: str | None
    type: str | None
    family: KernelFamily
    fused_with: tuple[str, ...]


class ComparedOp(msgspec.Struct, frozen=True):
    """One op in both engines; None where an engine does not carry it (or it cannot be told)."""

    op: str
    first: OpSide | None
    second: OpSide | None

    @property
    def difference_ms(self) -> float | None:
        """Second minus first, ms; None where either has no time."""
        if self.first is None or self.second is None:
            return None
        if self.first.time_ms is None or self.second.time_ms is None:
            return None
        return self.second.time_ms - self.first.time_ms


@dataclass(frozen=True, slots=True)
class SideBySide:
    """Two engines side by side.

    :param ops: one row a source op, in network order
    :param rest: time that belongs to no op, by what it is (``reformat``, ``quantize``, ``unattributed``): ms
        of the first and of the second engine
    :param totals: sum of the layer times of each; ops and rest add up to them
    """

    ops: tuple[ComparedOp, ...]
    rest: tuple[tuple[str, float, float], ...]
    totals: tuple[float, float]

    def sums(self) -> tuple[float, float]:
        """Return what the rows add up to, for each engine, ms."""
        first = sum((row.first.time_ms or 0.0) for row in self.ops if row.first)
        second = sum((row.second.time_ms or 0.0) for row in self.ops if row.second)
        return first + sum(r[1] for r in self.rest), second + sum(r[2] for r in self.rest)


def side_by_side(first: AttributedEngine, second: AttributedEngine) -> SideBySide:
    """Compare two engines of one network, op by op.

    Ops are matched by name; networks in two ReLU6 forms have some ops in one of them only.
    """
    ours, theirs = _sides(first), _sides(second)
    order = _order(first, second, {*ours, *theirs})
    rest_first, rest_second = _rest(first), _rest(second)
    kinds = list(dict.fromkeys((*rest_first, *rest_second)))
    return SideBySide(
        ops=tuple(ComparedOp(op, ours.get(op), theirs.get(op)) for op in order),
        rest=tuple((kind, rest_first.get(kind, 0.0), rest_second.get(kind, 0.0)) for kind in kinds),
        totals=(first.total_ms, second.total_ms),
    )


@once_each
def _sides(engine: AttributedEngine) -> dict[str, OpSide]:
    times = engine.time_of_op()
    timed = any(layer.time_ms is not None for layer in engine.layers)
    return {
        op: OpSide(
            time_ms=times[op] if timed else None,
            layer=layer.name,
            kernel=layer.kernel,
            type=layer.type,
            family=layer.family,
            fused_with=_others(layer, op),
        )
        for op, layer in engine.layer_of_op().items()
    }


def _others(layer: AttributedLayer, op: str) -> tuple[str, ...]:
    # Most layers carry one op alone.
    return () if len(layer.source_ops) == 1 else tuple(x for x in layer.source_ops if x != op)


def _order(first: AttributedEngine, second: AttributedEngine, present: set[str]) -> list[str]:
    names: Iterable[str] = (
        op.name for engine in (first, second) if engine.graph is not None for op in engine.graph.ops
    )
    known = [name for name in dict.fromkeys(names) if name in present]
    if first.graph is None or second.graph is None or first.graph is second.graph:
        return known
    # An op of the second network only stands where its neighbours stand.
    place = {op.name: float(index) for index, op in enumerate(first.graph.ops)}
    last = -1.0
    for op in second.graph.ops:
        if op.name in place:
            last = place[op.name]
        else:
            last = place[op.name] = last + 1e-6
    return sorted(known, key=place.__getitem__)


def _rest(engine: AttributedEngine) -> dict[str, float]:
    times: dict[str, float] = {}
    for layer in engine.layers:
        if layer.source_ops or not layer.time_ms:
            continue
        kind = _kind(layer)
        times[kind] = times.get(kind, 0.0) + layer.time_ms
    return times


def _kind(layer: AttributedLayer) -> str:
    if layer.role in (LayerRole.REFORMAT, LayerRole.NO_OP):
        return str(layer.role)
    return layer.op_class if layer.op_class == "quantize" else "unattributed"
