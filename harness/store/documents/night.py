"""``nights/RUN.json`` and ``history.json``: which runs a history holds, and what it keeps of them."""

from __future__ import annotations

from msgspec import field

from harness.store.documents.base import UNKNOWN, Document, Part
from harness.store.documents.build import Time


class ChangedSeries(Part, frozen=True, kw_only=True):
    """A change that a night confirmed: of a series over nights, or between two cells of a run.

    :param cell: its id; :param environment: its kind; :param measure: ``latency``, or the name of a rule
    :param kind: ``night`` where the level of the series is another from this night on; else as a verdict's
    :param against: cell compared with, of other kinds
    :param verdict, text: what was answered, and why
    :param gone: whether it ends a change that was open, or is for the better
    """

    cell: str
    environment: str
    host: str
    measure: str
    kind: str = "night"
    against: str = ""
    verdict: str = ""
    text: str = ""
    gone: bool = False


class Night(Document, frozen=True, kw_only=True, tag="trtmatrix.night/1"):
    """A run in a history; written last, so that what it names is there.

    :param run: its id; :param started: UTC; :param state: of the run: ``complete``, ``interrupted`` ...
    :param added: when it was added
    :param digest: over the documents of all builds; the same run with another is an earlier state of it
    :param builds: their number; :param series: subjects times measures
    :param hosts: that it was measured on; :param versions: ``RUNTIME VERSION`` of each
    :param matrix: name of its matrix file; :param harness: the release that measured it
    :param files: Parquet files of the history, relative to its folder
    :param bundle: where the run's own files lie, relative to that; None where they were pruned or not kept
    :param alarms: what was raised in this night, a line each; its bundle is never pruned
    :param changed: series whose level is another from this night on
    :param unread: what of it could not be read when it was added
    :param engines: names of the anchors' engines that were measured in it, kept in the history
    """

    run: str
    started: Time
    state: str = UNKNOWN
    added: Time
    digest: str
    builds: int
    series: int
    hosts: list[str] = field(default_factory=list)
    versions: list[str] = field(default_factory=list)
    matrix: str = UNKNOWN
    harness: str = UNKNOWN
    files: list[str] = field(default_factory=list)
    bundle: str | None = None
    alarms: list[str] = field(default_factory=list)
    changed: list[ChangedSeries] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    engines: list[str] = field(default_factory=list)


class History(Document, frozen=True, kw_only=True, tag="trtmatrix.history/1"):
    """What makes a folder a history. :param created: UTC"""

    created: Time
