"""A run against the nights of a history, with the registered rules: what changed, and what is open."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from harness.analysis.accepted import Accepted, with_accepted
from harness.analysis.confirmation import second_look, with_confirmation
from harness.analysis.grid import Grid, grid_of
from harness.analysis.nights import judge_nights
from harness.analysis.policy import Policy
from harness.analysis.statistics.nights import FEWEST
from harness.analysis.verdict import Verdict, verdict_message
from harness.errors import NothingToCompareError
from harness.history.adding import add, set_alarms
from harness.history.folder import History, open_history
from harness.history.levels import baseline_of
from harness.history.open_changes import changed_series, open_changes, with_open
from harness.plugins import registry
from harness.plugins.reading import observe
from harness.store.bundle import Bundle
from harness.store.documents.night import Night


@dataclass(frozen=True)
class AgainstNights:
    """Verdicts of one run against a history. :param name: what it was held against, in words"""

    name: str
    verdicts: list[Verdict]


def against_nights(
    history: History,
    grid: Grid,
    night: Night | None = None,
    *,
    accepted: Sequence[Accepted] = (),
    material: float | None = None,
) -> AgainstNights:
    """Return what changed in *grid* since the last nights, or since one of them, and what is open.

    :param material: m, of 1; None: as the run's matrix says
    :raises NothingToCompareError: no earlier night has any of it
    """
    rules = registry.bottlenecks()
    said = grid.run.manifest.matrix
    baseline = baseline_of(history, grid, list(rules), night, last=said.nights, anchors=said.anchors)
    stored = _stored(history)

    def judged(own: Grid) -> list[Verdict]:
        return judge_nights(own, baseline, rules=rules, material=material, stored=stored)

    verdicts = judged(grid)
    again = second_look(grid.run)
    if again is not None:
        verdicts = with_confirmation(verdicts, judged(grid_of(again)))
    if night is None:
        verdicts = with_open(verdicts, open_changes(history.nights, grid.run.manifest.run))
    return AgainstNights(baseline.name, with_accepted(verdicts, accepted))


def _stored(history: History) -> Callable[[str], Grid | None]:
    @cache
    def stored(run: str) -> Grid | None:
        kept = history.night(run).bundle
        return None if kept is None else grid_of(observe([history.root / kept]))

    return stored


def tonight(
    path: Path, grid: Grid, verdicts: Sequence[Verdict], accepted: Sequence[Accepted]
) -> list[Verdict]:
    """Return *verdicts* between versions with what earlier nights knew of them, and those against the nights.

    :param path: folder of the history, which may not be there before the first night
    """
    if not (path / "history.json").exists():
        return list(verdicts)
    history = open_history(path)
    known = open_changes(history.nights, grid.run.manifest.run)
    found = with_open(verdicts, known)
    try:
        return [*found, *against_nights(history, grid, accepted=accepted).verdicts]
    except NothingToCompareError:  # A first night, or one of other cells.
        return found


def keep_night(path: Path, bundle: Bundle, grid: Grid, verdicts: Sequence[Verdict], policy: Policy) -> str:
    """Add the run in *bundle* to the history in *path* with what it confirmed; return what became of it."""
    added = add(path, bundle, lambda: grid, registry.bottlenecks())
    nights = open_history(path).nights
    known = open_changes(nights, added.night)
    environments = {group.cell.id: group.cell.environment for group in grid.judged}
    alarms = [verdict_message(v) for v in policy.failing(verdicts) if v.since is None]
    wrong = {(group.cell.id, group.host) for group in grid.judged if group.invalid}
    sound = {(group.cell.id, group.host) for group in grid.judged if group.builds} - wrong
    changed = changed_series(verdicts, environments, known, policy.against, sound)
    if alarms or changed:
        set_alarms(path, added.night, alarms, changed)
    said = f"night {added.night} in {path}: {added.state}, {added.series} series"
    few = len(nights) <= FEWEST
    return f"{said}; what changed between nights is told from night {FEWEST + 1} on" if few else said
