"""Build groups: the builds of one cell on one host that are repetitions of each other, and their values."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from harness.analysis.rules.base import Rule
from harness.analysis.series import Series, cost_series, latency_series
from harness.analysis.statistics.intervals import Interval, one_side
from harness.analysis.statistics.levels import drift
from harness.analysis.verdict import LATENCY, ONE_AFTER_THE_OTHER, SIDE_BY_SIDE
from harness.attribution.engine import AttributedEngine
from harness.matrix.cell import Cell
from harness.observations.identity import Identity
from harness.observations.records import LATENCY_PASS, BuildObservation

ONE_CACHE = "the builds share a timing cache: what a search for kernels adds to the spread is not in it"
"""Note on groups whose builds hand a timing cache on; the later ones repeat the first one's kernels."""


@dataclass(frozen=True, order=True)
class Release:
    """A version of a runtime: one column of a grid.

    :param repeat: of the second arm of an A/A pair
    :param group: what tells builds of it from others that are not pooled with them
    """

    runtime: str
    version: str
    repeat: str = ""
    group: str = ""

    @property
    def label(self) -> str:
        """``openvino 2024.6.0``, ``openvino 2024.6.0 (aa)``, ``openvino 2024.6.0 (docker)``."""
        return f"{self.runtime} {self.version}{self.arm}"

    @property
    def arm(self) -> str:
        """What stands behind the version, empty for nothing: `` (docker)``."""
        said = ", ".join(part for part in (self.repeat, self.group) if part)
        return f" ({said})" if said else ""


@dataclass(frozen=True)
class Latency:
    """The latency of a group, ms.

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


@dataclass(frozen=True)
class BuildGroup:
    """One cell on one host, of one identity: builds that may be averaged.

    :param name: what tells it from other groups of the cell on this host, empty where there are none
    :param identity: of its first build, None without builds
    :param status, reason: as :class:`harness.observations.records.CellObservation` has them
    :param observed: all of its builds, in their order
    """

    cell: Cell
    host: str
    status: str
    reason: str
    observed: tuple[BuildObservation, ...] = ()
    digest: str = "unknown"
    name: str = ""
    identity: Identity | None = None
    _series: dict[str, Series] = field(init=False, default_factory=dict, compare=False, repr=False)
    _counted: dict[str, Any] = field(init=False, default_factory=dict, compare=False, repr=False)

    @property
    def is_aa(self) -> bool:
        """Whether this is the second arm of an A/A pair."""
        return self.cell.repeat.startswith("aa")

    @property
    def started(self) -> str:
        """When its first build was started, as text that sorts; empty where that is not known."""
        started = [b.identity.started for b in self.observed if b.identity.started is not None]
        return min(started).isoformat() if started else ""

    @property
    def pool(self) -> str:
        """What its builds share with those that are replicates of them, empty without builds."""
        return "" if self.identity is None else self.identity.pool

    @property
    def release(self) -> Release:
        """Its column."""
        return Release(self.cell.runtime, self.cell.version, self.cell.repeat, self.name)

    @cached_property
    def good(self) -> tuple[BuildObservation, ...]:
        """The builds that may be looked at: measured or recorded, outputs not found wrong."""
        return tuple(b for b in self.observed if is_good(b))

    @cached_property
    def timed_engines(self) -> tuple[AttributedEngine, ...]:
        """The engines of the good builds that hold layer times."""
        return tuple(b.engine for b in self.good if b.engine is not None and b.engine.total_ms > 0)

    @cached_property
    def typical_build(self) -> BuildObservation | None:
        """The good build whose layer time is in the middle, None where none has layer times."""
        timed = [(b.engine.total_ms, b) for b in self.good if b.engine is not None and b.engine.total_ms > 0]
        return sorted(timed, key=lambda row: row[0])[(len(timed) - 1) // 2][1] if timed else None

    @cached_property
    def latency(self) -> Latency:
        """The latency over the good builds."""
        return latency_over(self.good)

    @property
    def measured(self) -> str | None:
        """How its good builds were measured: ``side by side`` with others, or not; None without any."""
        if not self.latency.builds:
            return None
        beside = all(build.latency_pass in build.in_block for build in self.good if build.latency_ms)
        return SIDE_BY_SIDE if beside else ONE_AFTER_THE_OTHER

    @property
    def launch_bound(self) -> tuple[int, int]:
        """Good builds that launching bounds, and those that say whether it does."""
        said = [build.launch_bound for build in self.good if build.launch_bound is not None]
        return sum(said), len(said)

    def judged_by(self, name: str) -> BuildGroup:
        """Return the group with the pass *name* as the latency of each build."""
        builds = tuple(replace(build, latency_pass=name) for build in self.observed)
        return replace(self, observed=builds)

    # what is judged

    @property
    def is_judged(self) -> bool:
        """Whether there is anything to judge: builds that tried tensor formats are many engines each."""
        return not self.observed or any(not build.trials for build in self.observed)

    @cached_property
    def builds(self) -> tuple[BuildObservation, ...]:
        """The builds that are judged: good, of one engine, not throttled most of the time."""
        return tuple(b for b in self.observed if counts(b))

    @cached_property
    def drift(self) -> float | None:
        """Relative change of the latency a round, None below three builds."""
        by_round = sorted(self.builds, key=lambda build: build.round)
        return drift([build.latency_ms for build in by_round if build.latency_ms])

    @cached_property
    def throttled(self) -> int:
        """Number of good builds left out, mostly throttled."""
        return sum(not build.trials for build in self.good) - len(self.builds)

    @cached_property
    def invalid(self) -> int:
        """Number of builds with outputs out of bounds."""
        wrong = sum(not b.trials and (b.status == "invalid" or _wrong(b)) for b in self.observed)
        # Without an outputs check a cell may still be called invalid as a whole by who measured it.
        return wrong or int(self.status == "invalid")

    @property
    def problem(self) -> str:
        """Why it, or a build of it, could not run; empty where nothing is said."""
        reasons = (b.reason for b in self.observed if b.status != "ok" and not b.trials)
        return next((text for text in (self.reason, *reasons) if text), "")

    def series(self, rule: Rule | None) -> Series:
        """Return the values of *rule*, of the latency for None; computed once."""
        key = LATENCY if rule is None else rule.name
        if key not in self._series:
            made = latency_series(self.builds) if rule is None else cost_series(self.builds, rule)
            if len(made.values) > 1 and (notes := spread_notes(self.cell)):
                made = replace(made, notes=(*made.notes, *notes))
            self._series[key] = made
        return self._series[key]


def spread_notes(cell: Cell) -> tuple[str, ...]:
    """Return what has to be known of the spread of builds of *cell*."""
    return (ONE_CACHE,) if cell.treatment.timing_cache == "on" else ()


def is_good(build: BuildObservation) -> bool:
    """Say whether *build* may be looked at: measured or recorded, outputs not found wrong."""
    return build.status == "ok" and not _wrong(build)


def counts(build: BuildObservation) -> bool:
    """Say whether *build* is judged: good, of one engine, not throttled most of the time."""
    return is_good(build) and not build.trials and not _mostly_throttled(build)


def latency_over(builds: Iterable[BuildObservation]) -> Latency:
    """Return the latency over *builds*, those without one left out."""
    values = tuple(build.latency_ms for build in builds if build.latency_ms is not None)
    return Latency(values, mean_of_builds(values), one_side(values))


def mean_of_builds(values: tuple[float, ...]) -> float | None:
    """Return the mean over builds as latencies are averaged, on the logarithm; None of nothing."""
    interval = one_side(values)
    return interval.estimate if interval else (values[0] if values else None)


def _wrong(build: BuildObservation) -> bool:
    return build.outputs is not None and not build.outputs.valid


def _mostly_throttled(build: BuildObservation) -> bool:
    latency = build.passes.get(LATENCY_PASS)
    return build.throttled > (0 if latency is None else latency.size)
