"""What can be done about a bottleneck that is present, with what it was measured to gain.

A remedy is two cells of one version, network and host that differ in one field of their treatments, or two
passes of the same builds. None is told a gain that the builds do not show.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from harness.analysis.grid import Grid
from harness.analysis.groups import BuildGroup
from harness.analysis.statistics.intervals import Interval, one_side, ratio
from harness.observations.records import GRAPH_PASS
from harness.remembering import once_each
from harness.store.documents.published import GainRecord

CLEAR = 2 / 3
"""Of one build a side a gain is published below this ratio: builds of one version lie apart, too
(docs/decisions/0011-gains-of-one-build.md)."""
FILE = Path(__file__).with_name("remedies.toml")
BATCH = "batch"


@dataclass(frozen=True)
class Remedy:
    """One entry of ``remedies.toml``, which says what its fields mean."""

    name: str
    against: tuple[str, ...]
    runtimes: tuple[str, ...]
    what: str
    how: str
    measure: str
    field: str = ""
    old: str = ""
    new: tuple[str, ...] = ()

    def fits(self, group: BuildGroup, present: frozenset[str]) -> bool:
        """Say whether it is for *group*, in which the bottlenecks *present* are."""
        if self.runtimes and group.cell.runtime not in self.runtimes:
            return False
        return bool(present & {*self.against}) and (not self.field or _value(group, self.field) == self.old)


@dataclass(frozen=True)
class RemedyAnswer:
    """A remedy for a bottleneck that is present, with its gains.

    :param gains: measured in this run
    :param published: by published runs: told ones, and clear ones of one build a side
    """

    remedy: Remedy
    gains: tuple[GainRecord, ...]
    published: tuple[GainRecord, ...] = ()

    @property
    def told(self) -> tuple[GainRecord, ...]:
        """The gains that the builds of this run show, largest first."""
        return tuple(sorted((gain for gain in self.gains if gain.told), key=lambda gain: gain.factor))

    @property
    def text(self) -> str:
        """What it gained, or what would tell, in words without a full stop."""
        what = self.remedy.what
        if self.told:
            return f"{what}: " + ", ".join(f"latency {_named(g)}{g.words} in {g.version}" for g in self.told)
        if self.gains:
            gain = self.gains[0]
            builds = "one build" if gain.builds == 1 else f"{gain.builds} builds"
            return f"{what}: {_named(gain)}{gain.words} in {gain.version}, no gain that {builds} a side show"
        if self.published:
            gain = min(self.published, key=lambda one: (one.interval is None, one.factor))
            where = f"{gain.network}, {gain.runtime} {gain.version} on {gain.device}"
            once = "" if gain.interval else ", one build a side"
            return f"{what}: published, latency {_named(gain)}{gain.words} ({where}{once})"
        return f"{what}: not measured here; a matrix with {self.remedy.measure} and trtmatrix run would"


def remedies(
    grid: Grid, group: BuildGroup, present: frozenset[str], network: str, published: Sequence[GainRecord]
) -> tuple[RemedyAnswer, ...]:
    """Return the remedies for the bottlenecks *present* in *group*.

    :param network: in words; :param published: gains that published runs show
    """
    device = str(group.good[0].facts.get("gpu", ""))
    return tuple(
        RemedyAnswer(
            remedy,
            gains_of(grid, group, remedy, network, device),
            tuple(g for g in published if (g.remedy, g.runtime) == (remedy.name, group.cell.runtime)),
        )
        for remedy in catalogue()
        if remedy.fits(group, present)
    )


def _named(gain: GainRecord) -> str:
    named = f"{gain.remedy} {gain.value}" if gain.value.isdigit() else gain.value
    return f"{named} " if named else ""


@cache
def catalogue() -> tuple[Remedy, ...]:
    """Return the remedies that are known."""
    entries: list[dict[str, Any]] = tomllib.loads(FILE.read_text(encoding="utf-8"))["remedy"]
    return tuple(msgspec.convert(entry, Remedy) for entry in entries)


def gains_of(
    grid: Grid, group: BuildGroup, remedy: Remedy, network: str, device: str
) -> tuple[GainRecord, ...]:
    """Return what *remedy* was measured to gain over *group*, nothing where that was not measured."""
    found: list[tuple[str, float, Interval | None, int]] = []
    if not remedy.field:
        graphs = (build.latency_ms for build in group.judged_by(GRAPH_PASS).builds)
        pairs = zip((build.latency_ms for build in group.builds), graphs, strict=True)
        factors = [graph / plain for plain, graph in pairs if plain and graph]
        if factors:
            shown = one_side(factors)
            found.append(("", shown.estimate if shown else factors[0], shown, len(factors)))
    for value in remedy.new:
        twin = _twin(grid, group, remedy.field, value)
        if twin is not None:
            found.append((value, *_ratio(group, twin)))
    return tuple(
        GainRecord(
            remedy=remedy.name,
            runtime=group.cell.runtime,
            version=group.cell.version,
            network=network,
            device=device,
            value=value,
            factor=factor,
            interval=None if shown is None else (shown.low, shown.high),
            builds=builds,
        )
        for value, factor, shown, builds in found
    )


def clear_gains(grid: Grid) -> tuple[GainRecord, ...]:
    """Return the gains of one build a side that are larger than builds of one version lie apart."""
    return tuple(
        gain
        for group in grid.groups
        for remedy in catalogue()
        if group.latency.builds and remedy.fits(group, frozenset(remedy.against))
        for gain in gains_of(
            grid,
            group,
            remedy,
            f"{group.cell.network} {' '.join(group.cell.treatment.words)}",
            str(group.good[0].facts.get("gpu", "")),
        )
        if gain.interval is None and gain.factor < CLEAR
    )


def _ratio(old: BuildGroup, new: BuildGroup) -> tuple[float, Interval | None, int]:
    before, after = _an_image(old), _an_image(new)
    compared = ratio(before, after)
    factor = compared.interval.estimate if compared else after[0] / before[0]
    return factor, compared.interval if compared else None, min(len(before), len(after))


def _an_image(group: BuildGroup) -> list[float]:
    return [ms / (group.cell.treatment.batch or 1) for ms in group.latency.builds]


def _twin(grid: Grid, group: BuildGroup, field: str, value: str) -> BuildGroup | None:
    """Return the group that differs from *group* in the *value* of *field* only."""
    wanted = {**_values(group), field: value}
    same = (other for other in grid.treated(group) if _values(other) == wanted)
    return next((other for other in same if other.latency.builds), None)


@once_each
def _values(group: BuildGroup) -> dict[str, str]:
    return {name: str(value) for name, value in group.cell.treatment.as_json().items()}


def _value(group: BuildGroup, field: str) -> str:
    return str(group.cell.treatment.as_json().get(field))
