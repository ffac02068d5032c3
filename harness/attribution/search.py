"""Tactic lines of a builder log, grouped by layer and format combination."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from harness.attribution.engine import KernelFamily
from harness.attribution.families import kernel_family
from harness.attribution.joining import KernelNames, bare_runner, tactic_key
from harness.evidence.records import Combination, Evidence, Tactic


@dataclass(frozen=True, slots=True)
class Candidate:
    """One tactic that was offered for a layer.

    :param tactic: id, ``0x`` and 16 hexadecimal digits where it is a number
    :param time_ms: None where it was listed and not timed
    :param chosen: the builder chose it for these formats
    """

    runner: str | None
    tactic: str
    kernel: str | None
    family: KernelFamily
    time_ms: float | None
    fastest: bool
    chosen: bool


@dataclass(frozen=True, slots=True)
class Search:
    """What the log shows for one layer in one format combination.

    :param formats: as printed, None where the log prints none
    :param skipped: runners that had nothing for these formats, where the log ties them to the combination
    """

    formats: str | None
    candidates: tuple[Candidate, ...]
    skipped: tuple[str, ...] = ()

    @property
    def timed(self) -> int:
        """How many candidates have a time."""
        return sum(candidate.time_ms is not None for candidate in self.candidates)

    @property
    def chosen(self) -> Candidate | None:
        """What the builder chose for these formats."""
        return next((candidate for candidate in self.candidates if candidate.chosen), None)

    def find(self, tactic: str | None, runner: str | None = None) -> Candidate | None:
        """Return the candidate with the id *tactic*, of *runner* where two runners share an id."""
        key = tactic_key(tactic)
        found = [c for c in self.candidates if key is not None and c.tactic == key]
        same = [c for c in found if c.runner == runner]
        # Small ids are local to a runner: without the same runner they are another kernel's.
        if same or key is None or int(key, 16) < 0x10000:
            return same[0] if same else None
        return found[0] if found else None

    def runners(self) -> dict[str, str]:
        """Return runner to ``timed``, ``offered`` or ``skipped``."""
        states = dict.fromkeys(self.skipped, "skipped")
        for candidate in self.candidates:
            if candidate.runner is not None and states.get(candidate.runner) != "timed":
                states[candidate.runner] = "offered" if candidate.time_ms is None else "timed"
        return states


@dataclass(frozen=True)
class Searches:
    """All searches of a log.

    :param of_layer: layer name to its searches, layers and searches in the order of the log
    :param silent: layer name to the number of format combinations below which nothing stands
    """

    of_layer: Mapping[str, tuple[Search, ...]]
    silent: dict[str, int]


def read_searches(evidence: Evidence, version: str | None = None) -> Searches:
    """Group the tactics of *evidence*; cost estimates of reformats are left out.

    :param version: TensorRT version, for the meaning of numbered runners
    """
    names = KernelNames(evidence)
    rows: dict[str, dict[str | None, list[Candidate]]] = defaultdict(lambda: defaultdict(list))
    for tactic in evidence.tactics:
        if not tactic.is_reformat_estimate:
            rows[tactic.layer][tactic.formats].append(_candidate(tactic, names, version))
    skipped = _skipped(evidence, rows)
    return Searches(
        of_layer={
            layer: tuple(
                Search(formats, tuple(found), skipped.get((layer, formats), ()))
                for formats, found in by_formats.items()
            )
            for layer, by_formats in rows.items()
        },
        silent=_silent(evidence.combinations),
    )


def _candidate(tactic: Tactic, names: KernelNames, version: str | None) -> Candidate:
    runner = bare_runner(tactic.runner)
    key = tactic.tactic_id or tactic_key(tactic.tactic)
    kernel = tactic.kernel or names.of(runner, key)
    return Candidate(
        runner=runner,
        tactic=key or tactic.tactic,
        kernel=kernel,
        family=kernel_family(kernel, runner, tactic=tactic.tactic, version=version),
        time_ms=tactic.time_ms,
        fastest=tactic.fastest,
        chosen=tactic.chosen,
    )


def _skipped(
    evidence: Evidence, rows: Mapping[str, Mapping[str | None, object]]
) -> dict[tuple[str, str | None], tuple[str, ...]]:
    """Return (layer, formats) to the runners below whose headers nothing stands."""
    found: dict[tuple[str, str | None], tuple[str, ...]] = {}
    for combination in evidence.combinations:
        if combination.layer is None:
            continue
        key = (combination.layer, combination.formats)
        found[key] = tuple(bare_runner(r) or r for r in combination.runners)
    if found:
        return found
    # Rows of skipped runners do not say for which formats; with one search there is no doubt.
    for row in evidence.skipped_runners:
        formats = list(rows.get(row.layer, {}))
        if len(formats) == 1:
            key = (row.layer, formats[0])
            found[key] = (*found.get(key, ()), bare_runner(row.runner) or row.runner)
    return found


def _silent(combinations: tuple[Combination, ...]) -> dict[str, int]:
    """Return layer to its silent combinations; the layer of a nameless one is that of its block."""
    owner = {(c.engine, c.block): c.layer for c in combinations if c.layer is not None}
    found: dict[str, int] = {}
    for combination in combinations:
        layer = combination.layer or owner.get((combination.engine, combination.block))
        if layer is not None and not combination.runners and not combination.tactics:
            found[layer] = found.get(layer, 0) + 1
    return found
