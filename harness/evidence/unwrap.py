"""Logs copied from a terminal: lines broken at its width, in the middle of a word or a number.

A log is taken for wrapped where lines without a prefix follow lines exactly as long as the longest one.
Lines without any prefix in the whole log are left alone here: nothing tells a rest from a line of its own, so
only lines that visibly end too early are joined, by their readers.
"""

from __future__ import annotations

import re

from harness.evidence.prefixes import prefix_of

_WIDEST_TERMINAL = 512
_MOST_PIECES = 4096
_OWN_LINE = re.compile(rb"\s*\Z|&&&&|Layer\(|Layers:|Bindings:|Name: ")
_COLUMN = re.compile(rb"[ \d%]|Time|Avg|Median|Runtime|Invocations")


class Unwrapper:
    """Joins the pieces of wrapped lines; a joined line leaves empty lines behind, so that numbers stay."""

    def __init__(self) -> None:
        self._held: list[bytes] = []
        self._width = 0
        self._wrapped: bool | None = None

    def feed(self, block: list[bytes], prefix: bytes) -> list[bytes]:
        """Lines that are complete; the last line is held back, as its rest may follow.

        :param block: lines as they stand in the file; :param prefix: that of the line read last
        """
        lines = self._held + block
        self._width = max(self._width, max(map(len, block), default=0))
        if self._width > _WIDEST_TERMINAL or not prefix or len(self._held) > _MOST_PIECES:
            self._held = [lines.pop()]
            return lines
        bare = [
            i
            for i, line in enumerate(lines)
            if i and not line.startswith(prefix) and not _OWN_LINE.match(line) and not prefix_of(line)
        ]
        broken = [i for i in bare if len(lines[i - 1]) == self._width and _goes_on(lines[i - 1], lines[i])]
        if len(broken) * 5 < len(bare) * 4 or not broken:
            self._held = [lines.pop()]
            return lines
        return self._join(lines, set(broken))

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
    """A line that ends in blanks was padded and is whole, unless it was broken between columns."""
    return not line.endswith(b"  ") or _COLUMN.match(rest) is not None
