"""What a version is compared with: the one before it, a declared one, or a stored run."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from packaging.version import InvalidVersion, Version

from harness.analysis.arms import Arm, arms_of
from harness.errors import UsageError
from harness.matrix.file import PREVIOUS
from harness.observations.records import RunObservation


def version_key(version: str) -> tuple[int, Version | tuple[int, ...], str]:
    """Return a key that sorts versions by age; what is no PEP 440 version comes first, by its numbers."""
    try:
        return (1, Version(version), version)
    except InvalidVersion:
        return (0, tuple(int(x) for x in re.findall(r"\d+", version)), version)


class Baseline:
    """How the old side of each arm of a run is found.

    :param wanted: ``previous``, a version (``8.5.3.1`` or ``tensorrt 8.5.3.1``) or an observed run
    :param arms: all arms of the run that is judged
    :raises UsageError: a version that none of *arms* has, or a run that has nothing to compare them with
    """

    def __init__(self, wanted: str | RunObservation, arms: Sequence[Arm]) -> None:
        self._own = _by_line(arms)
        self._stored = None if isinstance(wanted, str) else _by_line(arms_of(wanted))
        self.name = baseline_name(wanted)
        if self._stored is not None and not any(self._in_both(arm) for arm in arms):
            raise UsageError(
                f"baseline '{self.name}': nothing of these runs' networks, treatments and runtimes "
                "on their hosts is in it"
            )
        if self._stored is None and self.name != PREVIOUS and not any(self._is(arm) for arm in arms):
            known = sorted({arm.cell.version for arm in arms}, key=version_key)
            raise UsageError(
                f"baseline '{self.name}' is no version of these runs; say 'previous', the folder of a run, "
                f"or one of {', '.join(known) or 'none'}"
            )

    def _in_both(self, arm: Arm) -> bool:
        """Whether there are builds of *arm*'s kind in the stored run; a cell without builds is on no host."""
        stored = self._stored or {}
        return bool(arm.builds) and any(known.builds for known in stored.get(_line(arm), []))

    def find(self, new: Arm) -> Arm | None:
        """Return the old side of *new*, None where it has none.

        Always of the same runtime, subject and host. An A/A arm is compared with its twin in its own run.
        """
        own = self._own.get(_line(new), [])
        if new.is_aa:
            return next((x for x in own if x.cell.version == new.cell.version and not x.is_aa), None)
        if self._stored is not None:
            rivals = [x for x in self._stored.get(_line(new), []) if not x.is_aa]
            same = [x for x in rivals if x.cell.version == new.cell.version]
            return _closest(same, new) or _newest_before(rivals, new)
        rivals = [x for x in own if not x.is_aa and x.cell.version != new.cell.version]
        if self.name == PREVIOUS:
            return _newest_before(rivals, new)
        return None if self._is(new) else _closest([x for x in rivals if self._is(x)], new)

    def label(self, old: Arm) -> str:
        """Return what *old* is called in a verdict: its version, with the run's name for a stored one."""
        stored = self._stored is not None and not any(old is x for x in self._own.get(_line(old), []))
        return f"{old.cell.version} of {self.name}" if stored else old.cell.version

    def _is(self, arm: Arm) -> bool:
        return self.name in (arm.cell.version, f"{arm.cell.runtime} {arm.cell.version}")


def baseline_name(wanted: str | RunObservation) -> str:
    """Return what a baseline is called in messages: the word, the version or the stored runs' folders."""
    if isinstance(wanted, str):
        return wanted
    return ", ".join(path.name for path in wanted.runs) or "stored run"


def _by_line(arms: Iterable[Arm]) -> dict[tuple[str, str, str], list[Arm]]:
    lines: dict[tuple[str, str, str], list[Arm]] = {}
    for arm in arms:
        lines.setdefault(_line(arm), []).append(arm)
    return lines


def _line(arm: Arm) -> tuple[str, str, str]:
    return arm.cell.runtime, arm.cell.subject, arm.host


def _newest_before(rivals: Sequence[Arm], new: Arm) -> Arm | None:
    older = [x for x in rivals if version_key(x.cell.version) < version_key(new.cell.version)]
    newest = max((version_key(x.cell.version) for x in older), default=None)
    return _closest([x for x in older if version_key(x.cell.version) == newest], new)


def _closest(arms: Sequence[Arm], new: Arm) -> Arm | None:
    """Of arms of one version the one in the same environment, else the first."""
    twins = [
        x for x in arms if (x.cell.repeat, x.cell.environment) == (new.cell.repeat, new.cell.environment)
    ]
    return next(iter([*twins, *arms]), None)
