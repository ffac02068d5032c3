"""Numbers as TensorRT prints them: times, sentinels, tactic ids."""

from __future__ import annotations

import re
from functools import lru_cache

NO_RESULT_ID = "0xd15ea5edd15ea5ed"
"""The id that the builder prints where a runner has no valid tactic."""

_LARGEST_TIME = 3.4e38
_NUMBER = re.compile(r"[+-]?(?:\d+(?:[.,]\d*)?|[.,]\d+)(?:[eE][+-]?\d+)?\Z", re.ASCII)
_HEX_ID = re.compile(r"0[xX][0-9a-fA-F]{1,16}\Z")
_DECIMAL_ID = re.compile(r"-?\d{1,20}\Z", re.ASCII)


def printed_number(text: str | bytes) -> float | None:
    """The number printed, None for anything else (``inf`` and ``3.40282e+38`` mean "none" in a log).

    A comma is a decimal comma: TensorRT prints none between thousands.

    >>> printed_number("1.2e-05"), printed_number("inf"), printed_number("0,25")
    (1.2e-05, None, 0.25)
    """
    if isinstance(text, bytes):
        text = text.decode("ascii", "replace")
    if _NUMBER.match(text) is None:
        return None
    return finite(float(text.replace(",", ".")))


def finite(value: object) -> float | None:
    """A JSON number as a float, None where it is none or stands for "no result"."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if -_LARGEST_TIME < number < _LARGEST_TIME else None


@lru_cache(maxsize=1 << 16)
def normal_tactic_id(text: str) -> str | None:
    """A tactic id as unsigned 64 bit, ``0x`` and 16 digits; None where it is no such number.

    Up to TensorRT 8.2 ids are signed decimals, from 8.4 hexadecimal.

    >>> normal_tactic_id("-3"), normal_tactic_id("0x3e8"), normal_tactic_id("none")
    ('0xfffffffffffffffd', '0x00000000000003e8', None)
    """
    if _HEX_ID.match(text):
        return f"0x{int(text, 16):016x}"
    if _DECIMAL_ID.match(text):
        value = int(text)
        if -(1 << 63) <= value < 1 << 64:
            return f"0x{value & 0xFFFFFFFFFFFFFFFF:016x}"
    return None
