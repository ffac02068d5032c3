"""Logs copied from a terminal: lines broken at its width, in the middle of a word or a number.

A log is taken for wrapped where lines without a prefix follow lines exactly as long as the longest one.
Lines without any prefix in the whole log are left alone here: nothing tells a rest from a line of its own, so
only lines that visibly end too early are joined, by their readers.
"""

from __future__ import annotations

import re

from harness.evidence.prefixes import Prefixes

_WIDEST_TERMINAL = 512
_MOST_PIECES = 4096
_OWN_LINE = re.compile(
    rb"\s*\Z|\d{4}-\d\d-\d\d|&&&&|Layer\(|Layers:|Bindings:|Name: |Average o(?:n|ver) \d|Throughput: "
    rb"|Time over |=== P|--(?: |\Z)|```|~~~"  # the last: between matches of grep, Markdown's fences
)
# What ends a line, and what its rest begins with if it has one.
_ENDS = [
    (re.compile(end), re.compile(more))
    for end, more in (
        (rb"\s\d+[.,]\d+\Z", rb"\d*\s{2,}|[\d.,e%+ -]*\Z|\d*\s?(?:ms|sec|qps)"),
        (rb"Tactic: 0x[0-9a-f]{16}\Z", rb"[ ,]"),
        (rb"Tactic: -?\d+\Z", rb"[\dx ,]"),
        (rb"\*\Z", rb"[* ]"),
        (rb"%\Z", rb"[\s>),]|\Z"),
        (rb"<<\Z", rb"\s*\Z"),
        (rb"\d ?ms\Z", rb"[,) (]"),
    )
]
_FEW = 3
# So few broken lines are no habit of a terminal: the rest must be a word, or such as TensorRT prints.
_REST = re.compile(
    rb"\A\S*\s*\Z| -> |Tactic:|Time: |time | \+ |\*\*\*|ms,|ms\)|\A *\d[\d.e-]* (?: |ms|sec|qps)"
    rb"|\A[\d.e% -]+\Z|Runtime, ?|\(ms\)|(?:\)\]|\]\)|\(\w+\))\s*\Z"
)
_COLUMN = re.compile(rb"[ \d%]|Time|Avg|Median|Runtime|Invocations")


class Unwrapper:
    """Joins the pieces of wrapped lines; a joined line leaves empty lines behind, so that numbers stay.

    :param prefixes: what lines of this file may have before them
    """

    def __init__(self, prefixes: Prefixes) -> None:
        self._prefix_of = prefixes.of
        self._held: list[bytes] = []
        self._width = 0

    def feed(self, text: bytes, prefix: bytes) -> bytes:
        """Lines that are complete, joined by line ends; the last line is held back, as its rest may follow.

        :param text: lines as they stand in the file, without the last end; :param prefix: that of the line
            read last
        """
        if self._width > _WIDEST_TERMINAL and len(self._held) == 1:
            whole = b"\n".join([self._held[0], text])
            cut = whole.rfind(b"\n")
            self._held = [whole[cut + 1 :]]
            return whole[: cut + 1]
        lines = self._lines(text.split(b"\n"), prefix)
        return b"".join([b"\n".join(lines), b"\n"]) if lines else b""

    def _lines(self, block: list[bytes], prefix: bytes) -> list[bytes]:
        lines = self._held + block
        self._width = max(self._width, max(map(len, block), default=0))
        if self._width > _WIDEST_TERMINAL or not prefix or len(self._held) > _MOST_PIECES:
            self._held = [lines.pop()]
            return lines
        bare = self._bare(lines, prefix)
        broken = [i for i in bare if len(lines[i - 1]) == self._width and _goes_on(lines[i - 1], lines[i])]
        if (
            len(broken) * 5 < len(bare) * 4
            or not broken
            or (len(broken) <= _FEW and not all(_REST.search(lines[i]) for i in broken))
        ):
            self._held = [lines.pop()]
            return lines
        return self._join(lines, set(broken))

    def _bare(self, lines: list[bytes], prefix: bytes) -> list[int]:
        """Lines without a prefix that may be the rest of the one above."""
        bare = []
        for i, line in enumerate(lines):
            if line.startswith(prefix) or not i or _OWN_LINE.match(line):
                continue
            own = self._prefix_of(line)
            if not own.strip(b"> "):
                bare.append(i)
            elif len(own) < len(line):
                prefix = own  # the clock of the log went on
        return bare

    def _join(self, lines: list[bytes], broken: set[int]) -> list[bytes]:
        head = 0
        for i in range(1, len(lines) + 1):
            if i in broken:
                continue
            if i == len(lines):
                break
            if i - head > 1:
                lines[head:i] = [b"".join(lines[head:i]), *[b""] * (i - head - 1)]
            head = i
        self._held = lines[head:]
        return lines[:head]

    def rest(self) -> list[bytes]:
        """What was held back, at the end of the file."""
        lines, self._held = self._held, []
        if len(lines) > 1:
            lines = [b"".join(lines), *[b""] * (len(lines) - 1)]
        return lines


def _goes_on(line: bytes, rest: bytes) -> bool:
    """Whether *rest* can be the rest of *line*.

    A line that ends in blanks was padded and is whole, unless it was broken between columns. Behind a number,
    an id or stars comes more of the same, a blank or a comma.
    """
    if line.endswith(b"  "):
        return _COLUMN.match(rest) is not None
    return all(more.match(rest) for end, more in _ENDS if end.search(line[-80:]))
