"""Alarms that were measured again in the same run: one counts where the new builds alone say it too.

The builds of the second look are named in the run's manifest, so that every later reading of the bundle
answers as the run did.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from msgspec import structs

from harness.analysis.table import INDETERMINATE
from harness.analysis.verdict import Verdict
from harness.observations.records import BuildObservation, RunObservation


def second_look(run: RunObservation) -> RunObservation | None:
    """Return *run* with the builds alone that measure alarms again, None where there are none."""
    first = run.manifest.confirming
    own = run.manifest.run
    if not first:
        return None

    def again(cell: str, build: BuildObservation) -> bool:
        return build.identity.run == own and build.build >= first[cell]

    cells = tuple(
        replace(seen, builds=tuple(b for b in seen.builds if again(seen.cell.id, b)))
        for seen in run.cells
        if seen.cell.id in first
    )
    return replace(run, cells=cells) if any(seen.builds for seen in cells) else None


def with_confirmation(verdicts: Sequence[Verdict], second: Sequence[Verdict]) -> list[Verdict]:
    """Return *verdicts*, each alarm with what the second look says of it.

    An alarm that the new builds alone do not give too becomes one that cannot be told. One that was not
    measured again stays as it is.

    :param second: verdicts on the builds of the second look alone
    """
    again = {_key(verdict): verdict for verdict in second if min(verdict.builds) > 0}
    return [_confirmed(verdict, again.get(_key(verdict))) for verdict in verdicts]


def _confirmed(verdict: Verdict, again: Verdict | None) -> Verdict:
    if again is None or not verdict.alarm or verdict.change is None:
        return verdict
    if again.verdict == verdict.verdict:
        return structs.replace(
            verdict, confirmed=True, reason=f"{verdict.reason}; measured again: {again.reason}"
        )
    reason = f"{verdict.verdict} at first: {verdict.reason}; measured again: {again.verdict}: {again.reason}"
    return structs.replace(
        verdict, confirmed=False, verdict=INDETERMINATE, change=None, reason=reason, settles=None
    )


def _key(verdict: Verdict) -> tuple[str, ...]:
    return verdict.cell, verdict.bottleneck, verdict.host, verdict.kind, verdict.against_cell or ""
