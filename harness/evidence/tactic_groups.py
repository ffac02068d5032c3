"""Tactics in columns, as they were printed: a log has a hundred thousand, and few are looked at alone."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import overload

from harness.evidence.numbers import normal_tactic_id

TacticRow = tuple[int, str, str | None, str | None, str, str | None, str | None, float | None, bool, bool]
"""engine, layer, runner, formats, tactic, tactic_id, kernel, time_ms, fastest, chosen."""

_MAX_KEPT = 1 << 16
_ROWS_A_PIECE = 4096


@dataclass(slots=True, eq=False)
class TacticGroup:
    """What one runner offered for one layer and format combination.

    :param tactics: ids as printed; :param times: milliseconds as Python writes them, None: not timed
    :param kernels: their names, None where no tactic of the group has one
    :param fastest: positions of the best; :param chosen: position of the one taken, -1: none of these
    """

    engine: int
    layer: str
    runner: str | None
    formats: str | None
    tactics: list[str] = field(default_factory=list)
    times: list[str | None] = field(default_factory=list)
    kernels: list[str | None] | None = None
    fastest: set[int] = field(default_factory=set)
    chosen: int = -1

    def add(self, tactic: str, kernel: str | None, time: str | None) -> None:
        """One more tactic of this runner."""
        if kernel is not None and self.kernels is None:
            self.kernels = [None] * len(self.tactics)
        self.tactics.append(tactic)
        self.times.append(time)
        if self.kernels is not None:
            self.kernels.append(kernel)

    def positions(self, tactic_id: str | None) -> list[int]:
        """Where the tactic with this id stands."""
        return [i for i, tactic in enumerate(self.tactics) if normal_tactic_id(tactic) == tactic_id]

    def rows(self) -> list[TacticRow]:
        """The tactics as rows."""
        head = (self.engine, self.layer, self.runner, self.formats)
        kernels = self.kernels or [None] * len(self.tactics)
        return [
            (
                *head,
                tactic,
                normal_tactic_id(tactic),
                kernel,
                None if time is None else float(time),
                i in self.fastest,
                i == self.chosen,
            )
            for i, (tactic, kernel, time) in enumerate(zip(self.tactics, kernels, self.times, strict=True))
        ]


class TacticRows(Sequence[TacticRow]):
    """The rows of many groups, made when somebody asks for one."""

    def __init__(self, groups: Iterable[TacticGroup] = ()) -> None:
        self.groups = list(groups)

    @cached_property
    def _rows(self) -> list[TacticRow]:
        return [row for group in self.groups for row in group.rows()]

    def __len__(self) -> int:
        return sum(len(group.tactics) for group in self.groups)

    @overload
    def __getitem__(self, index: int) -> TacticRow: ...
    @overload
    def __getitem__(self, index: slice) -> list[TacticRow]: ...
    def __getitem__(self, index: int | slice) -> TacticRow | list[TacticRow]:
        return self._rows[index]

    def __iter__(self) -> Iterator[TacticRow]:
        return iter(self._rows)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]

    def of_engine(self, engine: int) -> TacticRows:
        """The rows of one engine."""
        return TacticRows(group for group in self.groups if group.engine == engine)


class _Quoted(dict[str | None, str]):
    """JSON of texts, which come again and again."""

    def __missing__(self, text: str | None) -> str:
        if len(self) >= _MAX_KEPT:
            self.clear()
        self[text] = value = json.dumps(text)
        return value


class _Ids(dict[str, str]):
    """The keys ``tactic`` and ``tactic_id`` by the tactic as printed."""

    def __missing__(self, tactic: str) -> str:
        if len(self) >= _MAX_KEPT:
            self.clear()
        own, normal = json.dumps(tactic), json.dumps(normal_tactic_id(tactic))
        self[tactic] = value = f'{own}, "tactic_id": {normal}, "kernel": '
        return value


class TacticTexts:
    """Writes groups as JSON, equal to ``json.dumps`` of each row.

    :param between: what stands between two rows; :param lead: further keys, ``'"row": "tactics", '``
    """

    def __init__(self, *, between: str, lead: str = "") -> None:
        self._between, self._lead = between, lead
        self._quoted = _Quoted()
        self._ids = _Ids()

    def pieces(self, groups: Iterable[TacticGroup]) -> Iterator[str]:
        """The rows of *groups*, some thousands in one piece."""
        texts: list[str] = []
        between = ""
        for group in groups:
            texts += self._texts(group)
            if len(texts) >= _ROWS_A_PIECE:
                yield between + self._between.join(texts)
                texts, between = [], self._between
        if texts:
            yield between + self._between.join(texts)

    def _texts(self, group: TacticGroup) -> list[str]:
        quoted, ids = self._quoted, self._ids
        head = (
            f'{{{self._lead}"engine": {group.engine}, "layer": {quoted[group.layer]}, '
            f'"runner": {quoted[group.runner]}, "formats": {quoted[group.formats]}, "tactic": '
        )
        end = ', "fastest": false, "chosen": false}'
        if group.kernels is None:
            texts = [
                f'{head}{ids[tactic]}null, "time_ms": {time or "null"}{end}'
                for tactic, time in zip(group.tactics, group.times, strict=True)
            ]
        else:
            texts = [
                f'{head}{ids[tactic]}{quoted[kernel]}, "time_ms": {time or "null"}{end}'
                for tactic, kernel, time in zip(group.tactics, group.kernels, group.times, strict=True)
            ]
        for i in group.fastest | {group.chosen} if group.chosen >= 0 else group.fastest:
            best, taken = str(i in group.fastest).lower(), str(i == group.chosen).lower()
            texts[i] = f'{texts[i][: -len(end)]}, "fastest": {best}, "chosen": {taken}}}'
        return texts
