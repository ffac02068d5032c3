"""Which builds of a cell are repetitions of each other, and what those groups that are not are called.

Builds of one identity are one group: those of one run, resumed or collected in parts. Two runs, two drivers,
two networks of one name, a virtual environment and a container stand side by side as groups of their own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from harness.observations.identity import UNKNOWN, Group
from harness.observations.records import BuildObservation, RunObservation

GroupKey = tuple[str, Group]
"""Host as rows name it, and what builds have to share to be pooled."""


def by_identity(builds: Iterable[BuildObservation]) -> dict[GroupKey, list[BuildObservation]]:
    """Return *builds* of one cell by what they may be pooled with, in the order of the first of each.

    A build that failed knows little of where it ran, and has no value to be pooled: it counts among those of
    its run and host.
    """
    groups: dict[GroupKey, list[BuildObservation]] = {}
    failed = []
    for build in builds:
        if build.status == "ok":
            groups.setdefault((build.host, build.identity.group), []).append(build)
        else:
            failed.append(build)
    for build in failed:
        group = build.identity.group
        alike = (key for key in groups if key[0] == build.host and key[1].pool == group.pool)
        key = next((key for key in alike if _agree(key[1], group)), (build.host, group))
        groups.setdefault(key, []).append(build)
    return {key: sorted(own, key=lambda build: build.build) for key, own in groups.items()}


def _agree(known: Group, other: Group) -> bool:
    """Say whether *other* states nothing that *known* contradicts."""
    mine, others = facts_of(known), facts_of(other)
    return all(UNKNOWN in (mine[name], others[name]) or mine[name] == others[name] for name in mine)


def facts_of(group: Group) -> dict[str, str]:
    """Return what tells groups of one cell and host apart, the weightiest first."""
    return {
        "environment": group.software.environment,
        "driver": group.software.driver,
        "network": group.digest,
        "run": group.pool,
        "version": group.software.version,
        "device": group.host.device,
        "contents": group.software.fingerprint,
    }


def group_labels(cells: Iterable[Sequence[Group]]) -> dict[Group, str]:
    """Return what groups of one version are called where a cell has several; empty where none has.

    :param cells: the groups that stand side by side, a sequence a cell and host
    """
    cells = [own for own in cells if own]
    chosen: list[str] = []
    for name in facts_of(cells[0][0]) if cells else ():
        if _told_apart(cells, chosen):
            break
        if any(len({facts_of(group)[name] for group in own}) > 1 for own in cells):
            chosen.append(name)
    return {group: ", ".join(_said(facts_of(group), chosen)) for own in cells for group in own}


def _told_apart(cells: Iterable[Sequence[Group]], names: Sequence[str]) -> bool:
    return all(
        len({tuple(facts_of(group)[name] for name in names) for group in own}) == len(own) for own in cells
    )


def _said(facts: Mapping[str, str], names: Sequence[str]) -> Iterable[str]:
    """Yield ``docker``, ``driver 535.1``, ``network 1f3a5c2e``."""
    for name in names:
        value = facts[name].removeprefix("sha256:")[:8] if facts[name].startswith("sha256:") else facts[name]
        yield value if name == "environment" else f"{name} {value}"


def pooled_runs(run: RunObservation) -> list[str]:
    """Return in words which folders hold parts of one run, whose builds are pooled."""
    parts: dict[str, dict[str, None]] = {}
    for build in (build for seen in run.cells for build in seen.builds):
        root = next((root for root in run.runs if build.folder and root in build.folder.parents), None)
        if root is not None:
            parts.setdefault(build.identity.pool, {})[root.name] = None
    return [
        f"{' and '.join(names)} are parts of one run, {pool}: their builds on one host are pooled"
        for pool, names in parts.items()
        if len(names) > 1
    ]
