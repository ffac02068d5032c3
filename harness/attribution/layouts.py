"""Tensor layouts as short words, whatever a version prints for them.

========  ==========================================================================
linear    row major, NCHW (``Row major linear FP32``, ``Float``)
hwc       channel major, NHWC (``Channel major FP32 format``)
hwc8      channel major, channels padded to a multiple (``... where channel % 8 == 0``)
chw4      channels in vectors of 4, row major (``Four wide channel vectorized ...``)
========  ==========================================================================

Source: TensorRT's ``TensorFormat`` (kLINEAR, kHWC, kHWC8, kCHW4 ...) and the prose of its engine inspector.
"""

from __future__ import annotations

import re
from functools import lru_cache

from harness.evidence.records import TensorInfo

_WIDE = {"two": 2, "four": 4, "eight": 8, "sixteen": 16, "thirty-two": 32}
_MULTIPLE = re.compile(r"channel % (?P<n>\d+)")
_WIDTH = re.compile(r"(?P<n>two|four|eight|sixteen|thirty-two) wide channel", re.I)
_TYPES = (
    (re.compile(r"FP32|Float32|^Float\b", re.I), "fp32"),
    (re.compile(r"BF16|BFloat16", re.I), "bf16"),  # before the one that its name ends in
    (re.compile(r"FP16|Float16|Half", re.I), "fp16"),
    (re.compile(r"FP8|Float8", re.I), "fp8"),
    (re.compile(r"Int8|UInt8", re.I), "int8"),
    (re.compile(r"Int32|Int64|Bool", re.I), "int"),
)
_DATATYPES = {"float32": "fp32", "float16": "fp16", "bfloat16": "bf16", "float8": "fp8", "int32": "int"}


def layout_of(tensor: TensorInfo) -> str:
    """Return layout and type of *tensor* (``hwc8 fp16``), ``unknown`` where neither was printed."""
    return _said(tensor.format or "", tensor.datatype)


@lru_cache(maxsize=4096)
def _said(text: str, datatype: str | None) -> str:
    kind = next((short for pattern, short in _TYPES if pattern.search(text)), None)
    if kind is None and datatype:
        kind = _DATATYPES.get(datatype, datatype)
    layout = _layout(text)
    return " ".join(word for word in (layout, kind) if word) or "unknown"


def _layout(text: str) -> str | None:
    lower = text.lower()
    multiple, width = _MULTIPLE.search(lower), _WIDTH.search(lower)
    if width:
        return f"chw{_WIDE[width['n']]}"
    if "channel major" in lower:
        return f"hwc{multiple['n']}" if multiple else "hwc"
    if "row major" in lower or "linear" in lower:
        return "linear"
    return None
