"""Tensors as engine listings print them: name, data type, format, dimensions.

Builder logs write ``t11[Int8(1,32,112,112)]`` (7.x to 8.5) or ``t (Half[-1,32:2,28,28])`` (8.5 and later),
where ``32:2`` is 32 channels in vectors of 2; the engine inspector writes prose such as ``Row major linear
FP32``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from harness.evidence.records import TensorInfo

_END = re.compile(
    r" \((?P<new>\w+\[[^\[\]]*\])\)(?P<a>, | -> |$)|\[(?P<old>\w+\([^\[\]]*\))\](?P<b>, | -> |$)"
)
_TYPES = {
    "float": "float32",
    "fp32": "float32",
    "half": "float16",
    "fp16": "float16",
    "bf16": "bfloat16",
    "bfloat16": "bfloat16",
    "fp8": "float8",
    "int4": "int4",
    "int8": "int8",
    "uint8": "uint8",
    "int32": "int32",
    "int64": "int64",
    "bool": "bool",
}
_TYPE_WORD = re.compile(r"\b(" + "|".join(sorted(_TYPES, key=len, reverse=True)) + r")\b", re.IGNORECASE)
_HEAD = re.compile(r"[\[(]")
_MAX_DIMENSIONS = 64


@lru_cache(maxsize=4096)
def datatype_of(printed: str) -> str | None:
    """The data type that a printed format names, None where it names none.

    >>> datatype_of("Thirty-two wide channel vectorized row major Int8 format"), datatype_of("Half")
    ('int8', 'float16')
    """
    match = _TYPE_WORD.search(printed)
    return _TYPES[match.group(1).lower()] if match else None


def parse_tensors(text: str) -> tuple[tuple[TensorInfo, ...], tuple[TensorInfo, ...], bool]:
    """Inputs and outputs of one line of ``Engine Layer Information`` after ``Tactic: <T>, ``.

    :returns: inputs, outputs, and whether the text was read to its end
    """
    sides: tuple[list[TensorInfo], list[TensorInfo]] = ([], [])
    side, position = 0, 0
    if text.startswith("-> "):
        side, position = 1, 3
    elif text.startswith(" -> "):
        side, position = 1, 4
    for match in _END.finditer(text, position):
        printed = match.group("new") or match.group("old")
        sides[side].append(_tensor(text[position : match.start()], printed))
        position = match.end()
        if (match.group("a") or match.group("b")) == " -> ":
            side = 1
    return tuple(sides[0]), tuple(sides[1]), side == 1 and position >= len(text)


def _tensor(name: str, printed: str) -> TensorInfo:
    return TensorInfo(name, _dimensions(printed), printed, datatype_of(_HEAD.split(printed, maxsplit=1)[0]))


@lru_cache(maxsize=4096)
def _dimensions(printed: str) -> tuple[int, ...] | None:
    inside = _HEAD.split(printed, maxsplit=1)[1].rstrip(")]").replace(" ", "")
    sizes = [part.partition(":")[0] for part in inside.split(",") if part]
    numbers = [int(size) for size in sizes[:_MAX_DIMENSIONS] if re.fullmatch(r"-?\d{1,18}", size)]
    return tuple(numbers) if len(numbers) == len(sizes) else None


def inspector_tensors(value: object) -> tuple[TensorInfo, ...]:
    """``Inputs`` or ``Outputs`` of the engine inspector; what is no list of objects gives no tensors."""
    if not isinstance(value, list):
        return ()
    return tuple(_inspector_tensor(item) for item in value if isinstance(item, Mapping))


def _inspector_tensor(item: Mapping[str, object]) -> TensorInfo:
    sizes, printed = item.get("Dimensions"), item.get("Format/Datatype", item.get("Format"))
    dimensions = None
    if isinstance(sizes, list) and all(isinstance(size, int) for size in sizes):
        dimensions = tuple(sizes)
    text = printed if isinstance(printed, str) else None
    datatype = item.get("Datatype")
    named = datatype_of(datatype) if isinstance(datatype, str) else None
    return TensorInfo(
        str(item.get("Name", "")), dimensions, text, named or (datatype_of(text) if text else None)
    )
