"""The record: everything one file says, in one vocabulary (docs/reference/record.md)."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from statistics import median
from typing import TypeVar

from harness.evidence.records import (
    Combination,
    Decision,
    EngineLayer,
    InferenceTime,
    LayerTime,
    LineCount,
    ReaderWarning,
    SkippedRunner,
    Summary,
    Tactic,
)
from harness.evidence.rows import as_row, tactic_as_row
from harness.evidence.sinks import ProfileHead, Row
from harness.evidence.tactic_groups import TacticGroup, TacticRows, TacticTexts

_RowType = TypeVar("_RowType", bound=Row)
SCHEMA = "trtmatrix.record/1"
KINDS = ("profile", "builder_log", "engine_layers", "summary", "times")


@dataclass(frozen=True)
class FileFacts:
    """What is known of a file as a whole once it was read.

    :param engines: how many engines the rows belong to; :param tensorrt: as printed, or as the user said
    :param build_seconds: seconds of the build per engine, where printed
    :param commands: what the run of an engine was started with (``&&&& RUNNING``), where printed
    :param driver: version of the device's driver, as printed
    :param plugins: creators of plugins that were registered, name and version
    :param refused: what looked like output of TensorRT, and what was missing to tell it from other output
    """

    kinds: tuple[str, ...]
    tensorrt: str | None = None
    engines: int = 1
    lines: LineCount = field(default_factory=LineCount)
    build_seconds: Mapping[int, float] = field(default_factory=dict)
    refused: tuple[str, ...] = ()
    commands: Mapping[int, str] = field(default_factory=dict)
    driver: str | None = None
    plugins: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Record:
    """One file, read.

    Rows stand in the order of the file and duplicates are kept. :attr:`decisions` and :attr:`combinations`
    tell the story of the tactic search: each format combination that the builder opened, what it timed below
    it and what it settled on. A combination without runners reuses the result of an equal layer (see
    :class:`~harness.evidence.records.Combination`); they are not part of the JSON.

    :param profiles: one for each profile in the file, with the number of rows it has in :attr:`profile`
    """

    file: str
    facts: FileFacts
    profiles: tuple[ProfileHead, ...] = ()
    profile: tuple[LayerTime, ...] = ()
    tactic_rows: TacticRows = field(default_factory=TacticRows)
    skipped_runners: tuple[SkippedRunner, ...] = ()
    engine_layers: tuple[EngineLayer, ...] = ()
    times: tuple[InferenceTime, ...] = ()
    summary: tuple[Summary, ...] = ()
    warnings: tuple[ReaderWarning, ...] = ()
    decisions: tuple[Decision, ...] = ()
    combinations: tuple[Combination, ...] = ()

    @cached_property
    def tactics(self) -> tuple[Tactic, ...]:
        """The tactic rows as objects."""
        return tuple(Tactic(*row[1:], engine=row[0]) for row in self.tactic_rows)

    @property
    def iterations(self) -> int | None:
        """Runs behind the profile, None where not printed or not the same for all profiles of the file."""
        return _same([head.iterations for head in self.profiles])

    @property
    def total_ms(self) -> float | None:
        """The printed total of the profile, None where not printed or where the file has several profiles."""
        return self.profiles[0].total_ms if len(self.profiles) == 1 else None

    def of_engine(self, engine: int) -> Record:
        """What the file says of one of its engines; a file with one engine stays as it is."""
        if self.facts.engines < 2:
            return self
        seconds = {0: self.facts.build_seconds[engine]} if engine in self.facts.build_seconds else {}
        commands = {0: self.facts.commands[engine]} if engine in self.facts.commands else {}
        return replace(
            self,
            facts=replace(self.facts, engines=1, build_seconds=seconds, commands=commands),
            profiles=tuple(head for head in self.profiles if head.engine == engine),
            profile=tuple(row for row in self.profile if row.engine == engine),
            tactic_rows=self.tactic_rows.of_engine(engine),
            skipped_runners=tuple(row for row in self.skipped_runners if row.engine == engine),
            engine_layers=tuple(row for row in self.engine_layers if row.engine == engine),
            times=tuple(row for row in self.times if row.engine == engine),
            summary=tuple(row for row in self.summary if row.engine == engine),
            decisions=tuple(row for row in self.decisions if row.engine == engine),
            combinations=tuple(row for row in self.combinations if row.engine == engine),
        )

    def as_json(self) -> dict[str, object]:
        """The record as plain data: keys, units and nulls as docs/reference/record.md has them."""
        document = self._head()
        document["tactics"] = [tactic_as_row(row) for row in self.tactic_rows]
        document.update(self._tail())
        return document

    def json_pieces(self) -> Iterator[str]:
        """The text of :meth:`as_json` in pieces; a builder log has too many tactics to build it whole."""
        head, tail = json.dumps(self._head()), json.dumps(self._tail())
        yield head[:-1] + ', "tactics": ['
        yield from TacticTexts(between=", ").pieces(self.tactic_rows.groups)
        yield "], " + tail[1:]

    def _head(self) -> dict[str, object]:
        profile: dict[str, object] = {
            "iterations": self.iterations,
            "total_ms": self.total_ms,
            "layers": [as_row(row) for row in self.profile],
        }
        if len(self.profiles) > 1:
            profile["profiles"] = [
                {
                    "engine": head.engine,
                    "iterations": head.iterations,
                    "total_ms": head.total_ms,
                    "rows": head.layers,
                    "line": head.line,
                }
                for head in self.profiles
            ]
        return {
            "schema": SCHEMA,
            "file": self.file,
            "kinds": list(self.facts.kinds),
            "tensorrt": self.facts.tensorrt,
            "driver": self.facts.driver,
            "plugins": [{"name": name, "version": version} for name, version in self.facts.plugins],
            "engines": self.facts.engines,
            "profile": profile,
        }

    def _tail(self) -> dict[str, object]:
        lines = self.facts.lines
        return {
            "skipped_runners": [as_row(row) for row in self.skipped_runners],
            "engine_layers": [as_row(row) for row in self.engine_layers],
            "times": [as_row(row) for row in self.times],
            "summary": [as_row(row) for row in self.summary],
            "lines": {"read": lines.read, "used": lines.used, "ignored": lines.ignored},
            "warnings": [{"line": warning.line, "text": warning.text} for warning in self.warnings],
        }


class RecordSink:
    """Collects the rows of one file."""

    def __init__(self) -> None:
        self._rows: dict[type, list[Row]] = {}
        self._tactics: list[TacticGroup] = []
        self._profiles: list[ProfileHead] = []
        self._warnings: list[ReaderWarning] = []

    def tactics(self, groups: Sequence[TacticGroup]) -> None:
        """Keep finished tactics."""
        self._tactics.extend(groups)

    def emit(self, row: Row) -> None:
        """Keep any other row."""
        self._rows.setdefault(type(row), []).append(row)

    def profile(self, head: ProfileHead) -> None:
        """Keep the head of the profile whose rows came last."""
        self._profiles.append(head)

    def warn(self, warning: ReaderWarning) -> None:
        """Keep a warning."""
        self._warnings.append(warning)

    def record(self, file: str | os.PathLike[str], facts: FileFacts) -> Record:
        """All that was collected."""
        heads, layers = merge_runs(self._profiles, self._of(LayerTime))
        return Record(
            file=os.fspath(file),
            facts=facts,
            profiles=tuple(heads),
            profile=tuple(layers),
            tactic_rows=TacticRows(self._tactics),
            skipped_runners=self._of(SkippedRunner),
            engine_layers=self._of(EngineLayer),
            times=self._of(InferenceTime),
            summary=self._of(Summary),
            warnings=tuple(self._warnings),
            decisions=self._of(Decision),
            combinations=self._of(Combination),
        )

    def _of(self, kind: type[_RowType]) -> tuple[_RowType, ...]:
        return tuple(row for row in self._rows.get(kind, ()) if isinstance(row, kind))


def merge_runs(
    heads: Sequence[ProfileHead], rows: Sequence[LayerTime]
) -> tuple[list[ProfileHead], list[LayerTime]]:
    """Join prints of single runs of one engine into one profile with a mean and a median per layer.

    jetson-inference prints its layers anew for each image. A single print stays as it is.

    :returns: heads and rows; a joined row has ``samples_ms``, and its mean and median are computed
    """
    merged_heads: list[ProfileHead] = []
    merged: list[list[LayerTime]] = []
    start = 0
    for head in heads:
        table = list(rows[start : start + head.layers])
        start += head.layers
        before = merged_heads[-1] if merged_heads else None
        if (
            before is not None
            and head.single_run
            and before.single_run
            and before.layers == head.layers
            and before.engine == head.engine
        ):
            merged[-1] = [
                replace(row, samples_ms=(*(row.samples_ms or _sample(row)), *_sample(new)))
                for row, new in zip(merged[-1], table, strict=True)
            ]
            merged_heads[-1] = replace(before, iterations=(before.iterations or 1) + 1, total_ms=None)
        else:
            merged_heads.append(head)
            merged.append(table)
    return merged_heads, [_with_statistics(row) for table in merged for row in table]


def _sample(row: LayerTime) -> tuple[float, ...]:
    return () if row.average_ms is None else (row.average_ms,)


def _with_statistics(row: LayerTime) -> LayerTime:
    if len(row.samples_ms) < 2:
        return row
    mean = sum(row.samples_ms) / len(row.samples_ms)
    return replace(row, average_ms=mean, median_ms=median(row.samples_ms), iterations=len(row.samples_ms))


def _same(values: Sequence[int | None]) -> int | None:
    return values[0] if values and all(value == values[0] for value in values) else None
