"""Layer names of TF-TRT's engines: ``TRTEngineOp_000_000/<node>-<part>:<TYPE>``, fused ones joined.

Where a node became one layer there is no part: ``TRTEngineOp_000_000/scores:SOFTMAX``.
"""

from __future__ import annotations

import re

# The part is the converter's own word: conv, sum, activation, to_NCHW ...
_NODE = re.compile(r"TRTEngineOp_\w+?/(?P<node>[^,\s()]+?)(?:-(?P<part>[A-Za-z0-9_]+))?:(?P<type>[A-Z_]+)")
_TURNS = re.compile(r"-to_N(?:HWC|CHW):SHUFFLE|LayoutOptimizer|^Reformatting CopyNode")
_CONSTANT = re.compile(r"^[^,+()]*:CONSTANT$")


def nodes_of(name: str) -> tuple[str, ...]:
    """Return the nodes of the segment that the layer called *name* was made of, in the order of the name."""
    return tuple(dict.fromkeys(found.group("node") for found in _NODE.finditer(name)))


def turns(name: str) -> bool:
    """Say whether a layer only turns a tensor between NHWC and NCHW, or reformats it."""
    return _TURNS.search(name) is not None


def is_constant(name: str) -> bool:
    """Say whether a layer holds a constant, and never runs."""
    return _CONSTANT.match(name) is not None


def type_of(name: str) -> str:
    """Return the type of the first layer in *name* (``CONVOLUTION``), empty where it says none."""
    found = _NODE.search(name)
    return found.group("type") if found else ""
