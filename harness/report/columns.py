"""The columns and rows that every section shares: releases across, subjects down."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from harness.analysis.hosts import HostNames
from harness.analysis.statistics.intervals import Interval, one_side
from harness.observations.records import CellObservation, RunObservation
from harness.versions import version_key


@dataclass(frozen=True, order=True)
class Release:
    """One column: a version of a runtime, or the second arm of its A/A pair."""

    runtime: str
    version: str
    repeat: str = ""

    @property
    def label(self) -> str:
        """``openvino 2024.6.0`` or ``openvino 2024.6.0 (aa)``."""
        return f"{self.runtime} {self.version}" + (f" ({self.repeat})" if self.repeat else "")


def release_of(found: CellObservation) -> Release:
    """Return the column of a cell."""
    return Release(found.cell.runtime, found.cell.version, found.cell.repeat)


def releases(run: RunObservation) -> list[Release]:
    """Return the columns: runtimes in the order of the run, versions from old to new."""
    order = {name: index for index, name in enumerate(dict.fromkeys(c.cell.runtime for c in run.cells))}
    found = {release_of(c) for c in run.cells}
    return sorted(found, key=lambda r: (order[r.runtime], version_key(r.version), r.repeat))


def subjects(run: RunObservation) -> dict[str, list[CellObservation]]:
    """Return the rows: cells by network and treatment, in the order of the run.

    What was measured on several hosts has one row a host, since versions are compared within one host only.
    """
    grouped: dict[str, list[CellObservation]] = {}
    for found in run.cells:
        grouped.setdefault(found.cell.subject, []).append(found)
    order = {release: index for index, release in enumerate(releases(run))}
    names = HostNames.of(run)
    rows: dict[str, list[CellObservation]] = {}
    for name, cells in grouped.items():
        ordered = sorted(cells, key=lambda c: order[release_of(c)])
        hosts = list(dict.fromkeys(host for found in ordered for host in hosts_of(found)))
        if not hosts:
            rows[name] = ordered
        for host in hosts:
            where = names.where(host, hosts)
            rows[f"{name} on {where}" if where else name] = [
                on_host(found, host) for found in ordered if not found.builds or host in hosts_of(found)
            ]
    return rows


def hosts_of(found: CellObservation) -> list[str]:
    """Return the hosts that a cell was built on, in the order of its builds."""
    return list(dict.fromkeys(build.host for build in found.builds))


def on_host(found: CellObservation, host: str) -> CellObservation:
    """Return the cell with its builds on *host* only."""
    return replace(found, builds=tuple(build for build in found.builds if build.host == host))


def anchor(*parts: str) -> str:
    """Return an element id made of *parts*: letters, digits and hyphens, the same for the same parts."""
    text = "-".join(parts)
    return "".join(c if c.isascii() and c.isalnum() else "-" for c in text)


def build_values(found: CellObservation) -> list[float]:
    """Return the latency of each good build, in ms, in the order of the builds."""
    return [b.latency_ms for b in found.good if b.latency_ms is not None]


@dataclass(frozen=True)
class CellLatency:
    """The latency of a cell, ms, as every section states it.

    :param builds: one value a good build; :param middle: the mean over builds, None without a build
    :param interval: its 95 % interval, None with fewer than two builds
    """

    builds: tuple[float, ...]
    middle: float | None
    interval: Interval | None

    @property
    def low(self) -> float | None:
        """Lower end of the interval."""
        return None if self.interval is None else self.interval.low

    @property
    def high(self) -> float | None:
        """Upper end of the interval."""
        return None if self.interval is None else self.interval.high


def latency_of(found: CellObservation) -> CellLatency:
    """Return the latency of a cell over its good builds."""
    values = build_values(found)
    return CellLatency(tuple(values), middle(values), one_side(values))


def middle(values: Sequence[float]) -> float | None:
    """Return the mean over builds as latencies are averaged, on the logarithm; None of nothing."""
    interval = one_side(values)
    return interval.estimate if interval else (values[0] if values else None)


def of_each(counts: Sequence[int]) -> str:
    """Return the count of each build, nothing where all are 0."""
    return ", ".join(map(str, counts)) if any(counts) else ""


def mean(values: Sequence[float]) -> float | None:
    """Return the arithmetic mean, None of nothing."""
    return sum(values) / len(values) if values else None
