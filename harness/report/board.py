"""The verdict board: every bottleneck and the latency of every version, beside the one before."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from harness.analysis.grid import Grid
from harness.analysis.verdict import LATENCY, Verdict
from harness.report.anchors import anchor


@dataclass(frozen=True)
class BoardRow:
    """A version beside its baseline.

    :param host: as rows show it, empty where the board has one host only
    :param cells: verdict by bottleneck, in the order of the columns
    """

    subject: str
    release: str
    against: str
    host: str
    anchor: str
    cells: tuple[Verdict | None, ...]


@dataclass(frozen=True)
class Board:
    """The table.

    :param columns: (name, title)
    :param unmeasured: cells whose turn did not come; the matrix at a glance has them, rows here they have not
    """

    columns: tuple[tuple[str, str], ...]
    rows: tuple[BoardRow, ...]
    unmeasured: int


def board(
    verdicts: Sequence[Verdict],
    grid: Grid,
    titles: Mapping[str, str],
    kinds: Collection[str] = ("version", "run"),
) -> Board:
    """Return the board of the verdicts on a run.

    :param titles: of the rules, by name in the order of the columns; the latency comes first
    :param kinds: what is compared: version to version, run to run ...
    """
    order = [LATENCY, *titles]
    mine = [v for v in verdicts if v.kind in kinds]
    bottlenecks = list(dict.fromkeys(v.bottleneck for v in mine))
    bottlenecks.sort(key=lambda name: order.index(name) if name in order else len(order))
    rows: dict[Place, dict[str, Verdict]] = {}
    for verdict in mine:
        rows.setdefault(_place(verdict), {})[verdict.bottleneck] = verdict
    hosts = {host for _, _, host, _, _ in rows if host}
    releases = {(g.cell.id, g.name): g.release.label for row in grid.rows for g in row.groups}
    labels = {host: grid.hosts.label(host) for host in hosts} if len(hosts) > 1 else {}
    waiting = {key for key, answers in rows.items() if all(v.unmeasured for v in answers.values())}
    return Board(
        columns=tuple((name, titles.get(name, name)) for name in bottlenecks),
        rows=tuple(
            _row(key, answers, bottlenecks, labels, releases)
            for key, answers in rows.items()
            if key not in waiting
        ),
        unmeasured=len({cell for _, cell, _, _, _ in waiting}),
    )


Place = tuple[str, str, str, str, str]
"""Subject, cell, host, group and, where a group has several rows, what it is compared with."""


def _place(verdict: Verdict) -> Place:
    # An arm in another environment has a row beside the version before it, and one beside its twin.
    rows = (verdict.kind == "run" and verdict.group) or verdict.elsewhere
    besides = verdict.against or "" if rows else ""
    return verdict.subject, verdict.cell, verdict.host, verdict.group, besides


def _row(
    key: Place,
    answers: dict[str, Verdict],
    bottlenecks: Sequence[str],
    labels: Mapping[str, str],
    releases: Mapping[tuple[str, str], str],
) -> BoardRow:
    first = next(iter(answers.values()))
    return BoardRow(
        subject=first.subject,
        # A second arm (an A/A pair, another environment) has a label of its own.
        release=releases.get((key[1], key[3]), f"{first.runtime} {first.version}"),
        against=next((v.against for v in answers.values() if v.against), "") or "",
        host=labels.get(first.host, ""),
        anchor=anchor("verdict", key[1], key[2], *(part for part in key[3:] if part)),
        cells=tuple(answers.get(name) for name in bottlenecks),
    )


@dataclass(frozen=True)
class NoiseRow:
    """A subject of a runtime: what two arms of one version differ by, beside what versions differ by."""

    subject: str
    runtime: str
    version: str
    aa: Verdict
    versions: tuple[Verdict, ...]

    @property
    def beyond(self) -> tuple[Verdict, ...]:
        """Version pairs whose latency differs by more than the A/A pair shows, and by the table too."""
        return tuple(v for v in self.versions if v.alarm)


def _beside(verdict: Verdict, aa: Verdict) -> bool:
    """Say whether *verdict* is of the subject, runtime and group of an A/A pair's."""
    return (verdict.subject, verdict.runtime) == (aa.subject, aa.runtime) and verdict.group in (aa.group, "")


def noise(verdicts: Sequence[Verdict]) -> tuple[NoiseRow, ...]:
    """Return one row an A/A pair, for the latency."""
    latency = [v for v in verdicts if v.bottleneck == LATENCY]
    return tuple(
        NoiseRow(
            subject=aa.subject,
            runtime=aa.runtime,
            version=f"{aa.version} beside {aa.against}" if aa.elsewhere else aa.version,
            aa=aa,
            versions=tuple(v for v in latency if v.kind == "version" and v.against and _beside(v, aa)),
        )
        for aa in latency
        if aa.kind == "aa"
    )
