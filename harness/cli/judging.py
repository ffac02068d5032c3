"""Stored runs judged once, for all that a command prints or writes of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from harness.analysis.accepted import Accepted
from harness.errors import BadOptionError, NothingToCompareError, OptionsContradictError
from harness.matrix.file import PREVIOUS

if TYPE_CHECKING:
    from harness.analysis.answers.short import ShortAnswer
    from harness.analysis.grid import Grid
    from harness.analysis.policy import Policy
    from harness.analysis.rules.base import Rule
    from harness.analysis.run_analysis import RunAnalysis
    from harness.analysis.verdict import Verdict
    from harness.history.folder import History
    from harness.observations.records import RunObservation
    from harness.store.documents.night import Night

HISTORY = "history"
"""The baseline that is the last nights."""


@dataclass(frozen=True)
class Judged:
    """Runs with the verdicts on them.

    :param against: what they were compared with, in words
    :param first: runtime that others are held against, None where versions or treatments are compared
    """

    grid: Grid
    verdicts: Sequence[Verdict]
    against: str
    policy: Policy
    rules: Mapping[str, Rule]
    first: str | None = None

    @cached_property
    def failing(self) -> list[Verdict]:
        """The verdicts against the policy."""
        return self.policy.failing(self.verdicts)

    @property
    def short(self) -> tuple[ShortAnswer, ...]:
        """The answers on each runtime."""
        from harness.analysis.run_analysis import in_short

        return in_short(self.grid, self.verdicts, rules=self.rules, first=self.first)

    @cached_property
    def analysis(self) -> RunAnalysis:
        """What page, summary and document are made of."""
        from harness.analysis.run_analysis import analyse

        return analyse(self.grid, self.verdicts, self.against, rules=self.rules, first=self.first)


def judged_runs(
    runs: Sequence[Path],
    baseline: str | None = None,
    accepted: Sequence[Accepted] = (),
    *,
    fail_on: Collection[str] | None = None,
    material: float | None = None,
    latency_pass: str | None = None,
    treatments: str | None = None,
    runtimes: str | None = None,
    history: Path | None = None,
) -> Judged:
    """Return the verdicts on *runs*.

    :param baseline: ``previous``, a version, the folder of a stored run; None: what their matrix says
    :param fail_on, material: in place of what their matrix says
    :param latency_pass: the pass that is judged in place of the latency, and nothing else
    :param treatments: ``FIELD=OLD:NEW``, compared in place of versions
    :param runtimes: ``OLD:NEW``, compared in place of versions, by the host's clock
    :param history: folder of nights that *baseline* is looked up in
    :raises TrtmatrixError: a run cannot be read, or has nothing to compare
    """
    from harness.analysis.baseline import baseline_name
    from harness.analysis.grid import grid_of
    from harness.analysis.judge import compare_treatments, judge
    from harness.analysis.policy import policy_of
    from harness.plugins import registry
    from harness.plugins.reading import observe

    run = observe(runs)
    policy = policy_of(run.manifest.matrix, accepted, fail_on=fail_on, material=material)
    rules: Mapping[str, Rule] = registry.bottlenecks()
    if latency_pass is not None:
        # The bottlenecks' costs come from the profile: another pass says nothing of them.
        run, rules = _of_pass(run, latency_pass), {}
    if runtimes is not None:
        return _of_runtimes(run, runtimes, policy, rules, accepted, material)
    grid = grid_of(run)
    if treatments is not None:
        field, old, new = fields_of(treatments)
        verdicts = compare_treatments(
            grid, field, old, new, rules=rules, accepted=accepted, material=material
        )
        if not verdicts:
            raise NothingToCompareError(f"--treatments {treatments}: no version of these runs has both")
        return Judged(grid, verdicts, f"{field} {old}", policy, rules)
    nights = _nights(history, baseline, latency_pass)
    if nights is not None:
        from harness.plugins.nights import against_nights

        held = against_nights(nights[0], grid, nights[1], accepted=accepted, material=material)
        return Judged(grid, held.verdicts, held.name, policy, rules)
    wanted = run.manifest.matrix.baseline if baseline is None else _baseline(baseline, latency_pass)
    verdicts = judge(grid, wanted, rules=rules, accepted=accepted, material=material)
    return Judged(grid, verdicts, baseline_name(wanted), policy, rules)


def _of_runtimes(
    run: RunObservation,
    text: str,
    policy: Policy,
    rules: Mapping[str, Rule],
    accepted: Sequence[Accepted],
    material: float | None,
) -> Judged:
    from harness.analysis.across import compare_runtimes
    from harness.analysis.grid import grid_of
    from harness.observations.host_clock import by_host_clock

    old, _, new = text.partition(":")
    if not (old and new):
        raise BadOptionError(f"--runtimes {text}: expected OLD:NEW, such as tensorflow:tftrt")
    grid = grid_of(by_host_clock(run))
    verdicts = compare_runtimes(grid, old, new, rules=rules, accepted=accepted, material=material)
    if not verdicts:
        raise NothingToCompareError(f"--runtimes {text}: nothing of these runs was measured on both")
    return Judged(grid, verdicts, f"runtime {old}", policy, rules, old)


def fields_of(text: str) -> tuple[str, str, str]:
    """Return field, old and new value of ``FIELD=OLD:NEW``.

    :raises UsageError: it is not of that form
    """
    field, _, values = text.partition("=")
    old, _, new = values.partition(":")
    if not (field and old and new):
        raise BadOptionError(f"--treatments {text}: expected FIELD=OLD:NEW, such as relu6=clip:relu_sub")
    return field, old, new


def _baseline(text: str, latency_pass: str | None) -> str | Grid:
    from harness.analysis.grid import grid_of
    from harness.plugins.reading import observe

    if not Path(text).is_dir():
        return text
    run = observe([Path(text)])
    return grid_of(run if latency_pass is None else _of_pass(run, latency_pass))


def _nights(
    history: Path | None, baseline: str | None, latency_pass: str | None
) -> tuple[History, Night | None] | None:
    """Return the nights that are asked for, and the one of them; None for no nights."""
    if history is not None and baseline in (None, PREVIOUS):
        baseline = HISTORY
    if baseline is None or (baseline != HISTORY and (history is None or Path(baseline).is_dir())):
        return None
    if history is None:
        raise OptionsContradictError("--baseline history needs --history: the folder of the nights")
    if latency_pass is not None:
        raise OptionsContradictError("--pass and --history exclude each other: nights are judged by latency")
    from harness.history.folder import open_history

    found = open_history(history)
    return found, None if baseline == HISTORY else found.night(baseline)


def _of_pass(run: RunObservation, name: str) -> RunObservation:
    from harness.observations.records import judged_by, passes_of

    if name not in (known := passes_of(run)):
        raise NothingToCompareError(
            f"--pass {name}: no build of these runs has it; they have {', '.join(known) or 'none'}"
        )
    return judged_by(run, name)
