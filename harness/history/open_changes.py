"""Changes that an earlier night confirmed: open until a later night says that they are gone.

A change alarms in the night that confirms it, which notes it in the index. From then on nights are compared
with the level since, and the change itself is said as open, with its first night.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from msgspec.structs import replace

from harness.analysis.accepted import Accepted
from harness.analysis.nights import KIND
from harness.analysis.table import INDETERMINATE, INVALID, UNSUPPORTED, Change
from harness.analysis.verdict import LATENCY, Verdict
from harness.history.folder import History
from harness.history.records import Subject
from harness.store.documents.night import ChangedSeries, Night

Key = tuple[str, str, str, str, str]
"""Kind of comparison, cell, host, ``latency`` or name of a rule, cell compared with."""

Fails = Callable[[Verdict], bool]

FAULTS = frozenset({INVALID, UNSUPPORTED})
"""What is wrong with a cell by itself: over as soon as it is measured with right outputs."""


@dataclass(frozen=True)
class OpenChange:
    """A change that is open.

    :param day: of the night that confirmed it; :param text: as it said then
    :param against: cell that it was compared with, empty for earlier nights
    """

    day: str
    verdict: str
    text: str
    cell: str = ""
    host: str = ""
    measure: str = ""
    run: str = ""
    against: str = ""


def open_changes(nights: Iterable[Night], own: str) -> Mapping[Key, OpenChange]:
    """Return what the nights before the run *own* left open.

    :param nights: oldest first
    """
    found: dict[Key, OpenChange] = {}
    for night in nights:
        if night.run == own:
            break
        day = night.started.astimezone(UTC).date().isoformat()
        for one in night.changed:
            key = one.kind, one.cell, one.host, one.measure, one.against
            if one.gone:
                found.pop(key, None)
            elif key not in found:
                found[key] = OpenChange(
                    day, one.verdict, one.text, one.cell, one.host, one.measure, night.run, one.against
                )
    return found


def left_open(
    history: History, subjects: Iterable[Subject], accepted: Sequence[Accepted], today: date | None = None
) -> list[OpenChange]:
    """Return what the nights of *history* left open and nobody has accepted, but for the last night's own.

    :param subjects: of its series, which accepted changes name by their parts
    """
    today = today or datetime.now().astimezone().date()
    last = history.nights[-1].run if history.nights else ""
    known = {(subject.cell, subject.host): subject for subject in subjects}
    alive = [entry for entry in accepted if not entry.expired(today)]
    found = []
    for one in open_changes(history.nights, "").values():
        subject = known.get((one.cell, one.host))
        taken = subject is not None and any(entry.fits(_verdict_of(subject, one)) for entry in alive)
        if one.run != last and not taken:
            found.append(one)
    return found


def _verdict_of(subject: Subject, one: OpenChange) -> Verdict:
    parts = subject.network, subject.treatment, subject.runtime, subject.version
    return Verdict(one.measure, *parts, one.host, one.verdict, one.text, one.cell)


def with_open(verdicts: Sequence[Verdict], known: Mapping[Key, OpenChange]) -> list[Verdict]:
    """Return *verdicts*, those of changes that are open with the night that confirmed them.

    Tonight's comparison with the level since says that nothing changed again: the open change stands in its
    place. What changed once more is news; what got better again is no longer open.
    """
    found = [_opened(verdict, known.get(_key(verdict))) for verdict in verdicts]
    whole = {_key(verdict): verdict.since for verdict in found if verdict.since is not None}
    between = {
        (verdict.cell, verdict.host, verdict.bottleneck): known[_key(verdict)]
        for verdict in found
        if verdict.kind != KIND and verdict.since is not None and _key(verdict) in known
    }
    return [_seen_before(_carried(verdict, whole), between) for verdict in found]


def _seen_before(verdict: Verdict, between: Mapping[tuple[str, str, str], OpenChange]) -> Verdict:
    """Return a change since earlier nights with the night that told it between versions, if one did.

    Of the nights that it is held against one is that night: between nights it was not sure enough then.
    """
    known = between.get((verdict.cell, verdict.host, verdict.bottleneck))
    if verdict.kind != KIND or not verdict.alarm or verdict.since is not None or known is None:
        return verdict
    nights = verdict.evidence.get("nights")
    same = known.verdict == verdict.verdict and isinstance(nights, list) and known.run in nights
    return replace(verdict, since=known.day) if same else verdict


def _carried(verdict: Verdict, whole: Mapping[Key, str | None]) -> Verdict:
    """Return *verdict* between versions with the night of the same pair's open latency, which it carries.

    Between nights there is no need: a bottleneck is held against the nights since the latency changed.
    """
    kind, cell, host, _, against = _key(verdict)
    since = whole.get((kind, cell, host, LATENCY, against))
    carries = kind != KIND and verdict.alarm and verdict.since is None
    return replace(verdict, since=since) if carries and since is not None else verdict


def _opened(verdict: Verdict, known: OpenChange | None) -> Verdict:
    if known is None:
        return verdict
    if verdict.kind != KIND or known.verdict in FAULTS:
        return replace(verdict, since=known.day) if verdict.verdict == known.verdict else verdict
    if verdict.alarm:
        return verdict
    reason = f"open since {known.day}: {known.text}; tonight against the level since: {verdict.verdict}"
    return replace(
        verdict, verdict=known.verdict, change=Change.REGRESSED, reason=reason, since=known.day, settles=None
    )


def changed_series(
    verdicts: Iterable[Verdict],
    environments: Mapping[str, str],
    known: Mapping[Key, OpenChange],
    fails: Fails,
    sound: Collection[tuple[str, str]] = (),
) -> list[ChangedSeries]:
    """Return what the index notes of tonight: open changes that are gone, and changes that are new.

    :param environments: cell id to the kind of its environment; :param fails: what the policy fails
    :param sound: cell id and host of what was measured tonight with right outputs
    """
    over = [key for key, one in known.items() if one.verdict in FAULTS and (one.cell, one.host) in sound]
    found = [_over(key, known[key], environments) for key in over]
    for verdict in verdicts:
        key = _key(verdict)
        was = None if key in over else known.get(key)
        if verdict.since is not None and was is not None:
            continue
        moved = verdict.kind == KIND and verdict.alarm and verdict.change is not None
        worse = verdict.change is Change.REGRESSED
        if moved or (fails(verdict) and was is None):
            found.append(_noted(verdict, environments, gone=moved and not worse))
        elif was is not None and verdict.kind != KIND and verdict.verdict != INDETERMINATE:
            found.append(_noted(verdict, environments, gone=True))
    return found


def _over(key: Key, one: OpenChange, environments: Mapping[str, str]) -> ChangedSeries:
    """Return that the fault *one* is gone: of whatever pair it was told, the cell is right again."""
    kind, cell, host, measure, against = key
    return ChangedSeries(
        cell=cell,
        environment=environments.get(cell, ""),
        host=host,
        measure=measure,
        kind=kind,
        against=against,
        verdict=one.verdict,
        text="measured again with right outputs",
        gone=True,
    )


def _noted(verdict: Verdict, environments: Mapping[str, str], *, gone: bool) -> ChangedSeries:
    return ChangedSeries(
        cell=verdict.cell,
        environment=environments.get(verdict.cell, ""),
        host=verdict.host,
        measure=verdict.bottleneck,
        kind=verdict.kind,
        against="" if verdict.kind == KIND else verdict.against_cell or "",
        verdict=verdict.verdict,
        text=verdict.reason,
        gone=gone,
    )


def _key(verdict: Verdict) -> Key:
    against = "" if verdict.kind == KIND else verdict.against_cell or ""
    return verdict.kind, verdict.cell, verdict.host, verdict.bottleneck, against
