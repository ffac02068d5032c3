"""Arms: the builds of one cell on one host, reduced to one number a build and question."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from harness.analysis.rules.base import Cost, Rule
from harness.analysis.rules.carriers import carrier_times, timed_engine
from harness.analysis.statistics.levels import Values
from harness.analysis.verdict import LATENCY
from harness.attribution.engine import LayerRole
from harness.matrix.cell import Cell
from harness.observations.records import LATENCY_PASS, BuildObservation, CellObservation, RunObservation

ONE_CACHE = "the builds share a timing cache: what a search for kernels adds to the spread is not in it"
"""Note on arms whose builds hand a timing cache on; the later ones repeat the first one's kernels."""

REFORMATS = "all reformats"
"""Carrier of a change of latency: all reformats of an engine that run."""

NO_HOST = ""
"""Host of a cell that was never on one, in a run without any build of its subject."""


@dataclass(frozen=True)
class Series:
    """One question's values over the builds of an arm.

    :param values: milliseconds, one a build; :param totals: layer time of each of these builds, ms
    :param shares: e of each build, None where a build has none
    :param layers: carrier name to milliseconds, one mapping a build
    :param evidence: of each build
    :param missing: builds whose evidence cannot tell
    :param notes: what has to be said beside the values, each once
    """

    values: tuple[float, ...]
    totals: tuple[float, ...] = ()
    shares: tuple[float, ...] | None = None
    layers: tuple[Mapping[str, float], ...] = ()
    evidence: tuple[Mapping[str, object], ...] = ()
    missing: int = 0
    notes: tuple[str, ...] = ()

    def at_least(self, floor: float) -> Values:
        """Return the values, those below *floor* raised to it, so that all have a logarithm."""
        return np.maximum(np.asarray(self.values, dtype=np.float64), floor)


@dataclass(frozen=True)
class Arm:
    """One cell on one host.

    :param builds: those that may be looked at; :param throttled: builds left out, mostly throttled
    :param invalid: builds with outputs out of bounds
    """

    cell: Cell
    host: str
    status: str
    reason: str
    builds: tuple[BuildObservation, ...] = ()
    throttled: int = 0
    invalid: int = 0
    digest: str = "unknown"
    _series: dict[str, Series] = field(default_factory=dict, compare=False, repr=False)

    @property
    def is_aa(self) -> bool:
        """Whether this is the second arm of an A/A pair."""
        return self.cell.repeat.startswith("aa")

    def series(self, rule: Rule | None) -> Series:
        """Return the values of *rule*, of the latency for None; computed once."""
        key = LATENCY if rule is None else rule.name
        if key not in self._series:
            found = _latency(self.builds) if rule is None else _costs(self.builds, rule)
            if len(found.values) > 1:
                found = replace(found, notes=(*found.notes, *spread_notes(self.cell)))
            self._series[key] = found
        return self._series[key]


def spread_notes(cell: Cell) -> tuple[str, ...]:
    """Return what has to be known of the spread of builds of *cell*."""
    return (ONE_CACHE,) if cell.treatment.timing_cache == "on" else ()


def arms_of(run: RunObservation) -> list[Arm]:
    """Return the arms of *run* in the order of its cells; builds of one cell and host come together.

    A cell without builds (it could not run) stands once on every host of its subject and runtime. Builds that
    tried tensor formats are no arm's: many engines each, none of them the cell's.
    """
    cells: dict[Cell, list[CellObservation]] = {}
    for seen in run.cells:
        judged = tuple(build for build in seen.builds if not build.trials)
        if judged or not seen.builds:
            cells.setdefault(seen.cell, []).append(replace(seen, builds=judged))
    hosts: dict[tuple[str, str], dict[str, None]] = {}
    for cell, group in cells.items():
        known = hosts.setdefault((cell.runtime, cell.subject), {})
        known.update(dict.fromkeys(b.host for seen in group for b in seen.builds))
    arms: list[Arm] = []
    for cell, group in cells.items():
        own = dict.fromkeys(b.host for seen in group for b in seen.builds)
        for host in own or hosts[cell.runtime, cell.subject] or {NO_HOST: None}:
            arms.append(_arm(cell, host, group))
    return arms


def _arm(cell: Cell, host: str, group: Iterable[CellObservation]) -> Arm:
    group = list(group)
    builds = [b for seen in group for b in seen.builds if b.host == host]
    # Without an outputs check a cell may still be called invalid as a whole by who measured it.
    invalid = sum(b.status == "invalid" or (b.outputs is not None and not b.outputs.valid) for b in builds)
    good = [b for b in builds if b.status == "ok" and (b.outputs is None or b.outputs.valid)]
    steady = [b for b in good if not _mostly_throttled(b)]
    first = next((seen for seen in group if seen.reason), group[0])
    reasons = [first.reason, *(b.reason for b in builds if b.status != "ok")]
    return Arm(
        cell=cell,
        host=host,
        status=first.status,
        reason=next((text for text in reasons if text), ""),
        builds=tuple(steady),
        throttled=len(good) - len(steady),
        invalid=invalid or int(first.status == "invalid"),
        digest=next((seen.digest for seen in group if seen.digest != "unknown"), "unknown"),
    )


def _mostly_throttled(build: BuildObservation) -> bool:
    latency = build.passes.get(LATENCY_PASS)
    return build.throttled > (0 if latency is None else latency.size)


def _latency(builds: Iterable[BuildObservation]) -> Series:
    found = [(b, b.latency_ms) for b in builds]
    timed = [(b, ms) for b, ms in found if ms is not None and ms > 0]
    return Series(
        values=tuple(ms for _, ms in timed),
        layers=tuple(_all_layers(b) for b, _ in timed),
        evidence=tuple({"throttled_samples": b.throttled, "samples": _size(b)} for b, _ in timed),
        missing=len(found) - len(timed),
    )


def _size(build: BuildObservation) -> int:
    samples = build.passes.get(build.latency_pass)
    return 0 if samples is None else int(samples.size)


def _all_layers(build: BuildObservation) -> Mapping[str, float]:
    """Return the layers that carry the latency: reformats as one, since a reformat that moves is no gain.

    Which stands where differs between engines of one version; the rule on reformats tells them apart.
    """
    engine = timed_engine(build)
    if engine is None:
        return {}
    apart = (LayerRole.NO_OP, LayerRole.REFORMAT)
    times = carrier_times(layer for layer in engine.layers if layer.role not in apart)
    moved = carrier_times(layer for layer in engine.layers if layer.role is LayerRole.REFORMAT)
    return {**times, REFORMATS: sum(moved.values())} if moved else times


def _costs(builds: Iterable[BuildObservation], rule: Rule) -> Series:
    costs: list[tuple[BuildObservation, Cost]] = []
    missing = 0
    for build in builds:
        cost = rule.cost(build)
        if cost is None:
            missing += 1
        else:
            costs.append((build, cost))
    shares = [cost.share for _, cost in costs]
    return Series(
        values=tuple(cost.milliseconds for _, cost in costs),
        totals=tuple(b.engine.total_ms for b, _ in costs if b.engine is not None),
        shares=tuple(s for s in shares if s is not None) if None not in shares and shares else None,
        layers=tuple(dict(cost.layers) for _, cost in costs),
        evidence=tuple(cost.evidence for _, cost in costs),
        missing=missing,
        notes=tuple(dict.fromkeys(cost.note for _, cost in costs if cost.note)),
    )
