"""What could not run and why; and whether the cells that ran were configured alike."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from harness.analysis.grid import Grid
from harness.analysis.groups import BuildGroup, Release

SHOWN = (
    "build_seconds",
    "engine_bytes",
    "device_memory_bytes",
    "gpu",
    "compute_capability",
    "driver",
    "cuda",
    "tensorrt",
    "onnxruntime",
    "openvino",
    "tensorflow",
    "numpy",
    "cpu",
    "affinity",
)

MOST_VALUES = 4
"""Of one setting of a release over its cells: what differs from cell to cell is shown up to here."""


@dataclass(frozen=True)
class NotRun:
    """Cells without a result that have one reason in common."""

    cells: tuple[str, ...]
    status: str
    reason: str


@dataclass(frozen=True)
class Configuration:
    """The effective configuration of one release: what its cells' first good builds say, each value once.

    :param throttled: samples of all its builds that were taken while throttled
    """

    release: Release
    environment: str
    facts: tuple[tuple[str, str], ...]
    settings: tuple[tuple[str, str], ...]
    not_expressible: tuple[str, ...]
    throttled: int


def not_run(grid: Grid) -> tuple[NotRun, ...]:
    """Return the cells that were not measured by their reason, in the order of the run."""
    reasons: dict[tuple[str, str], list[str]] = {}
    for seen in grid.run.cells:
        if seen.status not in ("measured", "recorded"):
            key = (seen.status, seen.reason or "no reason was recorded")
            reasons.setdefault(key, []).append(seen.cell.id)
    return tuple(NotRun(tuple(cells), status, reason) for (status, reason), cells in reasons.items())


def configurations(grid: Grid) -> tuple[Configuration, ...]:
    """Return one entry a release."""
    groups: dict[Release, list[BuildGroup]] = {}
    for group in grid.groups:
        if group.good:
            groups.setdefault(group.release, []).append(group)
    return tuple(_configuration(release, own) for release, own in groups.items())


def _configuration(release: Release, groups: Sequence[BuildGroup]) -> Configuration:
    # One build of each cell: what differs from host to host is no choice of the run.
    first = {group.cell.id: group for group in reversed(groups)}
    facts = [group.good[0].facts for group in reversed(first.values())]
    settings = [item for each in facts for item in _list(each.get("settings")) if isinstance(item, dict)]
    return Configuration(
        release=release,
        environment=_each_once(group.cell.environment for group in groups),
        facts=_merged((name, each[name]) for name in SHOWN for each in facts if each.get(name) is not None),
        settings=_merged((str(item.get("name")), item.get("value")) for item in settings),
        not_expressible=tuple(
            dict.fromkeys(str(line) for each in facts for line in _list(each.get("not_expressible")))
        ),
        throttled=sum(build.throttled for group in groups for build in group.observed),
    )


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _merged(rows: Iterable[tuple[str, object]]) -> tuple[tuple[str, str], ...]:
    """Return each name once, in order, with its values."""
    by_name: dict[str, list[str]] = {}
    for name, value in rows:
        by_name.setdefault(name, []).append(_text(value))
    return tuple((name, _each_once(values)) for name, values in by_name.items())


def _each_once(values: Iterable[str]) -> str:
    different = list(dict.fromkeys(values))
    more = len(different) - MOST_VALUES
    return " | ".join(different[:MOST_VALUES]) + (f" | and {more} more" if more > 0 else "")


def _text(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list | tuple):
        return ", ".join(_text(item) for item in value)
    return str(value)
