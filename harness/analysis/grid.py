"""The grid of a run: its builds by subject, version and host, made once a command and handed on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from harness.analysis.groups import BuildGroup, Release
from harness.analysis.hosts import HostNames
from harness.matrix.cell import Cell
from harness.observations.records import BuildObservation, CellObservation, RunObservation
from harness.versions import version_key

NO_HOST = ""
"""Host of a cell that was never on one, in a run without any build of its subject."""


@dataclass(frozen=True)
class GridRow:
    """What is compared across versions: a network and treatment on one host.

    :param name: the subject, with the host where several hosts have it
    :param groups: its builds by version, from old to new; what was not built stands on every host
    """

    name: str
    subject: str
    host: str
    groups: tuple[BuildGroup, ...]


@dataclass(frozen=True)
class Grid:
    """A run by subject, version and host.

    :param hosts: what rows call the hosts
    :param releases: the columns: runtimes in the order of the run, versions from old to new
    :param rows: in the order of the run
    :param groups: of every cell, one on no host where nothing was built, in the order of the run
    :param judged: the groups that verdicts are about, in the order of the run; a cell without builds stands
        once on every host of its subject and runtime
    """

    run: RunObservation
    hosts: HostNames
    releases: tuple[Release, ...]
    rows: tuple[GridRow, ...]
    groups: tuple[BuildGroup, ...]
    judged: tuple[BuildGroup, ...]

    @property
    def built(self) -> tuple[BuildGroup, ...]:
        """The groups that have builds, in the order of the run."""
        return tuple(group for group in self.groups if group.observed)

    @property
    def builds_by_host(self) -> tuple[tuple[str, str, int], ...]:
        """(host, model of its GPU or nothing, good builds made on it), in the order of the run."""
        counts = Counter(build.host for group in self.built for build in group.good)
        return tuple((host, self.hosts.models.get(host, ""), builds) for host, builds in counts.items())


def grid_of(run: RunObservation) -> Grid:
    """Return the grid of *run*."""
    groups = {cell: _groups(cell, seen) for cell, seen in _by_cell(run).items()}
    order = {name: index for index, name in enumerate(dict.fromkeys(c.cell.runtime for c in run.cells))}
    releases = sorted(
        {group.release for own in groups.values() for group in own},
        key=lambda release: (order[release.runtime], version_key(release.version), release.repeat),
    )
    hosts = HostNames.of(run)
    rows = tuple(_rows(groups, {release: index for index, release in enumerate(releases)}, hosts))
    every = tuple(group for own in groups.values() for group in own)
    return Grid(run, hosts, tuple(releases), rows, every, tuple(_judged(groups)))


def _by_cell(run: RunObservation) -> dict[Cell, list[CellObservation]]:
    cells: dict[Cell, list[CellObservation]] = {}
    for seen in run.cells:
        cells.setdefault(seen.cell, []).append(seen)
    return cells


def _groups(cell: Cell, observations: list[CellObservation]) -> tuple[BuildGroup, ...]:
    """Return the groups of a cell, one on no host where nothing was built."""
    first = next((seen for seen in observations if seen.reason), observations[0])
    digest = next((seen.digest for seen in observations if seen.digest != "unknown"), "unknown")
    by_host: dict[str, list[BuildObservation]] = {}
    for build in (build for seen in observations for build in seen.builds):
        by_host.setdefault(build.host, []).append(build)
    return tuple(
        BuildGroup(cell, host, first.status, first.reason, tuple(builds), digest)
        for host, builds in (by_host or {NO_HOST: []}).items()
    )


def _on(groups: Iterable[BuildGroup], host: str) -> Iterable[BuildGroup]:
    """Yield those of a cell's *groups* that are on *host*; what was not built is on every host."""
    for group in groups:
        if group.observed and group.host == host:
            yield group
        elif not group.observed:
            yield BuildGroup(group.cell, host, group.status, group.reason, digest=group.digest)


def _rows(
    groups: Mapping[Cell, tuple[BuildGroup, ...]], order: Mapping[Release, int], names: HostNames
) -> Iterable[GridRow]:
    subjects: dict[str, list[tuple[BuildGroup, ...]]] = {}
    for cell, own in groups.items():
        subjects.setdefault(cell.subject, []).append(own)
    for subject, cells in subjects.items():
        cells.sort(key=lambda own: order[own[0].release])
        hosts = list(dict.fromkeys(group.host for own in cells for group in own if group.observed))
        for host in hosts or [NO_HOST]:
            where = names.where(host, hosts) if hosts else ""
            yield GridRow(
                name=f"{subject} on {where}" if where else subject,
                subject=subject,
                host=host,
                groups=tuple(group for own in cells for group in _on(own, host)),
            )


def _judged(groups: Mapping[Cell, tuple[BuildGroup, ...]]) -> Iterable[BuildGroup]:
    hosts: dict[tuple[str, str], dict[str, None]] = {}
    for cell, own in groups.items():
        known = hosts.setdefault((cell.runtime, cell.subject), {})
        known.update(dict.fromkeys(group.host for group in own if group.observed and group.is_judged))
    for cell, own in groups.items():
        built = [group for group in own if group.observed]
        yield from (group for group in built if group.is_judged)
        if not built:
            for host in hosts[cell.runtime, cell.subject] or {NO_HOST: None}:
                yield from _on(own, host)
