"""One runtime held against another, on the same network, treatment and host."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.analysis.accepted import Accepted, with_accepted
from harness.analysis.compare import compare
from harness.analysis.comparison import Comparison
from harness.analysis.grid import Grid
from harness.analysis.groups import BuildGroup
from harness.analysis.judge import finished, in_order
from harness.analysis.rules.base import Rule
from harness.analysis.verdict import Verdict
from harness.errors import BadOptionError, UnknownNameError
from harness.versions import same_release, version_key

RUNTIME = "runtime"
"""Kind of such a verdict."""


def compare_runtimes(
    grid: Grid,
    old: str,
    new: str,
    *,
    rules: Mapping[str, Rule],
    accepted: Sequence[Accepted] = (),
    material: float | None = None,
) -> list[Verdict]:
    """Return the verdicts on each version of the runtime *new* against *old* (:func:`counterpart`).

    :param rules, accepted, material: as for :func:`harness.analysis.judge.judge`
    :raises UsageError: the run has no such runtime, or both are one
    """
    groups = in_order(grid.judged)
    known = dict.fromkeys(group.cell.runtime for group in groups)
    for name in (old, new):
        if name not in known:
            raise UnknownNameError(f"--runtimes: these runs have no '{name}'; they have {', '.join(known)}")
    if old == new:
        raise BadOptionError(f"--runtimes: '{old}' is held against itself; name two runtimes")
    m = grid.run.manifest.matrix.material if material is None else material
    asked: list[Comparison] = []
    for group in groups:
        if group.is_aa or group.cell.runtime != new:
            continue
        if (other := counterpart(groups, group, old)) is not None:
            against = other.cell.release
            every = [*rules.values(), None]
            asked += [Comparison(rule, group, other, against, RUNTIME, grid.blocks, m) for rule in every]
    return with_accepted(finished(compare(asked)), accepted)


def counterpart(groups: Sequence[BuildGroup], group: BuildGroup, runtime: str) -> BuildGroup | None:
    """Return what *runtime* has to hold against *group*: the same network, common treatment and host.

    Of several the one of the same run and release, else the newest; fields that only one of them knows are
    left at their defaults where there is a choice.
    """
    found = [
        one
        for one in groups
        if one.cell.runtime == runtime
        and not one.is_aa
        and one.host == group.host
        and one.cell.network == group.cell.network
        and one.cell.treatment.common() == group.cell.treatment.common()
    ]
    found.sort(key=lambda one: version_key(one.cell.version), reverse=True)
    found.sort(
        key=lambda one: (one.pool != group.pool, _apart(one, group), bool(one.cell.treatment.own_label))
    )
    return found[0] if found else None


def _apart(one: BuildGroup, group: BuildGroup) -> bool:
    return not same_release(one.cell.version, group.cell.version)
