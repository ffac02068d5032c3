"""One verdict, as ``judge --json`` and messages print it."""

from __future__ import annotations

from typing import Any

from harness.store.documents.base import Part


class LayerRecord(Part, frozen=True, kw_only=True):
    """A layer that carries a cost.

    :param old_ms, new_ms: mean over builds, None where that side has no builds
    :param q: adjusted probability that nothing changed, None with fewer than two builds on a side
    """

    name: str
    old_ms: float | None
    new_ms: float | None
    q: float | None = None
    changed: bool = False


class VerdictRecord(Part, frozen=True, kw_only=True):
    """One answer for one bottleneck, or the latency, of one version beside another.

    :param bottleneck: name of a rule, or ``latency``
    :param treatment: its label; :param state: ``present``, ``absent``, None where it cannot be told
    :param change: ``removed``, ``reduced``, ``unchanged``, ``regressed``, None for none of these
    :param verdict: the one word to show; :param effect: new / old; :param interval: its 95 % interval
    :param builds: used of the old and of the new side
    :param smallest_detectable: slowdown that these builds could have shown, relative; of a bottleneck as a
        share of the old layer time
    :param difference: of a bottleneck: (cost(new) - cost(old)) / total layer time(old), which is judged;
        :param difference_interval: its 95 % interval
    :param measured: ``side by side``, ``side by side, one build a side``, ``one after the other``, None where
        nothing is compared
    :param settles: what would settle it where it cannot be told
    :param evidence: what the rule counted, and the numbers behind the answer
    :param against: version or arm compared with; :param kind: ``version``, ``aa``, ``treatment``, ``run``
    :param cell, against_cell: ids; :param group: what tells the builds from others of this cell and host
    :param accepted: ``reason`` and ``expires`` where someone accepted this change
    :param since: of a change that is open: day of the night that confirmed it
    :param confirmed: of an alarm that was measured again: whether the new builds alone give it too
    :param name: short and stable, what ``trtmatrix reproduce`` calls it by
    """

    bottleneck: str
    network: str
    treatment: str
    runtime: str
    version: str
    host: str
    state: str | None
    change: str | None
    verdict: str
    effect: float | None
    interval: tuple[float | None, float | None] | None
    builds: tuple[int, int]
    smallest_detectable: float | None
    reason: str
    layers: list[LayerRecord]
    evidence: dict[str, Any]
    against: str | None
    kind: str
    group: str = ""
    cell: str
    against_cell: str | None
    accepted: dict[str, str] | None = None
    difference: float | None = None
    difference_interval: tuple[float | None, float | None] | None = None
    measured: str | None = None
    settles: str | None = None
    confirmed: bool | None = None
    since: str | None = None
    name: str = ""
