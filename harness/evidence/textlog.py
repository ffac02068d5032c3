"""Text files: takes prefixes off, rejoins wrapped lines and gives every line to the reader it belongs to.

A verbose log has ten thousand lines a megabyte. Most stand in blocks of the tactic search that are taken as
one. The way of the others is short: the prefix of the line before is tried first, then six bytes decide.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from harness.evidence.context import Context
from harness.evidence.listings import Listings
from harness.evidence.markdown_rows import MarkdownRows
from harness.evidence.marks import Marks
from harness.evidence.plain import plain
from harness.evidence.prefixes import MOST_LOOKED_AT, Prefixes
from harness.evidence.profile_lines import ProfileLines
from harness.evidence.profile_tables import ProfileTables
from harness.evidence.records import LineCount
from harness.evidence.sinks import Sink
from harness.evidence.summaries import Summaries
from harness.evidence.tactic_blocks import TacticBlocks
from harness.evidence.tactics import TacticSearch
from harness.evidence.unwrap import Unwrapper

Handler = Callable[[bytes, int], bool]

_LAST_TIME = re.compile(rb"(?:[Tt]ime:? )0{0,40}\.?0{0,40}(?P<digits>[\d.]{0,40})(?:e[-+]?\d{1,4})?\Z")
_LAST_CHOICE = re.compile(rb"Chose Runner Type: .* Tactic: (?P<id>\S*)\Z")
_MAX_JOINED = 1 << 18


class TextLog:
    """Reads the lines of one file into a sink: call :meth:`feed` for each block, then :meth:`finish`."""

    def __init__(self, sink: Sink) -> None:
        self.ctx = ctx = Context(sink)
        self.search = TacticSearch(ctx, self.next_engine)
        self.listings = Listings(ctx, self.search, self.next_engine)
        self.tables = ProfileTables(ctx, self.next_engine)
        self.lines = ProfileLines(ctx, self.next_engine)
        self.summaries = Summaries(ctx, self.next_engine)
        self.markdown = MarkdownRows(ctx, self.next_engine)
        self.marks = Marks(ctx, self.listings, self.next_engine)
        self._prefix = b""
        self._prefixes = Prefixes()
        self._unwrapper = Unwrapper(self._prefixes)
        self._blocks = TacticBlocks(self._prefixes)
        self._first = True
        self._read = self._used = 0
        self._table = self._handlers()

    def _handlers(self) -> dict[bytes, Handler]:
        """Readers by the first six bytes of a line without prefix.

        Words that a layer name may begin with go on to :meth:`_other` where their reader has no use for them.
        """
        search, lines, summary, marks = self.search, self.lines, self.summaries, self.marks
        table: dict[bytes, Handler] = {
            b"Tactic": search.tactic,
            b"Fastes": search.fastest,
            b"------": search.dashes,
            b"******": search.stars,
            b">>>>>>": search.chose,
            b"Set Ta": search.named_tactic,
            b"Skippi": search.skipping,
            b"Layer(": self.listings.layer,
            b"Name: ": self.listings.detailed,
            b"======": self._equals,
            b"=== Pr": self._equals,
            b"=== Pe": self._equals,
            b"&&&& R": marks.run,
            b"&&&& T": marks.run,
            b"": self._blank,
        }
        table[b"Layer:"] = self._memory
        for word in (b"[DlaLa", b"[GpuLa", b"Runnin", b"Adding", b"Swap t", b"Finali", b"Fast s"):
            table[word] = _ignore
        for word in (b"&&&& P", b"&&&& F", b"&&&& W"):
            table[word] = marks.run_end
        words: dict[bytes, Handler] = {
            b"Origin": marks.original,
            b"Buildi": marks.strategy,
            b"After ": marks.layers,
            b"Tensor": marks.version,
            b"Trying": marks.library,
            b"NVIDIA": marks.driver,
            b"versio": marks.driver,
            b"Regist": marks.plugin,
            b"Plugin": marks.plugin,
            b"Averag": summary.average,
            b"layer ": lines.jetson,
            b"Networ": lines.jetson_network,
            b"Time o": lines.total,
            b"Engine": self._engine,
            b"Data i": summary.line,
            b"Layer ": self.listings.title,
        }
        for word in (b"Throug", b"throug", b"Latenc", b"End-to", b"Enqueu", b"H2D La", b"GPU Co", b"D2H La"):
            words[word] = summary.line
        for word in (b"Host L", b"Host l", b"Total ", b"total "):
            words[word] = summary.line
        self._strong = frozenset(table) - {b""}
        table.update((word, self._or_other(handler)) for word, handler in words.items())
        self._strong |= {
            b"Averag",
            b"Throug",
            b"Engine",
            b"GPU Co",
            b"Latenc",
            b"Time o",
            b"Host L",
            b"versio",
        }
        return table

    def _or_other(self, handler: Handler) -> Handler:
        return lambda content, number: (
            handler(content, number)
            or (self.ctx.partial is None and self._other(content, number, bare=False))
        )

    def feed(self, text: bytes) -> None:
        """Read lines joined by line ends; the last one waits for the next call, as its rest may follow."""
        if self._first or (not self.ctx.kinds and not self._prefix):
            self._first = False
            self._prefixes.learn(text.split(b"\n", MOST_LOOKED_AT))
        if not self._prefix:
            head = text.split(b"\n", 100)[:100]
            self._prefix = next((prefix for line in head if (prefix := self._prefixes.of(line))), b"")
        self._walk(self._unwrapper.feed(text, self._prefix))

    def _walk(self, text: bytes) -> None:
        """Read whole lines, each with its end."""
        blocks = self._blocks.walk(text)
        for part in (text,) if blocks is None else blocks:
            if isinstance(part, bytes):
                self._consume(part[:-1].split(b"\n") if part else [])
            elif self.ctx.partial is not None:
                self._consume(part.text[:-1].split(b"\n"))
            else:
                lines = part.text.count(b"\n")
                self._used += self.search.block(part, self._read + 1, lines)
                self._read += lines
                self._prefix = part.prefix or self._prefix

    def finish(self, *, newline_at_end: bool = True, damage: str | None = None) -> LineCount:
        """Read what was held back, close all that is open and say what is missing.

        :param damage: why the content ends early, where that is known
        """
        rest = self._unwrapper.rest()
        if not newline_at_end and rest:
            self._last_line(rest)
        else:
            self._consume(rest)
        if damage is not None:
            self.ctx.warn(self._read, f"{damage}: read up to there")
        if self.ctx.partial is not None:
            self.ctx.warn(self.ctx.partial[0], "the file ends inside this line")
        if self.search.inside:
            layer = self.search.layer or "an unnamed layer"
            self.ctx.warn(self._read, f"the file ends inside the tactic search of {layer}")
        elif self.marks.unfinished:
            self.ctx.warn(self._read, "the file ends before the engine is finished")
        self._close(complete=False)
        self.marks.finish()
        return LineCount(self._read, max(0, self._used - self.ctx.dropped))

    def _last_line(self, rest: list[bytes]) -> None:
        """A last line without an end: its last word may be the beginning of a longer one."""
        last = rest[0]
        cut = self._maybe_cut(last)
        if cut:
            self._read += len(rest)
        else:
            self._consume(rest)
        if not last.endswith((b"<<", b"ms")) and not last.startswith(b"&&&&"):
            what = "inside this line, which is left out" if cut else "without a line end: it may be cut"
            self.ctx.warn(self._read, f"the file ends {what}")

    def next_engine(self) -> None:
        """What follows belongs to another engine."""
        self._close(complete=True)
        self.ctx.engine += 1
        self.ctx.touched = False
        for reader in (self.search, self.listings, self.tables, self.lines, self.summaries, self.marks):
            reader.start_engine()
        self.markdown.start_engine()

    def _close(self, *, complete: bool) -> None:
        self.search.flush(complete=complete)
        self.tables.finish()
        self.lines.finish()
        self.markdown.finish()
        self.listings.flush(complete=complete)
        self.summaries.flush()

    # ---- the way of a line

    def _consume(self, lines: list[bytes]) -> None:
        prefix, size, used, number = self._prefix, len(self._prefix), 0, self._read
        get, other, ctx = self._table.get, self._other, self.ctx
        self._read += len(lines)
        for line in lines:
            number += 1
            if line.startswith(prefix):
                content = line[size:]
            else:
                content = self._strip(line)
                prefix = self._prefix
                size = len(prefix)
            if ctx.partial is not None and self._resume(line, content):
                used += 1
                continue
            handler = get(content[:6])
            if handler is None:
                used += other(content, number, bare=not size or len(content) == len(line))
                if self._prefix is not prefix:
                    prefix = self._prefix
                    size = len(prefix)
            elif handler(content, number):
                used += 1
        self._used += used

    def _strip(self, line: bytes) -> bytes:
        prefix = self._prefixes.of(line)
        # a line that is its prefix alone may lack the blank at the end of it, which others have
        if prefix and len(prefix) < len(line):
            self._prefix = prefix
        return line[len(prefix) :]

    def _resume(self, line: bytes, content: bytes) -> bool:
        """Join a line that ended too early with this one, if this one is no line of its own."""
        started, begun = self.ctx.partial or (0, b"")
        self.ctx.partial = None
        arrow = begun.endswith(b"-") and line.startswith(b">")  # broken in '->', not quoted
        own = not arrow and (
            len(content) != len(line)
            or content[:6] in self._table
            or not line.strip()
            or bool(self._prefixes.of(line))
        )
        if own or len(begun) + len(line) > _MAX_JOINED:
            self.ctx.warn(started, "the line ends too early")
            return False
        self.listings.drop_cut()
        joined = begun + line
        handler = self._table.get(joined[:6])
        return handler(joined, started) if handler else self._other(joined, started, bare=False)

    def _maybe_cut(self, line: bytes) -> bool:
        """The last line has no end: can its last word be the beginning of a longer one?

        A time has six significant digits unless the last ones are zeros; an id stands above the choice.
        """
        content = line[len(self._prefixes.of(line)) :]
        time = _LAST_TIME.search(content)
        if time is not None:
            return len(time.group("digits").replace(b".", b"")) < 6
        choice = _LAST_CHOICE.search(content)
        if choice is not None:
            return len(choice.group("id")) < 18 and not self.search.offers(choice.group("id"))
        return self.tables.open and self.tables.maybe_cut(content)

    # ---- lines that no six bytes tell

    def _other(self, content: bytes, number: int, *, bare: bool) -> bool:
        if bare or content.startswith(b"["):
            inner = self._strip(content)
            if len(inner) != len(content):
                handler = self._table.get(inner[:6])
                return handler(inner, number) if handler else self._other(inner, number, bare=False)
        if b"Set Tactic Name: " in content:
            return self.search.named_tactic(content, number)
        if b" has no valid tactics" in content:
            return self.search.no_tactics(content, number)
        if b" profiling completed in " in content:
            return self.search.fastest(content, number)
        if b" got cached result: " in content:
            return self.search.cached(content, number)
        if b"ms" in content and b"%" in content and self.lines.inline(content, number):
            return True
        if b"ime" in content and self.tables.header(content, number):
            return True
        if self.tables.open and self.tables.row(content, continues=bare and not self._prefix):
            return True
        if self.summaries.section and (self.summaries.value(content) or self.summaries.line(content, number)):
            return True
        if b" [Op: " in content and self.listings.title(content, number):
            return True
        if self.listings.open and self.listings.bare(content):
            return True
        stripped = content.strip()
        if stripped.endswith(b"ms") and self.lines.sample(content, number):
            return True
        if not stripped:
            return False
        return self._second_look(content, stripped, number)

    def _second_look(self, content: bytes, stripped: bytes, number: int) -> bool:
        """A line that nobody knows as it stands.

        It may be indented, of a table in Markdown, with other blanks or punctuation, behind a prefix that is
        still to be learned, or a row whose header was left out.
        """
        if content[0] in b" \t" and stripped[:6] in self._strong:
            return self._table[stripped[:6]](stripped, number)
        if stripped[0] == 0x7C or not content.isascii():
            changed = plain(content)
            if changed != content:
                handler = self._table.get(changed[:6])
                known = handler(changed, number) if handler else self._other(changed, number, bare=False)
                return known or self.markdown.line(content, number)
        digits = stripped[-1:].isdigit() or stripped[:1].isdigit()
        if digits and self.tables.quoted(content, number):
            return True
        if self._prefixes.learn_from(content):
            return self._other(content, number, bare=True)
        self.lines.interrupt()
        self.tables.interrupt()
        self.listings.interrupt()
        return False

    def _equals(self, content: bytes, number: int) -> bool:
        if self.summaries.title(content):
            return True
        return self.search.costs(content, number) or self.tables.title(content)

    def _engine(self, content: bytes, number: int) -> bool:
        return self.listings.title(content, number) or self.summaries.line(content, number)

    def _memory(self, content: bytes, number: int) -> bool:
        """``Layer: <name> HostPersistent: 0 ...`` is ignored; a row of milliseconds is none of these."""
        return content.rstrip().endswith(b"ms") and self._other(content, number, bare=False)

    def _blank(self, content: bytes, number: int) -> bool:
        del number
        return self.listings.open and self.listings.bare(content)


def _ignore(content: bytes, number: int) -> bool:
    del content, number
    return False
