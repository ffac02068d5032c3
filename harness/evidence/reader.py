"""Reads any file that TensorRT and its tools write, recognised by its content.

What reads text is loaded where a file is no JSON: a stored run is read without it.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from harness.errors import NotRecognisedError, UnreadableFileError
from harness.evidence.jsonfiles import read_json
from harness.evidence.record import KINDS, FileFacts, Record, RecordSink
from harness.evidence.sinks import Sink
from harness.evidence.source import Source, without_colours

_JSON = re.compile(rb"\s*(?:\{\s*(?:[\"}]|\Z)|\[\s*(?:[{\"\[\]]|\Z))")


_LOOKED_AT = 100  # lines at the head of a file by which a quoted export is known


def read_file(path: str | os.PathLike[str], *, tensorrt: str | None = None) -> Record:
    """Read one file into memory.

    :param path: plain, gzip or zstd; :param tensorrt: the version, for files that do not print it
    :raises InputError: the file cannot be opened, or nothing in it was recognised
    """
    sink = RecordSink()
    with open_evidence(path) as stream:
        try:
            facts = read_stream(stream, sink, name=os.fspath(path), tensorrt=tensorrt)
        except OSError as error:
            raise UnreadableFileError(os.fspath(path), _reason(error)) from error
    return sink.record(path, facts)


def open_evidence(path: str | os.PathLike[str]) -> BinaryIO:
    """Open a file or a pipe to read it once.

    :raises InputError: it cannot be opened, or is a device, whose end may never come (``/dev/zero``)
    """
    try:
        stream = Path(path).open("rb")  # noqa: SIM115 - it is the caller that closes it
    except OSError as error:
        raise UnreadableFileError(os.fspath(path), _reason(error)) from error
    if stat.S_ISCHR(os.fstat(stream.fileno()).st_mode) and not stream.isatty():
        stream.close()
        raise UnreadableFileError(os.fspath(path), "is a device; expected a file or a pipe")
    return stream


def read_stream(stream: BinaryIO, sink: Sink, *, name: str, tensorrt: str | None = None) -> FileFacts:
    """Read one open file row by row, in constant memory.

    :param sink: takes the rows in the order of the file; :param name: what errors call the file
    :param tensorrt: the version, for files that do not print it
    :raises InputError: nothing in the file was recognised
    """
    source = Source(stream)
    head = b""
    for chunk in source.chunks():
        head += chunk
        if head.strip() and len(head) >= 16:
            break
    source.push_back(head)
    if not head.strip():
        raise NotRecognisedError(name, source.damage or "the file is empty")
    if (quoted := unquoted(head)) is not None:
        head, strip = quoted
        source.strip_lines(strip)
    facts = read_json(source, sink, name) if _JSON.match(head) else _read_lines(source, sink, head)
    if not facts.kinds:
        count = facts.lines.read
        problem = (
            source.damage or f"no output of TensorRT was recognised in its {count} line{'s' * (count != 1)}"
        )
        text = ": ".join([problem, *facts.refused[:1]])
        raise UnreadableFileError(name, text) if source.damage else NotRecognisedError(name, text)
    return facts if tensorrt is None or facts.tensorrt is not None else replace(facts, tensorrt=tensorrt)


def unquoted(head: bytes) -> tuple[bytes, Callable[[bytes], bytes]] | None:
    """An export that was quoted or went through a logger: its first bytes, and what bares its lines.

    None where the file is no JSON and no CSV behind prefixes or a fence of Markdown.
    """
    if _JSON.match(head):
        return None
    from harness.evidence.csvlog import CsvTimes
    from harness.evidence.prefixes import Prefixes

    lines = head.replace(b"\r\n", b"\n").split(b"\n", _LOOKED_AT)
    prefixes = Prefixes()
    prefixes.learn([without_colours(line) for line in lines[:_LOOKED_AT]])

    def strip(line: bytes) -> bytes:
        line = without_colours(line)
        content = line[len(prefixes.of(line)) :]
        return b"" if content.startswith((b"```", b"~~~")) else content

    bared = [strip(line) for line in lines[:_LOOKED_AT]]
    if bared == lines[:_LOOKED_AT]:
        return None
    filled = [stripped for line in bared if (stripped := line.strip())]
    text = b"\n".join(bared)
    if _JSON.match(text):
        alike = sum(1 for line in filled if line[:1] in b'{}[],"' or line[:1].isdigit())
        return (text, strip) if alike * 10 >= len(filled) * 9 else None
    return (text, strip) if filled and b"," in filled[0] and CsvTimes.recognises(text.lstrip()) else None


def _read_lines(source: Source, sink: Sink, head: bytes) -> FileFacts:
    from harness.evidence.csvlog import CsvTimes

    if CsvTimes.recognises(head):
        return CsvTimes(sink).read(source)
    from harness.evidence.textlog import TextLog

    log = TextLog(sink)
    for text in source.texts():
        log.feed(text)
    lines = log.finish(newline_at_end=source.newline_at_end, damage=source.damage)
    ctx = log.ctx
    if source.long_lines:
        ctx.warn(None, "a line is longer than 4 MiB and was read in pieces")
    kinds = tuple(kind for kind in KINDS if kind in ctx.kinds)
    return FileFacts(
        kinds,
        ctx.tensorrt,
        ctx.engine + 1,
        lines,
        dict(ctx.build_seconds),
        tuple(ctx.refused),
        dict(ctx.commands),
        ctx.driver,
        tuple(ctx.plugins),
    )


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
