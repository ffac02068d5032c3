"""Where to spend what is left of a budget: another build, another process, or more cycles.

Looks at the width of an interval and at what its levels cost, never at the estimate: a rule that stops when
it likes what it sees makes alarms. So nothing here is given a sign.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import msgspec

from harness.analysis.statistics.components import Components, Repetitions
from harness.analysis.statistics.intervals import CONFIDENCE, t_quantile

FIRST = 3
"""Builds a side (or processes, of one engine) before the first look: fewer know their spread too badly."""

DEGREES = 8.0
"""Degrees of freedom below which a narrow interval is no reason to stop: it may be narrow by chance."""

BUILDS = (0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 15, 20, 30, 40)
PROCESSES = (0, 1, 2, 3, 5, 8, 12, 20, 40)
CYCLES = (0.0, 0.5, 1.0, 3.0, 7.0, 15.0)
"""More of each (cycles: times those there are) that are looked at; beyond them nothing is promised."""


@dataclass(frozen=True)
class Costs:
    """What one more of each costs, in seconds, everything included (build, start, warm-up, slices).

    Infinite where no more can be made.

    :param build: a build of one side with its processes and their slices
    :param process: a process of one build with its slices
    :param cycle: a slice of one process
    """

    build: float
    process: float
    cycle: float


class Situation(msgspec.Struct, frozen=True):
    """What is known of one comparison.

    :param old, new: how often each side is repeated
    :param degrees: degrees of freedom of the interval as it is
    :param joined: variance that no repetition here narrows (an anchor between sub-blocks)
    """

    components: Components
    old: Repetitions
    new: Repetitions
    degrees: float
    joined: float = 0.0

    def half_width(self, confidence: float = CONFIDENCE) -> float:
        """Return half the width that an interval of *confidence* is expected to have, on the logarithm.

        Infinite without degrees of freedom.
        """
        if self.degrees <= 0:
            return math.inf
        variance = self.components.variance(self.old) + self.components.variance(self.new) + self.joined
        return t_quantile(0.5 + confidence / 2, self.degrees) * math.sqrt(variance)

    def after(self, step: Step) -> Situation:
        """Return what is to be expected after *step*, with the spread as it is."""
        more = 2.0 * step.builds
        if self.components.build is None:
            more = step.processes * (self.old.builds + self.new.builds)
        old, new = step.on(self.old), step.on(self.new)
        return Situation(self.components, old, new, self.degrees + more, self.joined)


class Step(NamedTuple):
    """What to do next for one comparison.

    :param builds: more builds, on each side
    :param processes: more processes, of each build
    :param cycles: more cycles, of each process
    :param seconds: what it costs
    """

    builds: int = 0
    processes: int = 0
    cycles: int = 0
    seconds: float = 0.0

    def on(self, side: Repetitions) -> Repetitions:
        """Return the repetitions of a side after this step."""
        return Repetitions(
            side.builds + self.builds, side.processes + self.processes, side.cycles + self.cycles
        )

    @property
    def words(self) -> str:
        """The step for people: ``about 4 more builds a side, 6 minutes``."""
        parts = [
            (self.builds, "build", " a side"),
            (self.processes, "process", " a build"),
            (self.cycles, "cycle", ""),
        ]
        named = [f"{n} more {_plural(word, n)}{where}" for n, word, where in parts if n]
        return f"about {' and '.join(named)}, {_duration(self.seconds)}"


def next_step(
    now: Situation,
    precision: float,
    costs: Costs,
    seconds: float,
    confidence: float = CONFIDENCE,
    degrees: float = DEGREES,
) -> Step | None:
    """Return what to do next, None where the interval is narrow enough or nothing helps within *seconds*.

    The cheapest way to the width asked for is taken by halves: the spread that it rests on is an estimate,
    and is looked at again after each step. Where the whole way is too dear: what narrows most for its price.

    Builds of which no spread is known yet (one a side) are brought to :data:`FIRST` a side.

    :param precision: half the width asked for, on the logarithm; :param seconds: left of the budget
    :param degrees: degrees of freedom below which no interval is narrow enough
    """
    width = now.half_width(confidence)
    if width <= precision and now.degrees >= degrees:
        return None
    if now.components.build is not None and not math.isfinite(width):
        return _first_builds(now, costs, seconds)
    way = what_would_settle(now, precision, costs, confidence, degrees)
    if way is not None and way.seconds <= seconds:
        half = Step(*(-(-n // 2) for n in (way.builds, way.processes, way.cycles)))
        return _priced(now, half, costs)
    best, gain = None, 0.0
    for step in _single(now):
        priced = _priced(now, step, costs)
        if priced.seconds > seconds:
            continue
        after = now.after(priced).half_width(confidence)
        # two infinite widths: nothing gained
        found = math.log(width / after) / max(priced.seconds, 1e-9) if after < width else 0.0
        if found > gain:
            best, gain = priced, found
    return best


def _first_builds(now: Situation, costs: Costs, seconds: float) -> Step | None:
    """Return the builds without which no spread is known, as many of them as there is time for."""
    for builds in range(FIRST - min(now.old.builds, now.new.builds), 0, -1):
        priced = _priced(now, Step(builds=builds), costs)
        if priced.seconds <= seconds:
            return priced
    return None


def what_would_settle(
    now: Situation,
    half_width: float,
    costs: Costs,
    confidence: float = CONFIDENCE,
    degrees: float = 0.0,
) -> Step | None:
    """Return the cheapest step after which the interval is expected to be as narrow as *half_width*.

    None where not even 40 more builds and processes and sixteen times the cycles would do (the answer lies at
    the margin itself, or a joined error is in the way). A step of nothing where it is narrow already.

    :param half_width: on the logarithm, above 0 to be reached
    :param degrees: degrees of freedom asked for besides
    """
    if now.half_width(confidence) <= half_width and now.degrees >= degrees:
        return Step()
    floor = t_quantile(0.5 + confidence / 2, 1e6) * math.sqrt(now.joined)
    if half_width <= floor:
        return None

    def reached(step: Step) -> bool:
        after = now.after(step)
        return after.degrees >= degrees and after.half_width(confidence) <= half_width

    best: tuple[float, Step] | None = None
    for builds, processes, cycles in _ways(now, costs):
        # more builds only narrow: the fewest that are enough are the cheapest
        fewest = bisect_left(builds, True, key=lambda n: reached(Step(n, processes, cycles)))
        if fewest < len(builds):
            priced = _priced(now, Step(builds[fewest], processes, cycles), costs)
            if best is None or (priced.seconds, priced) < best:
                best = priced.seconds, priced
    return None if best is None else best[1]


def _ways(now: Situation, costs: Costs) -> Iterator[tuple[Sequence[int], int, int]]:
    """Yield what may be made more of: numbers of builds, with processes and cycles each."""
    cycles = max(now.old.cycles, now.new.cycles)
    possible = now.components.build is not None and math.isfinite(costs.build)
    for processes in PROCESSES if math.isfinite(costs.process) else (0,):
        for factor in CYCLES if math.isfinite(costs.cycle) else (0.0,):
            yield BUILDS if possible else (0,), processes, round(cycles * factor)


def _single(now: Situation) -> Iterator[Step]:
    if now.components.build is not None:
        yield Step(builds=1)
    yield Step(processes=1)
    yield Step(cycles=max(1, round(max(now.old.cycles, now.new.cycles) * 0.5)))


def _priced(now: Situation, step: Step, costs: Costs) -> Step:
    """Return *step* with its price: new builds get as many processes and cycles as the others then have."""
    builds = now.old.builds + now.new.builds
    processes = now.old.builds * now.old.processes + now.new.builds * now.new.processes
    total = _times(step.processes * builds, costs.process)
    total += _times(step.cycles * (processes + step.processes * builds), costs.cycle)
    if step.builds:
        extra = _times(step.processes, costs.process)
        most = max(now.old.processes, now.new.processes) + step.processes
        extra += _times(step.cycles * most, costs.cycle)
        total += 2 * step.builds * (costs.build + extra)
    return Step(step.builds, step.processes, step.cycles, total)


def _times(count: int, cost: float) -> float:
    """Return what *count* cost: none of what cannot be made costs nothing."""
    return count * cost if count else 0.0


def _plural(word: str, count: int) -> str:
    if count == 1:
        return word
    return f"{word}es" if word.endswith("s") else f"{word}s"


def _duration(seconds: float) -> str:
    if seconds < 60:
        return f"{max(1, round(seconds))} seconds" if round(seconds) > 1 else "1 second"
    minutes = round(seconds / 60)
    return "1 minute" if minutes == 1 else f"{minutes} minutes"
