"""What a version is compared with: the one before it, a declared one, or a stored run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from harness.analysis.grid import Grid
from harness.analysis.groups import BuildGroup
from harness.errors import NoSuchVersionError, NothingToCompareError, did_you_mean
from harness.matrix.file import PREVIOUS
from harness.versions import version_key


class Baseline:
    """How the old side of each group of a run is found.

    :param wanted: ``previous``, a version (``8.5.3.1`` or ``tensorrt 8.5.3.1``) or the grid of a stored run
    :param groups: those of the run that is judged
    :raises UsageError: a version that none of *groups* has, or a run that has nothing to compare them with
    """

    def __init__(self, wanted: str | Grid, groups: Sequence[BuildGroup]) -> None:
        self._own = _by_line(groups)
        self._stored = None if isinstance(wanted, str) else _by_line(wanted.judged)
        self.name = baseline_name(wanted)
        if self._stored is not None and not any(self._in_both(group) for group in groups):
            raise NothingToCompareError(
                f"baseline '{self.name}': nothing of these runs' networks, treatments and runtimes "
                "on their hosts is in it"
            )
        if self._stored is None and self.name != PREVIOUS and not any(self._is(group) for group in groups):
            known = sorted({group.cell.version for group in groups}, key=version_key)
            raise NoSuchVersionError(
                f"baseline '{self.name}' is no version of these runs{did_you_mean(self.name, known)}; "
                f"say 'previous', the folder of a run, or one of {', '.join(known) or 'none'}"
            )

    def _in_both(self, group: BuildGroup) -> bool:
        """Whether there are builds of *group*'s kind in the stored run."""
        stored = self._stored or {}
        return bool(group.builds) and any(known.builds for known in stored.get(_line(group), []))

    def find(self, new: BuildGroup) -> BuildGroup | None:
        """Return the old side of *new*, None where it has none.

        Always of the same runtime, subject and host. An A/A arm is compared with its twin in its own run.
        """
        own = self._own.get(_line(new), [])
        if new.is_aa:
            return _closest([x for x in own if x.cell.version == new.cell.version and not x.is_aa], new)
        if self._stored is not None:
            rivals = [x for x in self._stored.get(_line(new), []) if not x.is_aa]
            same = [x for x in rivals if x.cell.version == new.cell.version]
            return _closest(same, new) or _newest_before(rivals, new)
        rivals = [x for x in own if not x.is_aa and x.cell.version != new.cell.version]
        if self.name == PREVIOUS:
            return _newest_before(rivals, new)
        return None if self._is(new) else _closest([x for x in rivals if self._is(x)], new)

    def earlier(self, new: BuildGroup) -> BuildGroup | None:
        """Return the last group of the same cell and host that was built before *new*, None for no such.

        Another run of it, or another environment or driver: what is not pooled is compared.
        """
        own = [x for x in self._own.get(_line(new), []) if x.cell.id == new.cell.id and x.observed]
        # Those of a line are sorted by their start.
        place = next((place for place, group in enumerate(own) if group is new), 0)
        return own[place - 1] if place else None

    def elsewhere(self, new: BuildGroup) -> BuildGroup | None:
        """Return the same version of the same run in its first environment, None where *new* is in that.

        What differs between them is what the environment costs: a container beside a virtual environment.
        """
        if new.is_aa or new.cell.repeat != new.cell.environment or new.identity is None:
            return None
        own = self._own.get(_line(new), [])
        first = [x for x in own if x.cell.version == new.cell.version and not x.cell.repeat and x.identity]
        same = [x for x in first if x.identity is not None and x.identity.run == new.identity.run]
        return next((x for x in same if x.cell.environment != new.cell.environment), None)

    def label(self, old: BuildGroup) -> str:
        """Return what *old* is called in a verdict: its version, with the run's name for a stored one."""
        stored = self._stored is not None and not any(old is x for x in self._own.get(_line(old), []))
        name = f"{old.cell.version} ({old.name})" if old.name else old.cell.version
        return f"{name} of {self.name}" if stored else name

    def _is(self, group: BuildGroup) -> bool:
        return self.name in (group.cell.version, f"{group.cell.runtime} {group.cell.version}")


def baseline_name(wanted: str | Grid) -> str:
    """Return what a baseline is called in messages: the word, the version or the stored runs' folders."""
    if isinstance(wanted, str):
        return wanted
    return ", ".join(path.name for path in wanted.run.runs) or "stored run"


def _by_line(groups: Iterable[BuildGroup]) -> dict[tuple[str, str, str], list[BuildGroup]]:
    lines: dict[tuple[str, str, str], list[BuildGroup]] = {}
    for group in groups:
        lines.setdefault(_line(group), []).append(group)
    return lines


def _line(group: BuildGroup) -> tuple[str, str, str]:
    return group.cell.runtime, group.cell.subject, group.host


def _newest_before(rivals: Sequence[BuildGroup], new: BuildGroup) -> BuildGroup | None:
    older = [x for x in rivals if version_key(x.cell.version) < version_key(new.cell.version)]
    newest = max((x.cell.version for x in older), key=version_key, default="")
    # A release may be there under several names, `8.5.3.1` and an image `8.5.3.1+stand-in-2022`: the one in
    # the environment of *new* differs in the release alone.
    same = [x for x in older if _release(x) == newest.partition("+")[0] and _place(x) == _place(new)]
    newest = max((x.cell.version for x in same), key=version_key, default=newest)
    return _closest([x for x in older if version_key(x.cell.version) == version_key(newest)], new)


def _release(group: BuildGroup) -> str:
    return group.cell.version.partition("+")[0]


def _place(group: BuildGroup) -> tuple[str, str]:
    return group.cell.repeat, group.cell.environment


def _closest(groups: Sequence[BuildGroup], new: BuildGroup) -> BuildGroup | None:
    """Of groups of one version the one in the same environment, of the same run, else the first."""

    def alike(group: BuildGroup) -> tuple[bool, bool]:
        return _place(group) == _place(new), group.pool == new.pool

    return max(groups, key=alike, default=None)
