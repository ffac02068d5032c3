"""FLOPs, bytes and the least time they take: per source op, per engine layer, per class.

The bound of a piece of work is max(FLOPs / peak FLOP/s, bytes / bandwidth) (Williams, Waterman, Patterson
2009, doi:10.1145/1498765.1498785). Bytes are compulsory traffic. For a fused layer the bound is that of the
group: its inputs, outputs and weights once; what flows inside the layer never reaches the memory.
A bound is a line to hold times against, not a time that a kernel can reach: caches can beat the bandwidth,
launches cost besides.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import prod

from harness.attribution.engine import AttributedEngine, LayerRole
from harness.attribution.peaks import Peaks
from harness.networks.accounting import OpCost, op_cost, op_costs, total, totals_by_class, weight_shapes
from harness.networks.graph import Graph
from harness.remembering import once_each

ELEMENT_BYTES = {"fp32": 4.0, "tf32": 4.0, "fp16": 2.0, "int8": 1.0}
"""Bytes of a tensor's element in the precision that a network is built for."""


@dataclass(frozen=True, slots=True)
class Bound:
    """What a piece of work takes at least; times in milliseconds."""

    flops: int
    bytes: int
    compute_ms: float
    memory_ms: float

    @property
    def ms(self) -> float:
        """The larger of the two times."""
        return max(self.compute_ms, self.memory_ms)


def bound(flops: int, moved: int, peaks: Peaks) -> Bound:
    """Return the bound of *flops* FLOPs and *moved* bytes."""
    return Bound(flops, moved, 1e3 * flops / peaks.flops_per_s, 1e3 * moved / peaks.bytes_per_s)


def group_bound(graph: Graph, ops: Sequence[str], peaks: Peaks, precision: str) -> Bound:
    """Return the bound of *ops* fused into one layer."""
    names = set(ops)
    inside = [graph.op(name) for name in ops]
    made = {op.output for op in inside}
    read = dict.fromkeys(tensor for op in inside for tensor in op.inputs if tensor not in made)
    leaving = [op.output for op in inside if _leaves(graph, op.output, names)]
    elements = sum(prod(graph.shapes[tensor]) for tensor in (*read, *leaving))
    own = [_flops_and_weights(graph)[op.name] for op in inside]
    elements += sum(weights for _, weights in own)
    flops = sum(flops for flops, _ in own)
    return bound(flops, round(elements * ELEMENT_BYTES[precision]), peaks)


@once_each
def _flops_and_weights(graph: Graph) -> dict[str, tuple[int, int]]:
    """Return op to its FLOPs and the elements of its weights."""
    return {
        op.name: (op_cost(graph, op).flops, sum(prod(shape) for shape in weight_shapes(graph, op).values()))
        for op in graph.ops
    }


def _leaves(graph: Graph, tensor: str, inside: set[str]) -> bool:
    readers = graph.consumers(tensor)
    return tensor in graph.outputs or not readers or any(reader.name not in inside for reader in readers)


def layer_bounds(engine: AttributedEngine, peaks: Peaks, precision: str) -> dict[int, Bound]:
    """Return layer position to its bound, for compute layers that carry source ops.

    An op that several layers carry is bound in the first of them.
    """
    if engine.graph is None or not engine.batch_known or precision not in ELEMENT_BYTES:
        return {}
    found: dict[int, Bound] = {}
    seen: set[str] = set()
    for layer in engine.layers:
        own = [op for op in layer.source_ops if op not in seen]
        if own and layer.role is LayerRole.COMPUTE:
            found[layer.position] = group_bound(engine.graph, own, peaks, precision)
            seen.update(own)
    return found


def class_bounds_ms(engine: AttributedEngine, peaks: Peaks, precision: str) -> dict[str, float]:
    """Return op class to the sum of its layers' bounds, ms (a fused layer counts whole for its class)."""
    bounds = layer_bounds(engine, peaks, precision)
    sums: dict[str, float] = {}
    for layer in engine.layers:
        if layer.position in bounds:
            sums[layer.op_class] = sums.get(layer.op_class, 0.0) + bounds[layer.position].ms
    return sums


@dataclass(frozen=True, slots=True)
class Achieved:
    """FLOP/s that a build reached.

    :param end_to_end: all FLOPs of the network over the end-to-end latency, None where it was not measured
    :param by_class: FLOPs of all ops in the layers of a class over the time of these layers
    """

    end_to_end: float | None
    by_class: Mapping[str, float]


def achieved(engine: AttributedEngine, latency_ms: float | None) -> Achieved | None:
    """Return the FLOP/s that a build reached; None for a partial profile, an unknown network or batch.

    :param latency_ms: end to end, one run of the whole batch
    """
    if engine.graph is None or engine.partial or not engine.batch_known:
        return None
    flops = _work(engine.graph).flops
    return Achieved(1e3 * flops / latency_ms if latency_ms else None, _by_class(engine))


@once_each
def _by_class(engine: AttributedEngine) -> Mapping[str, float]:
    assert engine.graph is not None
    ops, flops = _work(engine.graph).ops, dict[str, int]()
    for layer in engine.layers:
        # What a layer carries is its class's, as its time is: a fused clip belongs to its convolution.
        kind = str(layer.op_class)
        for op in layer.source_ops:
            flops[kind] = flops.get(kind, 0) + ops[op].flops
    times = {str(kind): ms for kind, ms in engine.time_of_class().items()}
    return {
        kind: 1e3 * count / times[kind] for kind, count in sorted(flops.items()) if times.get(kind) and count
    }


def time_and_flop_shares(
    engine: AttributedEngine, kinds: Iterable[str]
) -> dict[str, tuple[float | None, float | None]]:
    """Return op class to (share of layer time, share of FLOPs); None where one is not known."""
    whole = engine.total_ms > 0 and not engine.partial
    times = engine.time_of_class()
    flops = {} if engine.graph is None else _work(engine.graph).by_class
    all_flops = sum(flops.values())
    return {
        kind: (
            times.get(kind, 0.0) / engine.total_ms if whole else None,
            flops.get(kind, 0) / all_flops if all_flops else None,
        )
        for kind in kinds
    }


@dataclass(frozen=True)
class _Work:
    """What a network's ops cost. :param by_class: FLOPs of each accounting class"""

    ops: Mapping[str, OpCost]
    flops: int
    by_class: Mapping[str, int]


@once_each
def _work(graph: Graph) -> _Work:
    """Return what the ops of *graph* cost."""
    costs = op_costs(graph)
    by_class = {str(kind): cost.flops for kind, cost in totals_by_class(costs.values()).items()}
    return _Work(costs, total(costs.values()).flops, by_class)
