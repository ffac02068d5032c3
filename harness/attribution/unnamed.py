"""``(Unnamed Layer* 12) [Activation]``: a layer known by its place in the network definition and its kind.

TensorRT numbers the layers of a network definition from 0 in the order they were added, constants included,
so the number follows from the graph once it is known into which layers each op was split. Converters differ
in that (a scalar shift is a Scale, or a Constant and an ElementWise), so the ways known are tried until
every number and kind that the engine shows agrees.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping

from harness.networks.graph import Graph, OpKind, SourceOp
from harness.remembering import once_each

UNNAMED = re.compile(r"\(Unnamed Layer\*? (?P<number>\d+)\) \[(?P<kind>[^\]]+)\]")
"""Also matches the names of tensors, which end in ``_output``."""

_Split = tuple[str, ...]
# The last layer of each split is the one that carries the op's work.
_SPLITS: Mapping[OpKind, tuple[_Split, ...]] = {
    OpKind.CONV: (("Convolution",), ("Convolution", "Scale"), ("Padding", "Convolution")),
    OpKind.CLIP: (("Activation",), ("Constant", "ElementWise", "Constant", "ElementWise")),
    OpKind.RELU: (("Activation",),),
    OpKind.ADD: (("ElementWise",),),
    OpKind.SUB: (("ElementWise",),),
    OpKind.SHIFT: (("Constant", "ElementWise"), ("Scale",)),
    OpKind.GLOBAL_AVERAGE_POOL: (("Pooling",), ("Reduce",)),
    OpKind.AVERAGE_POOL: (("Pooling",),),
    OpKind.MAX_POOL: (("Pooling",),),
    OpKind.CONCAT: (("Concatenation",),),
    OpKind.MATMUL: (
        ("Constant", "Matrix Multiply"),
        ("Fully Connected",),
        ("Shuffle", "Fully Connected", "Shuffle"),
    ),
    OpKind.ADD_VECTOR: (("Constant", "ElementWise"), ("Constant", "Shuffle", "ElementWise")),
    OpKind.SIGMOID: (("Activation",),),
    OpKind.SOFTMAX: (("SoftMax",),),
    OpKind.TRANSPOSE: (("Shuffle",),),
    OpKind.RESHAPE: (("Shuffle",),),
}


class UnnamedOrder:
    """Maps numbered layers to source ops.

    :param graph: the network, its ops in the order in which the definition was made
    :param seen: every layer and tensor name of the engine
    """

    def __init__(self, graph: Graph, seen: Iterable[str]) -> None:
        shown = {int(found["number"]): found["kind"] for name in seen for found in UNNAMED.finditer(name)}
        fits = (order for order in _orders(graph) if all(item in order for item in shown.items()))
        self._found = next(fits, {}) if shown else _first_order(graph)

    def find(self, name: str) -> str | None:
        """Return the op of the layer or tensor called *name*, None where no order known agrees."""
        found = UNNAMED.match(name)
        return self._found.get((int(found["number"]), found["kind"])) if found else None


@once_each
def _first_order(graph: Graph) -> dict[tuple[int, str], str]:
    return next(_orders(graph), {})


def _orders(graph: Graph) -> Iterator[dict[tuple[int, str], str]]:
    kinds = [kind for kind in dict.fromkeys(op.kind for op in graph.ops) if kind is not OpKind.OTHER]
    if len(kinds) < len({op.kind for op in graph.ops}):
        return  # An op of unknown kind: how many layers it makes is unknown too.
    for choice in itertools.product(*(_SPLITS[kind] for kind in kinds)):
        split: dict[OpKind, _Split] = dict(zip(kinds, choice, strict=True))
        layers = [(layer, op.name) for op in graph.ops for layer in _layers(op, split[op.kind])]
        yield {(number, layer): name for number, (layer, name) in enumerate(layers)}


def _layers(op: SourceOp, split: _Split) -> _Split:
    pads = op.attributes.get("pads")
    # Only padding that differs from side to side needs a layer of its own.
    if split[0] == "Padding" and isinstance(pads, list) and pads[:2] == pads[2:]:
        return split[1:]
    return split
