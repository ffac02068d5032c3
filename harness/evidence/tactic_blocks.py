"""Whole blocks of a tactic search at once: a header, the tactics of its runner, the best of them.

Most lines of a verbose log stand in such blocks, in the one layout of TensorRT 7 to 10. One expression, made
for the prefix of the log with any digits for its digits, walks them; a block that deviates in anything is
left to the readers of single lines.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from harness.evidence.numbers import NO_RESULT_ID
from harness.evidence.prefixes import Prefixes

_HEADER = b" Timing Runner: "
_ID = rb"(?:0x[0-9a-f]{16}|-?[1-9]\d{0,17}|0)"
# Numbers whose text is the one that Python has for the same number.
_TIME = rb"(?!0\.0000)(?:0|[1-9]\d{0,5})\.\d{0,8}[1-9]"
_SPLIT_K = rb"(?: numSplitK: \d{1,9}(?: \w{1,20}: \d{1,9}){0,4})?"
_BLOCK = (
    rb"(?:@P(\*{8,} Autotuning [^\n]{1,4000})\n)?"
    rb"@P-{8,} Timing Runner: ([^\n]{1,4000}) \(([^\n()]{1,200})\)\n"
    rb"(?:((?:@PTactic: @ID Time: @MS\n)+)"
    rb"|((?:@P(?:Tactic Name: \S{1,1000}@SPLIT Tactic: @ID Time: @MS"
    rb"|(?:\2(?: \([^\n()]{1,80}\))? )?Set Tactic Name: \S{1,1000} Tactic: @ID\n"
    rb"@PTactic: @ID Time: @MS)\n)+))?"
    rb"(?:@PFastest Tactic: (@ID) Time: (@MS)\n"
    rb"|@P(\w{1,80}) has no valid tactics for this config, skipping\n)?"
    rb"|(?:(?!@P(?:\*{8,} Autotuning[^\n]*\n@P)?-{8,} Timing)[^\n]*\n)+|[^\n]*\n"
)
_NAMED = (
    rb"(?:Set Tactic Name: (\S+) Tactic: (\S+)\n@PTactic: (\S+) Time: (\S+)"
    rb"|Tactic Name: (\S+)[^\n]*? Tactic: (\S+) Time: (\S+))\n"
)
_NO_RESULT = NO_RESULT_ID.encode()
_MAX_KEPT = 1 << 16
_Shape = tuple[re.Pattern[bytes], re.Pattern[str], int, int]
_MAX_SHAPES = 16


class Block(NamedTuple):
    """One header and what stands below it.

    :param combination: the line above that opens a format combination, without prefix; None: there is none
    :param tactics, times, kernels: see :class:`~harness.evidence.tactic_groups.TacticGroup`
    :param named: kernels that were named ahead of their tactic, by its id as printed
    :param fastest: id and time of the best; :param skipped: a runner that says that it has none
    :param prefix: that of its last line; :param text: the lines as they stand in the file
    """

    combination: bytes | None
    layer: str
    runner: str
    tactics: list[str]
    times: list[str | None]
    kernels: list[str | None] | None
    named: list[tuple[str, str]]
    fastest: tuple[str, str] | None
    skipped: str | None
    prefix: bytes
    text: bytes


class TacticBlocks:
    """Finds blocks in the text of one file.

    :param prefixes: what its lines may have before them
    """

    def __init__(self, prefixes: Prefixes) -> None:
        self._prefix_of = prefixes.of
        self._shapes: dict[bytes, _Shape | None] = {}
        self._heads: dict[tuple[bytes, bytes], tuple[str, str]] = {}
        self._kernels: dict[str, str] = {}

    def walk(self, text: bytes) -> Iterator[Block | bytes] | None:
        """Blocks and the lines between them, None where there is no block.

        :param text: whole lines, each with its end
        """
        at = text.find(_HEADER)
        if at < 0:
            return None
        line = text[text.rfind(b"\n", 0, at) + 1 : at]
        shape = self._shape(self._prefix_of(line))
        return None if shape is None else self._walk(text, *shape)

    def _shape(self, prefix: bytes) -> _Shape | None:
        pattern = re.sub(rb"\d", rb"\\d", re.escape(prefix))
        if pattern not in self._shapes:
            if len(self._shapes) >= _MAX_SHAPES:
                return None
            self._shapes[pattern] = self._compiled(prefix, pattern)
        return self._shapes[pattern]

    def _compiled(self, prefix: bytes, pattern: bytes) -> _Shape | None:
        """Expressions for blocks and tactics with kernels, words of a tactic line, length of the prefix."""
        if not prefix.replace(b"\t", b" ").decode("utf-8", "replace").isprintable() or not prefix.isascii():
            return None
        tactic = prefix + b"Tactic: 0x0000000000000001 Time: 0.5"
        for message in (tactic[len(prefix) :], b"Fastest Tactic: 0 Time: 0.5", b"-" * 15 + _HEADER):
            if self._prefix_of(prefix + message) != prefix:  # it would reach into the message
                return None

        def filled(form: bytes) -> bytes:
            for mark, value in ((b"@ID", _ID), (b"@MS", _TIME), (b"@SPLIT", _SPLIT_K), (b"@P", pattern)):
                form = form.replace(mark, value)
            return form

        return (
            re.compile(filled(_BLOCK)),
            re.compile(filled(_NAMED).decode()),
            len(tactic.split()),
            len(prefix),
        )

    def _walk(
        self, text: bytes, blocks: re.Pattern[bytes], named: re.Pattern[str], words: int, size: int
    ) -> Iterator[Block | bytes]:
        for match in blocks.finditer(text):
            if match.lastindex is None:
                yield match.group()
                continue
            combination, layer, runner, plain, kernels, best, best_time, skipped = match.groups()
            whole = match.group()
            tactics: list[str] = []
            times: list[str | None] = []
            names: list[str | None] | None = None
            ahead: list[tuple[str, str]] = []
            if plain is not None:
                tokens = plain.decode().split()
                tactics, times = tokens[words - 3 :: words], [*tokens[words - 1 :: words]]
            elif kernels is not None:
                tactics, times, names = self._named(named.findall(kernels.decode("utf-8", "replace")), ahead)
            if tactics and (_NO_RESULT in whole or (names and kernels.count(b" Time: ") != len(names))):
                yield whole
                continue
            last = whole.rfind(b"\n", 0, -1) + 1
            key = layer, runner
            head = self._heads.get(key)
            yield Block(
                combination,
                *(head or self._head(key)),
                tactics,
                times,
                names,
                ahead,
                None if best is None else (best.decode(), best_time.decode()),
                None if skipped is None else skipped.decode(),
                whole[last : last + size],
                whole,
            )

    def _named(
        self, rows: list[tuple[str, ...]], ahead: list[tuple[str, str]]
    ) -> tuple[list[str], list[str | None], list[str | None]]:
        """Tactics, times and kernels; *ahead* takes the kernels that are named before their tactic."""
        tactics: list[str] = []
        times: list[str | None] = []
        names: list[str | None] = []
        kept = self._kernels
        if len(kept) > _MAX_KEPT:
            kept.clear()
        for kernel, its, timed, ms, own, tactic, time in rows:
            if own:
                tactics.append(tactic)
                times.append(time)
                names.append(kept.setdefault(own, own))
            else:
                kernel = kept.setdefault(kernel, kernel)
                tactics.append(timed)
                times.append(ms)
                names.append(kernel if its == timed else None)
                ahead.append((its, kernel))
        return tactics, times, names

    def _head(self, key: tuple[bytes, bytes]) -> tuple[str, str]:
        layer, runner = key
        if runner.endswith(b"]"):
            runner = runner[: runner.rfind(b"[")]
        if len(self._heads) > _MAX_KEPT:
            self._heads.clear()
        head = layer.decode("utf-8", "replace"), runner.decode("utf-8", "replace")
        self._heads[key] = head
        return head
