"""MobileNets with one op repeated: networks of which it is known that they are slower, and not by what else.

``mobilenet_v2_plus4`` is MobileNet v2 with the 3x3 depthwise convolution of one block, and its ReLU6, four
more times. A plugin as a third party's is, through the hook ``trtmatrix_networks``; ``with_slower.py`` is the
command line with this plugin.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from harness import hookimpl
from harness.networks.base import NetworkFamily
from harness.networks.digest import with_digest
from harness.networks.graph import FloatArray, Graph, SourceOp
from harness.networks.mobilenet import MobileNetV1, MobileNetV2

TIMES = (1, 2, 3, 4, 6, 8, 12, 16, 24)
"""How many more of the op the registered networks have."""

# Depthwise convolutions of stride 1 at 56x56, and the ReLU6 behind them: about 2 % of the time each on a CPU.
REPEATED = {
    "mobilenet_v1": ("Conv2d_3_depthwise/depthwise", "Conv2d_3_depthwise/Relu6"),
    "mobilenet_v2": ("expanded_conv_2/depthwise/depthwise", "expanded_conv_2/depthwise/Relu6"),
}
_CENTRE, _NEIGHBOUR = 0.984, 0.002


def smoothing_kernel(shape: tuple[int, ...]) -> FloatArray:
    """Return a depthwise kernel that keeps values within 0 to 6 there: weights above 0 whose sum is 1.

    Not quite the identity, which a runtime might leave out.
    """
    kernel = np.full(shape, _NEIGHBOUR, dtype=np.float32)
    kernel[..., shape[-2] // 2, shape[-1] // 2] = _CENTRE
    return kernel


def repeated(graph: Graph, name: str, ops: tuple[str, str], times: int) -> Graph:
    """Return *graph* as network *name*, with the ops from the first to the second of *ops* *times* more.

    :param ops: a convolution that keeps its shape, and the last op of the ReLU6 behind it
    """
    names = [op.name for op in graph.ops]
    first, last = (names.index(op) for op in ops)
    group = graph.ops[first : last + 1]
    end = group[-1].output
    made: list[SourceOp] = []
    weights, shapes = dict(graph.weights), dict(graph.shapes)
    for number in range(1, times + 1):
        for op in group:
            copy = _copy(op, number, {group[0].inputs[0]: _again(end, number - 1)})
            made.append(copy)
            shapes[copy.output] = graph.shapes[op.output]
            for role, key in copy.weights.items():
                old = graph.weights[op.weights[role]]
                weights[key] = smoothing_kernel(old.shape) if role == "kernel" else np.zeros_like(old)
    # Whoever read the group's output reads that of its last copy.
    after = [
        replace(op, inputs=tuple(_again(end, times) if tensor == end else tensor for tensor in op.inputs))
        for op in graph.ops[last + 1 :]
    ]
    ops_made = (*graph.ops[: last + 1], *made, *after)
    return with_digest(replace(graph, name=name, ops=ops_made, weights=weights, shapes=shapes))


def _again(name: str, number: int) -> str:
    return f"{name}_again{number}" if number else name


def _copy(op: SourceOp, number: int, outside: dict[str, str]) -> SourceOp:
    return replace(
        op,
        name=_again(op.name, number),
        inputs=tuple(outside.get(tensor, _again(tensor, number)) for tensor in op.inputs),
        output=_again(op.output, number),
        weights={role: f"{_again(op.name, number)}/{role}" for role in op.weights},
    )


@dataclass(frozen=True)
class Slower:
    """A built-in MobileNet with one op repeated, as a network family.

    :param base: the network; :param times: how many more of the op it gets
    """

    base: NetworkFamily
    times: int

    @property
    def name(self) -> str:
        """``mobilenet_v2_plus4`` ..."""
        return f"{self.base.name}_plus{self.times}"

    @property
    def description(self) -> str:
        """One line for ``list networks``."""
        return f"{self.base.name} with {REPEATED[self.base.name][0]} and its ReLU6 {self.times} more times"

    def graph(self, batch: int = 1, relu6: str = "clip") -> Graph:
        """Return the graph; all weights of the base are those of the base.

        :raises UsageError: no such ReLU6 form or batch
        """
        return repeated(self.base.graph(batch, relu6), self.name, REPEATED[self.base.name], self.times)


@hookimpl
def trtmatrix_networks() -> Sequence[NetworkFamily]:
    """Return the networks with an op repeated."""
    return [Slower(base, times) for base in (MobileNetV1(), MobileNetV2()) for times in TIMES]
