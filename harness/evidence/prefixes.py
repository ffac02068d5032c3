"""What loggers put before a line: time stamps, severities, logger names, in any order and repeated.

Covered: none at all; ``[V] [TRT] ``; ``[11/03/2021-08:15:02] [V] [TRT] `` (twice the stamp in 6.0 to 8.0,
month 00 to 11 in 6.0); ``[TensorRT] VERBOSE: ``; ``[11/03/2022-08:15:02] [TRT] [V] ``; ``[TRT]    `` and
``[GIE]  `` of jetson-inference; ``[2021-11-03 08:15:02   DEBUG] `` of applications. Colour codes are gone
before.
"""

from __future__ import annotations

import re

_PREFIX = re.compile(
    rb"(?:\[\d\d/\d\d/\d{4}-\d\d:\d\d:\d\d\] ?"
    rb"|\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:[.,]\d+)? +\w+\] ?"
    rb"|\[[FEWIV]\] ?"
    rb"|\[(?:TRT|GIE)\] {0,5}"
    rb"|\[TensorRT\] (?:INTERNAL_ERROR|ERROR|WARNING|INFO|VERBOSE): ?)+"
)


def prefix_of(line: bytes) -> bytes:
    """The prefix of a line, empty where there is none.

    >>> prefix_of(b"[11/03/2021-08:15:02] [V] [TRT] After vertical fusions: 41 layers")
    b'[11/03/2021-08:15:02] [V] [TRT] '
    """
    match = _PREFIX.match(line)
    return match.group() if match else b""
