"""One question's values over the builds of a group: latencies, or the costs of a rule."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from operator import itemgetter

import numpy as np

from harness.analysis.rules.base import Cost, Rule
from harness.analysis.rules.carriers import carrier_times, timed_engine
from harness.analysis.statistics.intervals import Interval, one_side
from harness.analysis.statistics.levels import Values
from harness.analysis.table import MINIMUM_BUILDS, RESOLUTION
from harness.attribution.engine import AttributedEngine, LayerRole
from harness.errors import PluginError
from harness.observations.records import BuildObservation
from harness.remembering import once_each

REFORMATS = "all reformats"
"""Carrier of a change of latency: all reformats of an engine that run."""


@dataclass(frozen=True)
class Series:
    """One question's values over the builds of a group.

    :param values: milliseconds, one a build; :param totals: layer time of each of these builds, ms
    :param signed: of a cost, ms, what differences are made of (:class:`Cost`)
    :param shares: e of each build, None where a build has none
    :param layers: carrier name to milliseconds, one mapping a build
    :param evidence: of each build
    :param blocks: that each value was measured in, of a cost
    :param missing: builds whose evidence cannot tell
    :param notes: what has to be said beside the values, each once
    :param problem: why there is none, where the rule itself failed
    """

    values: tuple[float, ...]
    totals: tuple[float, ...] = ()
    signed: tuple[float, ...] = ()
    shares: tuple[float, ...] | None = None
    layers: tuple[Mapping[str, float], ...] = ()
    evidence: tuple[Mapping[str, object], ...] = ()
    blocks: tuple[str, ...] = ()
    missing: int = 0
    notes: tuple[str, ...] = ()
    problem: str = ""

    @cached_property
    def share(self) -> Interval | None:
        """e over the builds with its interval, None for fewer than two or where a build has none."""
        if self.shares is None or len(self.shares) < MINIMUM_BUILDS:
            return None
        return one_side(np.maximum(self.shares, RESOLUTION))

    @cached_property
    def carriers(self) -> tuple[tuple[str, ...], Values]:
        """Names of the carriers of any build, and their milliseconds, shape (carriers, builds).

        A carrier missing from a build took no time in it.
        """
        names = tuple(dict.fromkeys([name for build in self.layers for name in build]))
        if len(names) > 1 and all(len(build) == len(names) for build in self.layers):
            # most builds of a group have the same carriers
            rows: list[Iterable[float]] = list(map(itemgetter(*names), self.layers))
        else:
            rows = [[build.get(name, 0.0) for name in names] for build in self.layers]
        times = np.array(rows, dtype=np.float64).reshape(len(self.layers), len(names))
        # by carrier in memory too, as the sums over builds are made
        return names, np.ascontiguousarray(times.T)

    @cached_property
    def columns(self) -> Mapping[str, list[object]]:
        """The evidence by key, one value a build: adoption and counts are distributions over builds."""
        keys = dict.fromkeys(key for build in self.evidence for key in build)
        return {key: [build.get(key) for build in self.evidence] for key in keys}

    def at_least(self, floor: float) -> Values:
        """Return the values, those below *floor* raised to it, so that all have a logarithm."""
        return np.maximum(self.values, floor)


def latency_series(builds: Iterable[BuildObservation]) -> Series:
    """Return the latencies of *builds*, those without one counted as missing."""
    values = [(b, b.latency_ms) for b in builds]
    timed = [(b, ms) for b, ms in values if ms is not None and ms > 0]
    return Series(
        values=tuple(ms for _, ms in timed),
        layers=tuple(_all_layers(b) for b, _ in timed),
        evidence=tuple({"throttled_samples": b.throttled, "samples": _size(b)} for b, _ in timed),
        missing=len(values) - len(timed),
    )


def _size(build: BuildObservation) -> int:
    samples = build.passes.get(build.latency_pass)
    return 0 if samples is None else int(samples.size)


def _all_layers(build: BuildObservation) -> Mapping[str, float]:
    """Return the layers that carry the latency: reformats as one, since a reformat that moves is no gain.

    Which stands where differs between engines of one version; the rule on reformats tells them apart.
    """
    engine = timed_engine(build)
    return {} if engine is None else _carried(engine)


@once_each
def _carried(engine: AttributedEngine) -> Mapping[str, float]:
    apart = (LayerRole.NO_OP, LayerRole.REFORMAT)
    times = carrier_times([layer for layer in engine.layers if layer.role not in apart])
    moved = carrier_times(engine.by_role.get(LayerRole.REFORMAT, ()))
    return {**times, REFORMATS: sum(moved.values())} if moved else times


def cost_series(builds: Iterable[BuildObservation], rule: Rule) -> Series:
    """Return the costs of *rule* over *builds*."""
    costs: list[tuple[BuildObservation, Cost]] = []
    missing = 0
    for build in builds:
        try:
            cost = rule.cost(build)
        except PluginError as error:
            return Series(values=(), problem=str(error))
        if cost is None:
            missing += 1
        else:
            costs.append((build, cost))
    shares = [cost.share for _, cost in costs]
    return Series(
        values=tuple(cost.milliseconds for _, cost in costs),
        totals=tuple(b.engine.total_ms for b, _ in costs if b.engine is not None),
        signed=tuple(cost.milliseconds if cost.signed is None else cost.signed for _, cost in costs),
        shares=tuple(s for s in shares if s is not None) if None not in shares and shares else None,
        layers=tuple(dict(cost.layers) for _, cost in costs),
        evidence=tuple(cost.evidence for _, cost in costs),
        blocks=tuple(b.block for b, _ in costs),
        missing=missing,
        notes=tuple(dict.fromkeys(cost.note for _, cost in costs if cost.note)),
    )
