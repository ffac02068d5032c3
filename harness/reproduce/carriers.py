"""The layers that carry a verdict's change, and the source ops that each of them carries."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from harness.analysis.grid import Grid
from harness.analysis.groups import BuildGroup
from harness.analysis.rules.carriers import carrier_name
from harness.analysis.series import REFORMATS
from harness.analysis.verdict import LATENCY, LayerChange, Verdict
from harness.attribution.engine import AttributedEngine, AttributedLayer, LayerRole
from harness.errors import NothingToReproduceError, UnknownNameError, did_you_mean


@dataclass(frozen=True)
class Carrier:
    """A layer that carries a change.

    :param ops: source ops that it is on either side, or that a reformat stands between
    :param old_ms, new_ms: mean of its time in the profile over builds
    :param changed: whether it is told apart from one that did not change
    """

    name: str
    ops: tuple[str, ...]
    old_ms: float
    new_ms: float
    changed: bool

    @property
    def difference_ms(self) -> float:
        """new - old."""
        return self.new_ms - self.old_ms


def sides_of(grid: Grid, verdict: Verdict) -> tuple[BuildGroup, BuildGroup]:
    """Return the builds that *verdict* compares, the old ones first.

    :raises NothingToReproduceError: one of them is not in the run
    """
    new = next(
        (
            group
            for group in grid.built
            if (group.cell.id, group.host, group.name) == (verdict.cell, verdict.host, verdict.group)
        ),
        None,
    )
    olds = [g for g in grid.built if (g.cell.id, g.host) == (verdict.against_cell, verdict.host)]
    if new is None or not olds:
        raise NothingToReproduceError(f"{verdict.name}: its builds are not in this run")
    return min(olds, key=lambda group: group.pool != new.pool), new


def carriers_of(
    verdict: Verdict, old: BuildGroup, new: BuildGroup, layer: str | None = None
) -> list[Carrier]:
    """Return the layers that carry the change of *verdict* and have source ops, the largest first.

    :param old, new: the builds on either side
    :param layer: the one that is asked for: a layer of the verdict, or a source op
    :raises UnknownNameError: there is no such layer
    :raises NothingToReproduceError: no layer has source ops
    """
    engines = [*old.timed_engines, *new.timed_engines]
    rows = list(_rows(verdict, old, new))
    if layer is not None:
        rows = [_named(layer, rows, old, new)]
    found = [_carrier(row, engines) for row in rows]
    with_ops = [one for one in found if one.ops]
    if not with_ops:
        raise NothingToReproduceError(
            f"{verdict.name}: no layer that carries it is known to come from ops of the network"
        )
    return with_ops


def change_of(verdict: Verdict, carriers: Sequence[Carrier]) -> float | None:
    """Return new / old of what changed: the latency, or the layers that carry a bottleneck's cost."""
    if verdict.bottleneck == LATENCY:
        return verdict.effect
    told = [one for one in carriers if one.changed] or carriers
    old, new = sum(one.old_ms for one in told), sum(one.new_ms for one in told)
    return new / old if old > 0 and new > 0 else None


def _rows(verdict: Verdict, old: BuildGroup, new: BuildGroup) -> Iterator[LayerChange]:
    """Yield the layers that moved as the whole did: those told apart first, the largest of each first."""
    size = (verdict.effect or 1.0) - 1 if verdict.difference is None else verdict.difference
    along = [layer for layer in verdict.layers if layer.difference_ms * size > 0]
    if not along:  # the profile does not know of the change: any layer may be where it is
        yield from sorted(verdict.layers, key=lambda one: -(one.new_ms or 0.0))
    for layer in sorted(along, key=lambda one: (not one.changed, -abs(one.difference_ms))):
        if layer.name == REFORMATS:
            yield from sorted(_reformats(old, new, size), key=lambda one: -abs(one.difference_ms))
        else:
            yield layer


def _reformats(old: BuildGroup, new: BuildGroup, size: float) -> Iterator[LayerChange]:
    """Yield the reformats that moved as the whole did."""
    names = dict.fromkeys(
        carrier_name(layer)
        for engine in (*old.timed_engines, *new.timed_engines)
        for layer in engine.layers
        if layer.role is LayerRole.REFORMAT
    )
    for name in names:
        row = LayerChange(name, mean_ms(name, old), mean_ms(name, new))
        if row.difference_ms * size > 0:
            yield row


def _named(layer: str, rows: Sequence[LayerChange], old: BuildGroup, new: BuildGroup) -> LayerChange:
    """Return the row of *layer*."""
    for row in rows:
        if row.name == layer:
            return row
    carrying = {
        op: carrier_name(one)
        for engine in (*old.timed_engines, *new.timed_engines)
        for op, one in engine.layer_of_op().items()
    }
    known = [*(row.name for row in rows), *carrying]
    if layer not in carrying:
        raise UnknownNameError(f"--layer: no layer or op is called '{layer}'{did_you_mean(layer, known)}")
    name = carrying[layer]
    return LayerChange(name, mean_ms(name, old), mean_ms(name, new))


def mean_ms(name: str, group: BuildGroup) -> float:
    """Return the time of the layers called *name*, ms, mean over the builds of *group*."""
    times = [sum(layer.time_ms or 0.0 for layer in called(name, [e])) for e in group.timed_engines]
    return sum(times) / len(times) if times else 0.0


def called(name: str, engines: Iterable[AttributedEngine]) -> Iterator[AttributedLayer]:
    """Yield the layers of *engines* that execute and are called *name*."""
    for engine in engines:
        for layer in engine.layers:
            if layer.role is not LayerRole.NO_OP and carrier_name(layer) == name:
                yield layer


def _carrier(row: LayerChange, engines: Sequence[AttributedEngine]) -> Carrier:
    layers = list(called(row.name, engines))
    ops = dict.fromkeys(
        op for layer in layers for op in (layer.source_ops or (*layer.before[-1:], *layer.after[:1]))
    )
    return Carrier(row.name, tuple(ops), row.old_ms or 0.0, row.new_ms or 0.0, row.changed)
