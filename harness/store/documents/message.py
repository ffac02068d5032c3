"""The message of a run, as a command gets it on its standard input."""

from __future__ import annotations

from harness.store.documents.base import UNKNOWN, Document, Part


class AlarmRecord(Part, frozen=True, kw_only=True):
    """One cell that fails the policy: the weightiest of its answers.

    :param subject: network and treatment; :param bottleneck: name of a rule, or ``latency``
    :param effect: new / old; :param interval: its 95 % interval
    :param layers: the layers that carry it, largest first
    :param also: further bottlenecks of the cell that fail it
    :param since: the night that confirmed it, None where that is this one
    :param text: all of it in one line
    """

    cell: str
    subject: str
    runtime: str
    version: str
    host: str
    bottleneck: str
    verdict: str
    against: str | None = None
    effect: float | None = None
    interval: tuple[float | None, float | None] | None = None
    layers: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    since: str | None = None
    text: str = ""


class Message(Document, frozen=True, kw_only=True, tag="trtmatrix.message/1"):
    """What a run has to tell.

    :param run: its id; :param folder: its bundle; :param machine: where it was started
    :param title, text: for people
    :param alarms: new ones; :param open: those of earlier nights that are neither accepted nor gone
    :param accepted: changes that would fail the run, had nobody accepted them
    :param broken: cells that failed, with the reason
    :param machine_changes: what moved with all versions, the anchor among them, and is told of no version
    """

    run: str = UNKNOWN
    folder: str = ""
    machine: str = UNKNOWN
    title: str = ""
    text: str = ""
    alarms: tuple[AlarmRecord, ...] = ()
    open: tuple[AlarmRecord, ...] = ()
    accepted: int = 0
    broken: tuple[str, ...] = ()
    machine_changes: tuple[str, ...] = ()
