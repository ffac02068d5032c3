"""What the template of the page of nights is given."""

from __future__ import annotations

import json
import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC
from functools import cached_property

from harness.history.open_changes import OpenChange
from harness.history.records import LATENCY, Series
from harness.report.anchors import anchor
from harness.report.scale import Scale
from harness.report.trends import changes
from harness.report.trends.changes import ChangeRow, change_rows, series_anchor, title_of, value_text
from harness.report.trends.plots import HEIGHT, Mark, Plot, Span, plot, scale_of
from harness.store.documents.night import Night

FILTERS = ("network", "treatment", "runtime", "version", "host", "measure")
COLOURS = 8
"""How many lines of a figure have a colour of their own; those beyond begin anew, dashed."""


@dataclass(frozen=True)
class SeriesRow:
    """One line of the page.

    :param values: one a day of the page, separated by commas, empty for none: what a reader points at
    :param command: measures it again; :param open_since: night since which a change of it is open
    """

    series: Series
    anchor: str
    title: str
    last: str
    interval: str
    nights: int
    plot: Plot
    ticks: tuple[tuple[int, str], ...]
    marks: tuple[Mark, ...]
    changes: tuple[ChangeRow, ...]
    values: str
    command: str
    open_since: str = ""

    @property
    def kind(self) -> str:
        """Of its last change, empty without any."""
        return self.changes[-1].kind if self.changes else ""


@dataclass(frozen=True)
class OpenCell:
    """What is open of one cell on one host.

    :param first: its latency, where that is; :param others: the rest
    """

    first: OpenChange
    others: tuple[OpenChange, ...] = ()


@dataclass(frozen=True)
class Figure:
    """Versions of one network and treatment on one host, side by side over time."""

    title: str
    anchor: str
    ticks: tuple[tuple[int, str], ...]
    lines: tuple[tuple[str, str, Plot], ...]


@dataclass(frozen=True)
class NightRow:
    """One run. :param report: where its own report lies, empty where there is none"""

    day: str
    night: Night
    report: str


@dataclass(frozen=True)
class TrendsPage:
    """The page.

    :param last: the day of the last night; :param days: all days, oldest first
    :param problems: files that were left out, a line each
    :param left: changes that alarmed in an earlier night and are neither accepted nor gone
    :param places: of the days in the plots
    """

    title: str
    made: str
    harness_version: str
    last: str
    days: tuple[str, ...]
    nights: tuple[NightRow, ...]
    new: tuple[ChangeRow, ...]
    open: tuple[ChangeRow, ...]
    rows: tuple[SeriesRow, ...]
    figures: tuple[Figure, ...]
    choices: Mapping[str, tuple[str, ...]]
    problems: tuple[str, ...]
    left: tuple[OpenCell, ...] = ()
    places: tuple[int, ...] = ()

    @property
    def last_nights(self) -> tuple[NightRow, ...]:
        """The runs of the last day."""
        return tuple(row for row in self.nights if row.day == self.last)

    @cached_property
    def reports(self) -> Mapping[str, str]:
        """Night to its report, of those that have one."""
        return {row.night.run: row.report for row in self.nights if row.report}

    @property
    def data(self) -> str:
        """What the script needs besides the table, as JSON that can stand in an element."""
        places = {day: place for place, day in enumerate(self.days)}
        runs = [[places[row.day], row.night.run, row.night.hosts, row.report] for row in self.nights]
        said = {"days": self.days, "x": self.places, "runs": runs}
        return json.dumps(said, separators=(",", ":")).replace("<", "\\u003c")


def labels_of(nights: Sequence[Night]) -> dict[str, str]:
    """Return each night to its day, UTC, with the hour where a host had several nights on that day."""
    days = {night.run: night.started.astimezone(UTC).date().isoformat() for night in nights}
    on_host = Counter((days[night.run], host) for night in nights for host in night.hosts)
    several = {day for (day, _), count in on_host.items() if count > 1}
    return {
        night.run: f"{night.started.astimezone(UTC):%Y-%m-%d %H:%M}"
        if days[night.run] in several
        else days[night.run]
        for night in nights
    }


def trends_page(
    nights: Sequence[Night],
    all_series: Sequence[Series],
    *,
    made: str,
    harness_version: str,
    title: str = "Nights",
    reports: Mapping[str, str] | None = None,
    problems: Sequence[str] = (),
    left: Sequence[OpenChange] = (),
) -> TrendsPage:
    """Return the view of a history.

    :param nights, all_series: oldest first, changes looked for; :param reports: night to its own report
    :param made: when the page is made; :param left: changes that alarmed and are open
    """
    links, labels = reports or {}, labels_of(nights)
    rows = tuple(NightRow(labels[night.run], night, links.get(night.run, "")) for night in nights)
    days = tuple(dict.fromkeys(row.day for row in rows))
    last = days[-1] if days else ""
    shown = [one for one in all_series if one.points]
    still = tuple(replace(one, day=labels.get(one.run, one.day)) for one in left)
    lines: tuple[SeriesRow, ...] = ()
    figures: tuple[Figure, ...] = ()
    places: tuple[int, ...] = ()
    if shown:
        span = Span(min(x.points[0].started for x in shown), max(x.points[-1].started for x in shown))
        matrices = {night.run: night.matrix for night in nights}
        lines = tuple(
            replace(_row(one, span, labels, matrices), open_since=_open_since(one, still)) for one in shown
        )
        figures = tuple(_figures(shown, span))
        places = tuple({labels[night.run]: span.x(night.started) for night in nights}.values())
    return TrendsPage(
        title=title,
        made=made,
        harness_version=harness_version,
        last=last,
        days=days,
        nights=rows,
        new=tuple(changes.seen_last(shown, labels, last)),
        open=tuple(changes.still_open(shown, labels, last)),
        rows=tuple(
            sorted(
                lines,
                key=lambda row: (
                    not row.open_since,
                    not row.changes,
                    not row.series.measure.startswith(LATENCY),
                ),
            )
        ),
        figures=figures,
        choices={name: _choices(shown, name) for name in FILTERS},
        problems=tuple(problems),
        left=_by_cell(still),
        places=places,
    )


def _by_cell(left: Sequence[OpenChange]) -> tuple[OpenCell, ...]:
    """Return what is open, one record a cell and host: a change of the latency says it best."""
    cells: dict[tuple[str, str], list[OpenChange]] = {}
    for one in left:
        cells.setdefault((one.cell, one.host), []).append(one)
    ordered = (sorted(own, key=lambda x: (x.measure != LATENCY, x.against != "")) for own in cells.values())
    return tuple(OpenCell(own[0], tuple(own[1:])) for own in ordered)


def _open_since(series: Series, left: Sequence[OpenChange]) -> str:
    """Return the night since which a change of *series* is open, empty where none is."""
    own = series.subject.cell, series.subject.host, series.measure
    return next((one.day for one in left if (one.cell, one.host, one.measure) == own), "")


def _choices(all_series: Sequence[Series], name: str) -> tuple[str, ...]:
    if name == "measure":
        return tuple(dict.fromkeys(one.measure for one in all_series))
    return tuple(dict.fromkeys(str(getattr(one.subject, name)) for one in all_series))


def _row(series: Series, span: Span, labels: Mapping[str, str], matrices: Mapping[str, str]) -> SeriesRow:
    scale = scale_of(series.points)
    last = series.points[-1]
    ends = (
        ""
        if last.low is None or last.high is None
        else f"{_bare(last.low, series)} to {_bare(last.high, series)}"
    )
    own = change_rows(series, labels)
    by_day = {labels[point.night]: f"{point.value:.4g}" for point in series.points if point.night in labels}
    days = dict.fromkeys(labels.values())
    return SeriesRow(
        series=series,
        anchor=series_anchor(series),
        title=title_of(series.measure),
        last=value_text(last.value, series.unit),
        interval=ends,
        nights=len(series.points),
        plot=plot(series, span, scale),
        ticks=_ticks(scale),
        marks=tuple(
            Mark(span.x(change.started), row.kind, f"{row.since}: {row.by} ({row.sure})")
            for change, row in zip(series.changes, own, strict=True)
        ),
        changes=own,
        values=",".join(by_day.get(day, "") for day in days).rstrip(","),
        command=command_of(series, matrices.get(last.night, "MATRIX.toml")),
    )


def _bare(value: float, series: Series) -> str:
    return (
        value_text(value, series.unit).rpartition(" ")[0]
        if series.unit != "share"
        else value_text(value, "share")
    )


def _ticks(scale: Scale) -> tuple[tuple[int, str], ...]:
    return tuple((round(HEIGHT * (1 - scale.place(value))), text) for value, text in scale.ticks[:4])


def command_of(series: Series, matrix: str) -> str:
    """Return the command that measures the subject of *series* again, beside the others of its block."""
    one = series.subject
    words = [one.network, one.treatment, one.runtime]
    return shlex.join(["trtmatrix", "run", matrix, "-k", " and ".join(words), "--out", "again"])


def _figures(all_series: Sequence[Series], span: Span) -> list[Figure]:
    groups: dict[tuple[str, str, str], list[Series]] = {}
    for one in all_series:
        if one.measure == LATENCY:
            groups.setdefault((one.subject.network, one.subject.treatment, one.subject.host), []).append(one)
    found = []
    for (network, treatment, host), own in groups.items():
        scale = scale_of([point for one in own for point in one.points])
        lines = tuple(
            (f"v{at % COLOURS}{' again' if at >= COLOURS else ''}", _release(one), plot(one, span, scale))
            for at, one in enumerate(own)
        )
        found.append(
            Figure(
                f"{network} {treatment} on {host}",
                anchor("v", network, treatment, host),
                _ticks(scale),
                lines,
            )
        )
    return found


def _release(series: Series) -> str:
    one = series.subject
    return f"{one.runtime} {one.version}" + (f" {one.repeat}" if one.repeat else "")
