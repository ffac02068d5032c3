"""Engine layer names of every TensorRT version, taken apart into the names of source ops.

An engine layer is named after what was fused into it: ``a + b`` in that order, ``a || b`` side by side,
``PWN(a, b)`` compiled together (nested at will), ``{ForeignNode[a...b]}`` a subgraph from a to b,
``__myl_<Ops>_myl<k>_<i>`` step i of Myelin subgraph k. Reformats are named after the layer they serve.
Source: names printed by TensorRT 5 to 10.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

CUT_AT = 40
"""Columns of a name in the sample profiler's print; longer names are cut there."""


class NameKind(StrEnum):
    """What a name says the layer is."""

    OPS = "ops"
    REFORMAT = "reformat"
    COPY = "copy"  # a copy that stands for a concatenation
    FOREIGN = "foreign"  # a subgraph from the first part to the last
    MYELIN = "myelin"  # a kernel inside a Myelin subgraph, named after what it does


@dataclass(frozen=True, slots=True)
class LayerName:
    """A name taken apart.

    :param parts: names of ops (or of weights and constants) in the order of fusion
    :param target: for reformats, the name of the layer they serve
    :param side: for reformats ``input`` or ``output``
    :param index: for reformats, which input or output
    :param boundary: a reformat of the network's own input or output
    :param pointwise: all parts stand inside ``PWN(...)``: nothing heavier is in the layer
    :param region: number of the Myelin subgraph, None elsewhere
    """

    kind: NameKind
    parts: tuple[str, ...] = ()
    target: str | None = None
    side: str | None = None
    index: int | None = None
    boundary: bool = False
    pointwise: bool = False
    region: int | None = None


Known = Callable[[str], bool]
"""Says whether a text is the name of an op: names may hold the separators themselves."""

_REFORMATTERS = (
    # TensorRT 5 to 7
    re.compile(r"(?P<target>.+) (?P<side>input|output) reformatter (?P<index>\d+)$"),
    # TensorRT 8 on
    re.compile(r"Reformatting CopyNode for (?P<side>Input|Output) Tensor (?P<index>\d+) to (?P<target>.+)$"),
    re.compile(r"(?P<target>.+) reformatted (?P<side>input|output) (?P<index>\d+)$"),
)
_BOUNDARY = re.compile(r"Reformatting CopyNode for Network (?P<side>Input|Output)(?: (?P<target>.+))?$")
# Copies into and out of the memory that the DLA works in (7.x).
_DLA_COPY = re.compile(r".+ (?:to nvm|from nvm|copy finish)$")
_ANY_REFORMAT = re.compile(r"(?:Reformatting CopyNode for|Reformat(?:ted)? (?:Input|Output) Tensor)\b")
# The sample profiler cuts at 40 columns: `block1/dw/conv + block1/dw/relu6 input r`.
_CUT_REFORMATTER = re.compile(r"(?P<target>.+) (?P<side>input|output) r[a-z]*(?: \d*)?$")
_FOREIGN = re.compile(r"\{ForeignNode\[(?P<ends>.*)\]\}$", re.DOTALL)
_DLA = re.compile(r"\{(?P<inner>[^{}]*)\}$", re.DOTALL)
_MYELIN = re.compile(r"(?P<what>.*?)_myl(?P<region>\d+)_\d+$")
_MYELIN_OWN = re.compile(r"__(?:myl|mye)_?(?P<ops>\w*)$")
_SHAPE_CALL = re.compile(r"dummy_shape_call__mye|shape_call")
_MLP = re.compile(r"\d+-layer MLP: (?P<inner>.+)$")
_COPY = re.compile(r"(?P<tensor>.+) copy$")
_TORCH = re.compile(r"\[[A-Z_0-9]+\]-\[[^\]]*\]-\[(?P<path>.+)\]$")
_OPEN, _CLOSE = "([{", ")]}"
_FUSED = (" + ", " || ")
_ARGUMENTS = (", ",)
_TURNS: dict[tuple[str, ...], re.Pattern[str]] = {
    separators: re.compile("|".join([r"[\[\](){}]", *map(re.escape, separators)]))
    for separators in (_FUSED, _ARGUMENTS)
}
"""What splits a name: brackets, and the separators themselves."""
_MOST_JOINED = 8
"""Separators that one op's own name may hold, plus one; some fused names have hundreds of parts."""


def parse_name(name: str, known: Known = lambda _: False) -> LayerName:
    """Take *name* apart.

    :param known: tells the names of ops that hold separators themselves (``a + b`` as one op)
    """
    if known(name):
        return LayerName(NameKind.OPS, (name,))
    return _reformat(name) or _subgraph(name, known) or _ops(name, known)


def _reformat(name: str) -> LayerName | None:
    for pattern in _REFORMATTERS:
        if found := pattern.match(name):
            return LayerName(
                NameKind.REFORMAT,
                target=found["target"],
                side=found["side"].lower(),
                index=int(found["index"]),
            )
    if found := _BOUNDARY.match(name):
        return LayerName(NameKind.REFORMAT, target=found["target"], side=found["side"].lower(), boundary=True)
    if len(name) == CUT_AT and (found := _CUT_REFORMATTER.match(name)):
        return LayerName(NameKind.REFORMAT, target=found["target"], side=found["side"])
    copied = _ANY_REFORMAT.match(name) or _DLA_COPY.match(name)
    return LayerName(NameKind.REFORMAT) if copied else None


def _subgraph(name: str, known: Known) -> LayerName | None:
    if found := _FOREIGN.match(name):
        first, _, last = found["ends"].partition("...")
        ends = (*_leaves(first, known)[:1], *_leaves(last, known)[-1:])
        return LayerName(NameKind.FOREIGN, tuple(end for end in ends if end))
    if found := _DLA.match(name):
        return LayerName(NameKind.OPS, tuple(part for part in found["inner"].split(",") if part))
    if found := _MLP.match(name):
        return LayerName(NameKind.OPS, tuple(found["inner"].split(" -> ")))
    if _SHAPE_CALL.match(name):
        return LayerName(NameKind.MYELIN)
    if found := _MYELIN.match(name):
        region = int(found["region"])
        if _MYELIN_OWN.match(found["what"]):
            return LayerName(NameKind.MYELIN, region=region)
        return LayerName(NameKind.OPS, _leaves(found["what"], known), region=region)
    return None


def _ops(name: str, known: Known) -> LayerName:
    if found := _COPY.match(name):
        return LayerName(NameKind.COPY, (found["tensor"],))
    pointwise = all(_is_pwn(segment) for segment, _ in _split(name, _FUSED, known))
    return LayerName(NameKind.OPS, _leaves(name, known), pointwise=pointwise)


def _is_pwn(text: str) -> bool:
    return text.startswith("PWN(")


def _leaves(text: str, known: Known) -> tuple[str, ...]:
    """Return the names of ops in *text*, depth first, left to right."""
    found: list[str] = []
    for segment, _ in _split(text, _FUSED, known):
        if known(segment) or not _is_pwn(segment):
            found.append(_unwrap(segment))
            continue
        # A cut name may lack the closing bracket.
        inner = segment[4:-1] if segment.endswith(")") else segment[4:]
        for argument, _ in _split(inner, _ARGUMENTS, known):
            found.extend(_leaves(argument, known))
    return tuple(found)


def _unwrap(segment: str) -> str:
    torch = _TORCH.match(segment)
    return torch["path"] if torch else segment


def _split(text: str, separators: tuple[str, ...], known: Known) -> list[tuple[str, str]]:
    """Split at *separators* outside brackets; segments that together are one known name stay together.

    Each segment comes with the separator that followed it.
    """
    segments = _raw_split(text, separators)
    joined: list[tuple[str, str]] = []
    start = 0
    while start < len(segments):
        furthest = min(len(segments), start + _MOST_JOINED)
        ends = (e for e in range(furthest, start + 1, -1) if known(_join(segments[start:e])))
        end = next(ends, start + 1)
        joined.append((_join(segments[start:end]), segments[end - 1][1]))
        start = end
    return joined


def _join(segments: list[tuple[str, str]]) -> str:
    return "".join(text + after for text, after in segments[:-1]) + segments[-1][0]


def _raw_split(text: str, separators: tuple[str, ...]) -> list[tuple[str, str]]:
    if not any(separator in text for separator in separators):
        return [(text, "")]
    # Unbalanced brackets are part of a name, or the name was cut: depth then says nothing beyond `PWN(`.
    balanced = sum(map(text.count, _OPEN)) == sum(map(text.count, _CLOSE))
    segments: list[tuple[str, str]] = []
    depth = begin = 0
    for found in _TURNS[separators].finditer(text):
        hit = found[0]
        if len(hit) == 1:
            if balanced or text.startswith("PWN(", begin):
                depth += 1 if hit in _OPEN else -1
        elif depth <= 0:
            segments.append((text[begin : found.start()], hit))
            begin, depth = found.end(), 0
    segments.append((text[begin:], ""))
    return segments
