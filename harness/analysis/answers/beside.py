"""How fast runtimes are beside the first one of a run, network by network, in words."""

from __future__ import annotations

from collections.abc import Sequence

from harness.analysis.figures.runtimes import RuntimeFigures, RuntimeTable, no_interval, other_clock
from harness.analysis.hosts import HostNames
from harness.versions import version_key
from harness.written import number_of, percent


def beside(tables: Sequence[RuntimeTable], hosts: HostNames, most: int) -> str:
    """Return what the newest version of each other runtime gains over that of *tables*, nothing without any.

    :param tables: of one runtime that speed-ups are against
    :param most: networks that are named; the rest is counted
    """
    told = [(table, rows) for table in tables if (rows := newest(table))]
    if not told:
        return ""
    names = subjects([table for table, _ in told], hosts)
    said: list[str] = []
    for name, (_, rows) in list(zip(names, told, strict=True))[:most]:
        gains = "; ".join(_gain(row, first=not said and row is rows[0]) for row in rows)
        said.append(f"{name}: {gains}")
    more = number_of(len(told) - most, "more network", "more networks and treatments")
    more = f" And {more}." if len(told) > most else ""
    shown = [row for table, rows in told[:most] for row in (table.rows[0], *rows)]
    notes = "".join(
        f" {note[0].upper()}{note[1:]}." for note in (no_interval(shown), other_clock(shown)) if note
    )
    return f"By the host's clock, {'. '.join(said)}.{more}{notes}"


def newest(table: RuntimeTable) -> tuple[RuntimeFigures, ...]:
    """Return the rows of *table* that are held against another, the newest version of each."""
    best: dict[tuple[str, str], RuntimeFigures] = {}
    for row in table.rows:
        runtime, _, version = row.release.partition(" ")
        other = best.get((runtime, row.label))
        if row.speed_up is not None and runtime != table.against:
            newer = other is None or version_key(version) > version_key(other.release.partition(" ")[2])
            best |= {(runtime, row.label): row} if newer else {}
    return tuple(row for row in table.rows if any(row is one for one in best.values()))


def subjects(tables: Sequence[RuntimeTable], hosts: HostNames) -> tuple[str, ...]:
    """Return the name of each of *tables*: what differs of their treatments, and the host where that does."""
    labels = [table.treatment.split("-") for table in tables]
    shared = set(labels[0]).intersection(*labels) if labels else set()
    places = [(table.network, table.treatment) for table in tables]
    names = []
    for table, place, label in zip(tables, places, labels, strict=True):
        own = "-".join(word for word in label if word not in shared)
        treatment = f" {own}" if own else ""
        host = f" on {hosts.label(table.host)}" if places.count(place) > 1 else ""
        names.append(f"{table.network}{treatment}{host}")
    return tuple(names)


def _gain(row: RuntimeFigures, *, first: bool) -> str:
    """Return what *row* gains; the *first* of a sentence says of what the numbers are."""
    said = f"{row.name} is {row.speed_up:.2f} times as fast{f' as {row.against}' if first else ''}"
    if row.interval is not None:
        said += f" ({row.interval[0]:.2f} to {row.interval[1]:.2f})"
    if row.shares is None:
        return said
    return f"{said}, {percent(row.shares.reformats)}{' of its layer time' if first else ''} in reformats"
