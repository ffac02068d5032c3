"""The grid of a run: its builds by subject, version and host, made once a command and handed on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise

from harness.analysis.blocks import Blocks, with_blocks
from harness.analysis.groups import BuildGroup, Release
from harness.analysis.hosts import HostNames
from harness.analysis.identities import by_identity, group_labels, pooled_runs
from harness.matrix.cell import Cell
from harness.observations.identity import UNKNOWN, Group
from harness.observations.records import BuildObservation, CellObservation, RunObservation
from harness.versions import version_key
from harness.written import number_of

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
    :param pooling: in words, which builds of several runs or environments are pooled, and which are not
    :param judged: the groups that verdicts are about, in the order of the run; a cell without builds stands
        once on every host of its subject and runtime
    :param blocks: the builds that were measured side by side
    """

    run: RunObservation
    hosts: HostNames
    releases: tuple[Release, ...]
    rows: tuple[GridRow, ...]
    groups: tuple[BuildGroup, ...]
    judged: tuple[BuildGroup, ...]
    pooling: tuple[str, ...] = ()
    blocks: Blocks = field(default_factory=Blocks)

    @property
    def built(self) -> tuple[BuildGroup, ...]:
        """The groups that have builds, in the order of the run."""
        return tuple(group for group in self.groups if group.observed)

    @property
    def builds_by_host(self) -> tuple[tuple[str, str, int], ...]:
        """(host, model of its GPU or nothing, good builds made on it), in the order of the run."""
        counts = Counter(build.host for group in self.built for build in group.good)
        return tuple((host, self.hosts.models.get(host, ""), builds) for host, builds in counts.items())

    def treated(self, group: BuildGroup) -> tuple[BuildGroup, ...]:
        """Return the groups that differ from *group* in their treatment alone, itself among them."""
        return tuple(self._by_place[_place(group)])

    @cached_property
    def _by_place(self) -> Mapping[tuple[str, ...], Sequence[BuildGroup]]:
        found: dict[tuple[str, ...], list[BuildGroup]] = {}
        for group in self.groups:
            found.setdefault(_place(group), []).append(group)
        return found


def _place(group: BuildGroup) -> tuple[str, ...]:
    cell = group.cell
    return cell.network, cell.runtime, cell.version, cell.environment, cell.repeat, group.host, group.name


def grid_of(run: RunObservation) -> Grid:
    """Return the grid of *run*, builds that were measured side by side with their latency in their block."""
    run, blocks = with_blocks(run)
    groups = {cell: _groups(cell, seen) for cell, seen in _by_cell(run).items()}
    names = _names(group for own in groups.values() for group in own)
    groups = {cell: tuple(_named(group, names) for group in own) for cell, own in groups.items()}
    order = {name: index for index, name in enumerate(dict.fromkeys(c.cell.runtime for c in run.cells))}
    first: dict[Release, tuple[str, int]] = {}
    for place, group in enumerate(group for own in groups.values() for group in own):
        first[group.release] = min(first.get(group.release, (group.started, place)), (group.started, place))
    releases = sorted(first, key=lambda x: (order[x.runtime], version_key(x.version), x.repeat, first[x]))
    hosts = HostNames.of(run)
    rows = tuple(_rows(groups, {release: index for index, release in enumerate(releases)}, hosts))
    every = tuple(group for own in groups.values() for group in own)
    pooling = (*pooled_runs(run), *kept_apart(own.groups for own in rows))
    return Grid(run, hosts, tuple(releases), rows, every, tuple(_judged(groups)), pooling, blocks)


def kept_apart(rows: Iterable[Sequence[BuildGroup]]) -> list[str]:
    """Return in words why builds of one cell and host are not pooled, each reason once.

    :param rows: groups on one host, those of a cell in the order of their start
    """
    cells: dict[str, int] = {}
    for groups in rows:
        by_cell: dict[str, list[BuildGroup]] = {}
        for group in groups:
            by_cell.setdefault(group.cell.id, []).append(group)
        for old, new in (pair for own in by_cell.values() for pair in pairwise(own)):
            if old.identity is not None and new.identity is not None:
                reason = ", ".join(new.identity.differences(old.identity))
                cells[reason] = cells.get(reason, 0) + 1
    said = "are compared and not pooled, on one host"
    return [f"builds of {number_of(count, 'cell')} {said}: {reason}" for reason, count in cells.items()]


def _by_cell(run: RunObservation) -> dict[Cell, list[CellObservation]]:
    cells: dict[Cell, list[CellObservation]] = {}
    for seen in run.cells:
        cells.setdefault(seen.cell, []).append(seen)
    return cells


def _groups(cell: Cell, observations: list[CellObservation]) -> tuple[BuildGroup, ...]:
    """Return the groups of a cell, one on no host where nothing was built."""
    first = next((seen for seen in observations if seen.reason), observations[0])
    digest = next((seen.digest for seen in observations if seen.digest != UNKNOWN), UNKNOWN)
    builds = [build for seen in observations for build in seen.builds]
    if not builds:
        return (BuildGroup(cell, NO_HOST, first.status, first.reason, digest=digest),)
    alone = len({build.identity.pool for build in builds}) == 1
    return tuple(
        BuildGroup(
            cell=cell,
            host=host,
            status=first.status if alone else _status(own, first.status),
            reason=first.reason if alone else next((b.reason for b in own if b.reason), ""),
            observed=tuple(own),
            digest=identity.digest if identity.digest != UNKNOWN else digest,
            identity=own[0].identity,
        )
        for (host, identity), own in by_identity(builds).items()
    )


def _status(builds: Sequence[BuildObservation], status: str) -> str:
    """Return the status of some of the builds of a cell, which itself has *status*."""
    if any(build.status == "ok" for build in builds):
        return status if status in ("measured", "recorded") else "measured"
    return builds[0].status


def _names(groups: Iterable[BuildGroup]) -> dict[tuple[str, str, str], dict[Group, str]]:
    """Return (runtime, version, arm) to what each identity is called; most versions have one and no name."""
    versions: dict[tuple[str, str, str], dict[tuple[str, str], list[Group]]] = {}
    for group in groups:
        if group.identity is not None:
            places = versions.setdefault(_version_of(group), {})
            places.setdefault((group.cell.id, group.host), []).append(group.identity.group)
    return {
        version: group_labels(places.values())
        for version, places in versions.items()
        if any(len(own) > 1 for own in places.values())
    }


def _version_of(group: BuildGroup) -> tuple[str, str, str]:
    return group.cell.runtime, group.cell.version, group.cell.repeat


def _named(group: BuildGroup, names: Mapping[tuple[str, str, str], Mapping[Group, str]]) -> BuildGroup:
    known = names.get(_version_of(group))
    return (
        group if known is None or group.identity is None else replace(group, name=known[group.identity.group])
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
    subjects: dict[str, list[BuildGroup]] = {}
    for cell, own in groups.items():
        subjects.setdefault(cell.subject, []).extend(own)
    for subject, every in subjects.items():
        every.sort(key=lambda group: order[group.release])
        hosts = list(dict.fromkeys(group.host for group in every if group.observed))
        for host in hosts or [NO_HOST]:
            where = names.where(host, hosts) if hosts else ""
            yield GridRow(
                name=f"{subject} on {where}" if where else subject,
                subject=subject,
                host=host,
                groups=tuple(_on(every, host)),
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
