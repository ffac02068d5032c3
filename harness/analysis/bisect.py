"""Between which two neighbours in a list of versions did a verdict or the latency change?"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from harness.analysis.device import host_peaks, with_peaks
from harness.analysis.grid import grid_of
from harness.analysis.judge import judge
from harness.analysis.rules.base import Rule
from harness.analysis.table import INVALID, UNSUPPORTED, Change
from harness.analysis.verdict import Verdict
from harness.errors import NothingToCompareError
from harness.observations.records import CellObservation, RunObservation
from harness.store.documents.manifest import Manifest

Evaluate = Callable[[Sequence[str]], Sequence[CellObservation]]
"""Measures, or reads, the one cell of each version that it is given; those of one call side by side."""

Say = Callable[[str], None]

_CHANGES = frozenset({*map(str, Change)} - {str(Change.UNCHANGED)})


@dataclass(frozen=True)
class ChangeLocation:
    """Where the change is.

    :param before, after: the versions it lies between, None where there is no change or none can be told
    :param evaluated: versions whose cell was evaluated, in that order
    :param verdict: of *after* beside *before*, or of the last beside the first where nothing was found;
        None where fewer than two versions can run
    :param certain: False where the ends cannot be told apart, and where a version on the way could not be
        told from either end and was put to the nearer one
    :param cannot_run: version to the reason, of those that were tried and could not be measured
    :param neighbours: where the ends cannot be told apart and looking costs nothing, two neighbours that can
    """

    before: str | None
    after: str | None
    evaluated: tuple[str, ...]
    verdict: Verdict | None
    certain: bool
    reason: str
    cannot_run: Mapping[str, str] = field(default_factory=dict)
    neighbours: tuple[Verdict, ...] = ()


def most_evaluations(versions: int) -> int:
    """Return how many cells are evaluated at most: the two ends, then half of what is left each time."""
    return min(versions, 2 + (versions - 2).bit_length())


def check_versions(versions: Sequence[str]) -> None:
    """Refuse what cannot be bisected.

    :raises UsageError: fewer than two versions, or one named twice
    """
    if len(versions) < 2 or len(set(versions)) != len(versions):
        raise NothingToCompareError("bisect needs at least two versions, each named once")


def bisect(
    versions: Sequence[str],
    evaluate: Evaluate,
    bottleneck: str,
    *,
    rules: Mapping[str, Rule],
    say: Say = lambda _line: None,
    stored: bool = False,
) -> ChangeLocation:
    """Find two neighbours of *versions* between which the verdict on *bottleneck* changes.

    The two ends are evaluated first and together. Each version in the middle is held against both ends by
    the decision table and belongs to the one it is unchanged from; where it differs from both (there is more
    than one change) it belongs to the nearer, so that the larger step is followed. Where versions change back
    and forth, one of the changes is found. A version that cannot run here is stepped over, an end inwards,
    while the budget of :func:`most_evaluations` lasts.

    :param versions: in order, at least two, each once
    :param evaluate: asked for each version once at most
    :param bottleneck: name of a rule, or ``latency``
    :param say: told after each step where the change lies
    :param stored: evaluating costs nothing: where the ends cannot be told apart (one of them scatters, say),
        look at every two neighbours
    :raises UsageError: fewer than two versions, one named twice, or two that cannot be compared at all
    """
    check_versions(versions)
    return _Search(tuple(versions), evaluate, bottleneck, rules, say, stored).run()


@dataclass
class _Search:
    versions: tuple[str, ...]
    evaluate: Evaluate
    bottleneck: str
    rules: Mapping[str, Rule]
    say: Say
    stored: bool
    seen: dict[str, CellObservation] = field(default_factory=dict)
    certain: bool = True
    first: str = ""
    last: str = ""

    def run(self) -> ChangeLocation:
        self._look_at(self.versions[0], self.versions[-1])
        ends = self._ends()
        if ends is None:
            self.certain = False
            return self._location(None, None, None, f"cannot tell: {self._gap(0, len(self.versions))}")
        low, high = ends
        self.first, self.last = self.versions[low], self.versions[high]
        whole = self._between(self.first, self.last)
        if not self._differs(self.first, self.last):
            same = whole.verdict == Change.UNCHANGED
            word = "no change" if same else "cannot tell"
            self.certain = same
            reason = f"{word} from {self.first} to {self.last}: {whole.reason}"
            location = self._location(None, None, whole, reason)
            return self._with_neighbours(location) if self.stored and not same else location
        self.say(f"{self.last} beside {self.first}: {whole.verdict}: {whole.reason}")
        return self._narrow(low, high)

    def _with_neighbours(self, location: ChangeLocation) -> ChangeLocation:
        self._look_at(*(version for version in self.versions if version not in self.seen))
        there = [version for version in self.versions if has_run(self.seen[version])]
        pairs = [pair for pair in pairwise(there) if self._differs(*pair)]
        said = ", ".join(f"{old} to {new}" for old, new in pairs) or "none"
        return replace(
            location,
            evaluated=tuple(self.seen),
            reason=f"{location.reason}; neighbours that differ: {said}",
            neighbours=tuple(self._between(*pair) for pair in pairs),
        )

    def _narrow(self, low: int, high: int) -> ChangeLocation:
        while (middle := self._runnable_between(low, high)) is not None:
            version = self.versions[middle]
            low, high = (low, middle) if self._is_late(version) else (middle, high)
            self.say(f"with {version}: {self._where(low, high)}")
        before, after = self.versions[low], self.versions[high]
        step = self._between(before, after)
        reason = self._where(low, high)
        if gap := self._gap(low + 1, high):
            reason += f"; {gap}"
        if not self._differs(before, after):
            reason += f"; these two alone are {step.verdict}, so it may come in several steps"
        if not self.certain:
            reason += "; an indeterminate version on the way was put to the nearer end"
        return self._location(before, after, step, reason)

    def _where(self, low: int, high: int) -> str:
        return f"the change lies between {self.versions[low]} and {self.versions[high]}"

    def _gap(self, low: int, high: int) -> str:
        """Say why the versions from *low* up to *high* are of no help."""
        inside = self.versions[low:high]
        dead = [v for v in inside if v in self.seen and not has_run(self.seen[v])]
        left = [v for v in inside if v not in self.seen]
        parts = [f"{', '.join(dead)} cannot run here"] if dead else []
        parts += [f"{', '.join(left)} not looked at: {len(self.seen)} cells is the most"] if left else []
        return "; ".join(parts)

    def _location(
        self, before: str | None, after: str | None, verdict: Verdict | None, reason: str
    ) -> ChangeLocation:
        dead = {version: _why(cell) for version, cell in self.seen.items() if not has_run(cell)}
        return ChangeLocation(before, after, tuple(self.seen), verdict, self.certain, reason, dead)

    # which versions

    def _ends(self) -> tuple[int, int] | None:
        """Return the outermost two versions that can run, None when the budget or the list ends."""
        order = range(len(self.versions))
        low, high = self._first_runnable(order), self._first_runnable(reversed(order))
        return None if low is None or high is None or low >= high else (low, high)

    def _runnable_between(self, low: int, high: int) -> int | None:
        """Return the version nearest to the middle that can run, None when the budget or the list ends."""
        return self._first_runnable(sorted(range(low + 1, high), key=lambda i: abs(2 * i - low - high)))

    def _first_runnable(self, order: Iterable[int]) -> int | None:
        for index in order:
            if not self._affordable(index):
                return None
            if self._runs(index):
                return index
        return None

    def _affordable(self, index: int) -> bool:
        """Say whether a version was evaluated already, or may be."""
        return self.versions[index] in self.seen or len(self.seen) < most_evaluations(len(self.versions))

    def _runs(self, index: int) -> bool:
        version = self.versions[index]
        if version not in self.seen:
            self._look_at(version)
        return has_run(self.seen[version])

    def _look_at(self, *versions: str) -> None:
        self.seen.update(zip(versions, self.evaluate(versions), strict=True))

    # on which side

    def _is_late(self, version: str) -> bool:
        """Say whether *version* belongs to the last rather than to the first."""
        wrong, wrong_first, wrong_last = (is_wrong(self.seen[v]) for v in (version, self.first, self.last))
        # Wrong outputs outrank every time: nothing is compared with them.
        if wrong_first != wrong_last:
            return wrong == wrong_last
        if wrong:
            return True
        from_first = self._differs(self.first, version)
        to_last = self._differs(version, self.last)
        if from_first != to_last:
            # One of the two answers is enough; None is no answer.
            return bool(from_first) or to_last is False
        self.certain = self.certain and from_first is True
        a, b = (self._between(*pair).effect for pair in ((self.first, version), (version, self.last)))
        return a is not None and b is not None and abs(math.log(a)) > abs(math.log(b))

    def _differs(self, old: str, new: str) -> bool | None:
        """Say whether *new* changed from *old*, None where that cannot be told."""
        wrong = is_wrong(self.seen[old]), is_wrong(self.seen[new])
        if any(wrong):
            return None if all(wrong) else True
        word = self._between(old, new).verdict
        return True if word in _CHANGES else False if word == Change.UNCHANGED else None

    def _between(self, old: str, new: str) -> Verdict:
        """Return the verdict on *new* beside *old*, with the peaks of all cells that were evaluated."""
        peaks = host_peaks([RunObservation((), Manifest(), tuple(self.seen.values()))])
        run = with_peaks(RunObservation((), Manifest(), (self.seen[old], self.seen[new])), peaks)
        verdicts = [
            v
            for v in judge(grid_of(run), old, rules=self.rules)
            if v.bottleneck == self.bottleneck and v.version == new
        ]
        if len(verdicts) != 1 or not _compared(verdicts[0]):
            raise NothingToCompareError(
                f"{new} cannot be compared with {old} for '{self.bottleneck}': {_why_not_one(verdicts)}"
            )
        return verdicts[0]


def _why_not_one(verdicts: Sequence[Verdict]) -> str:
    """Say why *verdicts* on one version beside another are not a single answer."""
    hosts = list(dict.fromkeys(verdict.host for verdict in verdicts))
    groups = list(dict.fromkeys(verdict.group for verdict in verdicts if verdict.group))
    if len(hosts) > 1:
        return f"its builds are on several hosts: name one of {', '.join(hosts)}"
    if len(verdicts) > 1:
        return f"its builds are of {' and '.join(groups)}, which are not pooled: leave one out"
    return "no common host or bottleneck"


def _compared(verdict: Verdict) -> bool:
    return verdict.against is not None or verdict.verdict in (INVALID, UNSUPPORTED)


def has_run(cell: CellObservation) -> bool:
    """Say whether there is a build to judge, if only to say that its outputs are wrong."""
    return is_wrong(cell) or any(build.status == "ok" for build in cell.builds)


def is_wrong(cell: CellObservation) -> bool:
    """Say whether outputs of a build of *cell* are wrong."""
    return cell.status == INVALID or any(
        b.status == INVALID or (b.outputs is not None and not b.outputs.valid) for b in cell.builds
    )


def _why(cell: CellObservation) -> str:
    reasons = [cell.reason, *(build.reason for build in cell.builds)]
    return next((reason for reason in reasons if reason), cell.status)
