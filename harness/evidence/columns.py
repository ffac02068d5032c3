"""Tables whose header names their columns: CSV with commas, semicolons or tabs, and tables in Markdown."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from harness.evidence.numbers import printed_number
from harness.evidence.records import LayerTime

_LAYER = re.compile(r"(?:layer|op|operation|node)s?(?:[_ ]?name)?(?: .*)?", re.IGNORECASE)
_NAME = re.compile(r"(?:layer[_ ]?)?name|layer(?: .*)?", re.IGNORECASE)
_MS = re.compile(r"(?:^|[^a-z])(?:ms|msec|milliseconds?)(?![a-z])", re.IGNORECASE)
_TIME = re.compile(r"time|duration|latency|runtime", re.IGNORECASE)
_OTHER_UNIT = re.compile(
    r"(?:^|[^a-z])(?:us|ns|s|sec|seconds?|stamp|\u00b5s)(?![a-z])|timestamp", re.IGNORECASE
)
_KINDS = (
    ("cumulative", re.compile(r"cumul|running", re.IGNORECASE)),
    ("percent", re.compile(r"%|percent|share", re.IGNORECASE)),
)
_TIMES = (
    ("start", re.compile(r"start|begin", re.IGNORECASE)),
    ("end", re.compile(r"end|stop", re.IGNORECASE)),
    ("median", re.compile(r"median|p50", re.IGNORECASE)),
    ("average", re.compile(r"avg|average|mean", re.IGNORECASE)),
    ("total", re.compile(r"total|sum", re.IGNORECASE)),
)


@dataclass(frozen=True, slots=True)
class Columns:
    """What the columns right of a layer's name hold, in their order."""

    kinds: tuple[str, ...]

    @classmethod
    def of(cls, cells: Sequence[str]) -> Columns | None:
        """Read a header; None where it does not name a layer and a time in milliseconds.

        :param cells: a layer's name first. ``layer`` may stand beside a ``time`` without a unit, ``name`` not

        >>> Columns.of(["name", "ms"]), Columns.of(["name", "items"]), Columns.of(["layer", "avg time", "%"])
        (Columns(kinds=('average',)), None, Columns(kinds=('average', 'percent')))
        """
        first = cells[0].strip().strip("\"'") if cells else ""
        if len(cells) < 2 or not (_NAME.fullmatch(first) or _LAYER.fullmatch(first)):
            return None
        unit_needed = not _LAYER.fullmatch(first)
        kinds: list[str] = []
        for cell in cells[1:]:
            kind = _kind(cell.strip().strip("\"'"), unit_needed=unit_needed)
            kinds.append("" if kind in kinds else kind)
        times = {"average", "median", "total"} & set(kinds)
        return cls(tuple(kinds)) if times or {"start", "end"} <= set(kinds) else None

    def row(self, position: int, cells: Sequence[str], engine: int = 0) -> LayerTime | None:
        """One row, None where a column of numbers holds none; end minus start is an average."""
        name = cells[0].strip() if cells else ""
        if len(cells) != len(self.kinds) + 1 or not name:
            return None
        found: dict[str, float] = {}
        for kind, cell in zip(self.kinds, cells[1:], strict=True):
            if not kind:
                continue
            text = cell.strip().strip('"').removesuffix("%").removesuffix("ms").strip()
            number = printed_number(text)
            if number is None:
                return None
            found[kind] = number
        if "start" in found and "end" in found:
            found["average"] = float(Decimal(repr(found["end"])) - Decimal(repr(found["start"])))
        if len(name) > 1 and name[0] == name[-1] and name[0] in "'\"":
            name = name[1:-1]
        return LayerTime(
            position,
            name,
            found.get("total"),
            found.get("average"),
            found.get("median"),
            found.get("percent"),
            found.get("cumulative"),
            engine=engine,
        )


def _kind(cell: str, *, unit_needed: bool) -> str:
    """What a column holds, empty where it is none of those that are read."""
    for kind, pattern in _KINDS:
        if pattern.search(cell):
            return kind
    timed = _MS.search(cell) or (not unit_needed and _TIME.search(cell) and not _OTHER_UNIT.search(cell))
    if not timed:
        return ""
    for kind, pattern in _TIMES:
        if pattern.search(cell):
            return kind
    return "average"
