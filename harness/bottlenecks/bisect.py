"""Between which two neighbours in a list of versions did a verdict or the latency change?"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from harness.bottlenecks.base import Rule
from harness.bottlenecks.judge import judge
from harness.bottlenecks.table import INVALID, UNSUPPORTED, Change
from harness.bottlenecks.verdict import Verdict, verdict_message
from harness.errors import UsageError
from harness.layers.observation import CellObservation, RunObservation

Evaluate = Callable[[str], CellObservation]
"""Measures, or reads, the one cell of a version."""

_CHANGED = frozenset({*map(str, Change), INVALID} - {str(Change.UNCHANGED)})


@dataclass(frozen=True)
class Found:
    """Where the change is.

    :param before, after: the versions it lies between, None where there is no change or none can be told
    :param evaluated: versions whose cell was evaluated, in that order
    :param verdict: of *after* beside *before*, or of the last beside the first where nothing was found
    :param certain: False where a verdict on the way was indeterminate and the nearer end was taken
    """

    before: str | None
    after: str | None
    evaluated: tuple[str, ...]
    verdict: Verdict | None
    certain: bool
    reason: str


def most_evaluations(versions: int) -> int:
    """Return how many cells are evaluated at most: the two ends, then half of what is left each time."""
    return 2 + math.ceil(math.log2(versions - 1)) if versions > 2 else versions


def bisect(
    versions: Sequence[str], evaluate: Evaluate, bottleneck: str, *, rules: Mapping[str, Rule] | None = None
) -> Found:
    """Find two neighbours of *versions* between which the verdict on *bottleneck* changes.

    Each version is compared with the first by the decision table; where that cannot tell, with the last.
    Where versions change back and forth, one of the changes is found. A version that cannot run here is
    stepped over while the budget of :func:`most_evaluations` lasts.

    :param versions: in order, at least two, each once
    :param evaluate: called once a version at most
    :param bottleneck: name of a rule, or ``latency``
    :raises UsageError: fewer than two versions, or one named twice
    """
    if len(versions) < 2 or len(set(versions)) != len(versions):
        raise UsageError("bisect needs at least two versions, each named once")
    return _Search(tuple(versions), evaluate, bottleneck, rules).run()


@dataclass
class _Search:
    versions: tuple[str, ...]
    evaluate: Evaluate
    bottleneck: str
    rules: Mapping[str, Rule] | None
    seen: dict[str, CellObservation] = field(default_factory=dict)
    certain: bool = True

    def run(self) -> Found:
        first, last = self.versions[0], self.versions[-1]
        whole = self._between(first, last)
        if whole.verdict not in _CHANGED:
            word = "no change" if whole.verdict == Change.UNCHANGED else "cannot tell"
            return self._found(None, None, whole, f"{word} from {first} to {last}: {whole.reason}")
        low, high = 0, len(self.versions) - 1
        while high - low > 1:
            middle = self._runnable_between(low, high)
            if middle is None:
                break
            low, high = (low, middle) if self._has_changed(middle) else (middle, high)
        before, after = self.versions[low], self.versions[high]
        step = self._between(before, after)
        skipped = self.versions[low + 1 : high]
        reason = f"the change lies between {before} and {after}"
        reason += f"; {', '.join(skipped)} cannot run here or was not looked at" if skipped else ""
        reason += "" if self.certain else "; an indeterminate version on the way was put to the nearer end"
        return self._found(before, after, step, reason)

    def _found(self, before: str | None, after: str | None, verdict: Verdict, reason: str) -> Found:
        return Found(before, after, tuple(self.seen), verdict, self.certain, reason)

    def _runnable_between(self, low: int, high: int) -> int | None:
        """Return the version nearest to the middle that can run, None when the budget or the list ends."""
        middle = (low + high) // 2
        for index in sorted(range(low + 1, high), key=lambda i: abs(i - middle)):
            version = self.versions[index]
            if version not in self.seen and len(self.seen) >= most_evaluations(len(self.versions)):
                return None
            if self._between(self.versions[0], version).verdict != UNSUPPORTED:
                return index
        return None

    def _has_changed(self, index: int) -> bool:
        version = self.versions[index]
        from_first = self._between(self.versions[0], version)
        if from_first.verdict in _CHANGED:
            return True
        if from_first.verdict == Change.UNCHANGED:
            return False
        to_last = self._between(version, self.versions[-1])
        if to_last.verdict == Change.UNCHANGED:
            return True
        if to_last.verdict in _CHANGED:
            return False
        self.certain = False
        a, b = from_first.effect, to_last.effect
        return a is not None and b is not None and a > 0 and b > 0 and abs(math.log(a)) > abs(math.log(b))

    def _between(self, old: str, new: str) -> Verdict:
        run = RunObservation((), {}, (self._cell(old), self._cell(new)))
        found = [
            v
            for v in judge(run, old, rules=self.rules)
            if v.bottleneck == self.bottleneck and v.version == new
        ]
        if len(found) != 1 or (found[0].against is None and found[0].verdict not in (INVALID, UNSUPPORTED)):
            raise UsageError(
                f"{new} cannot be compared with {old} for '{self.bottleneck}': "
                + ("no common host, or no such bottleneck" if len(found) < 2 else "several hosts: name one")
            )
        return found[0]

    def _cell(self, version: str) -> CellObservation:
        if version not in self.seen:
            self.seen[version] = self.evaluate(version)
        return self.seen[version]


def found_as_json(found: Found) -> dict[str, object]:
    """Return the JSON form (schema ``trtmatrix.bisect/1``)."""
    return {
        "schema": "trtmatrix.bisect/1",
        "before": found.before,
        "after": found.after,
        "certain": found.certain,
        "evaluated": list(found.evaluated),
        "reason": found.reason,
        "verdict": None if found.verdict is None else found.verdict.as_json(),
    }


def found_message(found: Found) -> str:
    """Return what was found, for people."""
    lines = [f"{found.reason} ({len(found.evaluated)} cells evaluated: {', '.join(found.evaluated)})"]
    if found.before is not None and found.verdict is not None:
        lines.append(verdict_message(found.verdict))
    return "\n".join(lines)
