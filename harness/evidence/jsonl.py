"""Rows of a record one a line, as they are read: for logs too large for one object."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import BinaryIO, TextIO

from harness.evidence.reader import read_stream
from harness.evidence.record import SCHEMA, FileFacts
from harness.evidence.records import (
    Combination,
    Decision,
    EngineLayer,
    InferenceTime,
    LayerTime,
    ReaderWarning,
    SkippedRunner,
    Summary,
)
from harness.evidence.rows import as_row
from harness.evidence.sinks import ProfileHead, Row
from harness.evidence.tactic_groups import TacticGroup, TacticTexts

ROW_NAMES: dict[type, str] = {
    LayerTime: "profile",
    SkippedRunner: "skipped_runners",
    EngineLayer: "engine_layers",
    InferenceTime: "times",
    Summary: "summary",
}
"""The key ``row`` of each kind of row: the list of the record that holds it; tactic rows are ``tactics``."""


class JsonlSink:
    """Writes each row when it comes and keeps nothing.

    :param out: takes the lines; every object has ``row`` first
    """

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._texts = TacticTexts(between="\n", lead='"row": "tactics", ')

    def tactics(self, groups: Sequence[TacticGroup]) -> None:
        """Write finished tactics."""
        for piece in self._texts.pieces(groups):
            self._out.write(piece)
        if groups:
            self._out.write("\n")

    def emit(self, row: Row) -> None:
        """Write any other row; decisions and combinations are no rows of the record."""
        if not isinstance(row, Decision | Combination):
            self._write(ROW_NAMES[type(row)], as_row(row))

    def profile(self, head: ProfileHead) -> None:
        """Write what stands above or below the rows that came last."""
        values = {"engine": head.engine, "iterations": head.iterations, "total_ms": head.total_ms}
        self._write("profile_end", values)

    def warn(self, warning: ReaderWarning) -> None:
        """Write a warning."""
        self._write("warnings", {"line": warning.line, "text": warning.text})

    def _write(self, row: str, values: Mapping[str, object]) -> None:
        self._out.write(json.dumps({"row": row, **values}) + "\n")


def write_jsonl(stream: BinaryIO, out: TextIO, *, name: str, tensorrt: str | None = None) -> FileFacts:
    """Stream one file: a ``file`` line, the rows, and an ``end`` line with what is known only then.

    :param name: the file, as the user named it; :param tensorrt: the version, for files that do not print it
    :raises InputError: nothing in the file was recognised
    """
    out.write(json.dumps({"row": "file", "schema": SCHEMA, "file": name}) + "\n")
    facts = read_stream(stream, JsonlSink(out), name=name, tensorrt=tensorrt)
    lines = facts.lines
    end = {
        "row": "end",
        "file": name,
        "kinds": list(facts.kinds),
        "tensorrt": facts.tensorrt,
        "driver": facts.driver,
        "plugins": [{"name": name, "version": version} for name, version in facts.plugins],
        "engines": facts.engines,
        "lines": {"read": lines.read, "used": lines.used, "ignored": lines.ignored},
    }
    out.write(json.dumps(end) + "\n")
    return facts
