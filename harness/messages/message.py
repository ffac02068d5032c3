"""The message of a run: its alarms in a title, a text for people and a document for programs."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from msgspec import structs

from harness.analysis.nights import KIND
from harness.analysis.policy import Policy
from harness.analysis.verdict import LATENCY, Verdict, verdict_message
from harness.observations.records import RunObservation
from harness.report import words
from harness.store.documents.base import UNKNOWN
from harness.store.documents.message import AlarmRecord, Message
from harness.written import number_of


def message_of(run: RunObservation, verdicts: Sequence[Verdict], policy: Policy) -> Message:
    """Return what *run* has to tell."""
    alarms = _by_cell(verdict for verdict in policy.failing(verdicts) if verdict.since is None)
    opened = _by_cell(v for v in verdicts if v.since is not None and v.accepted is None)
    accepted = sum(v.verdict in policy.fail_on and v.accepted is not None for v in verdicts)
    broken = [f"{seen.cell.id}: {seen.reason}" for seen in run.cells if seen.status == "failed"]
    folder = ", ".join(map(str, run.runs))
    with_machine = (v for v in verdicts if v.bottleneck == LATENCY and v.evidence.get("machine"))
    made = Message(
        run=run.manifest.run,
        folder=folder,
        machine=run.manifest.machine.host or UNKNOWN,
        title=_title(alarms, broken, opened),
        alarms=tuple(alarms),
        open=tuple(opened),
        accepted=accepted,
        broken=tuple(broken),
        machine_changes=tuple(map(_machine_line, with_machine)),
    )
    return structs.replace(made, text=_text(made))


def _by_cell(verdicts: Iterable[Verdict]) -> list[AlarmRecord]:
    """Return one record a cell and host: of its latency, against other nights first; the rest stands in it.

    A version that became slower fails by its latency and by what carries it: that is one change.
    """
    cells: dict[tuple[str, str], list[Verdict]] = {}
    for verdict in verdicts:
        cells.setdefault((verdict.cell, verdict.host), []).append(verdict)
    found = []
    for own in cells.values():
        first, *rest = sorted(own, key=lambda v: (v.bottleneck != LATENCY, v.kind != KIND))
        also = dict.fromkeys(v.bottleneck for v in rest if v.bottleneck != first.bottleneck)
        found.append(structs.replace(alarm_of(first), also=tuple(also)))
    return found


def _machine_line(verdict: Verdict) -> str:
    moved = verdict.evidence["machine"]
    assert isinstance(moved, float)
    return (
        f"{verdict.host}: all versions of {verdict.subject} by {words.change(moved)} since {verdict.against}"
    )


def has_news(message: Message) -> bool:
    """Say whether somebody has to look: a new alarm, or cells that failed."""
    return bool(message.alarms or message.broken)


def alarm_of(verdict: Verdict) -> AlarmRecord:
    """Return the record of one verdict against the policy."""
    low_high = None if verdict.interval is None else tuple(map(_finite, verdict.interval))
    return AlarmRecord(
        cell=verdict.cell,
        subject=verdict.subject,
        runtime=verdict.runtime,
        version=verdict.version,
        host=verdict.host,
        bottleneck=verdict.bottleneck,
        verdict=verdict.verdict,
        against=verdict.against,
        effect=_finite(verdict.effect),
        interval=low_high,  # type: ignore[arg-type]
        layers=tuple(layer.name for layer in verdict.carriers),
        since=verdict.since,
        text=verdict_message(verdict),
    )


def _finite(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else float(value)


def _title(alarms: Sequence[AlarmRecord], broken: Sequence[str], opened: Sequence[AlarmRecord]) -> str:
    parts = []
    if alarms:
        first = alarms[0]
        more = f" and {len(alarms) - 1} more" if len(alarms) > 1 else ""
        effect = "" if first.effect is None else f", {words.change(first.effect)}"
        where = f"{first.bottleneck} of {first.subject} on {first.runtime} {first.version}"
        parts.append(f"{first.verdict}: {where}{effect}{more}")
    if broken:
        parts.append(f"{number_of(len(broken), 'cell')} failed")
    if not parts:
        parts.append("nothing new")
        parts += [f"{len(opened)} open"] if opened else []
    return "trtmatrix: " + "; ".join(parts)


def _text(message: Message) -> str:
    lines = [a.text + (f"; also {', '.join(a.also)}" if a.also else "") for a in message.alarms]
    lines += [f"failed: {line}" for line in message.broken]
    if message.open:
        said = (
            f"{a.bottleneck} of {a.subject} on {a.runtime} {a.version} since {a.since}" for a in message.open
        )
        lines.append("open: " + "; ".join(said))
    lines += [f"the machine changed, {line}" for line in message.machine_changes]
    if message.accepted:
        lines.append(f"{message.accepted} accepted")
    lines.append(f"run {message.run} on {message.machine}: {message.folder}")
    return "\n".join(lines)
