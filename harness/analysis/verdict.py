"""A verdict: one answer for one bottleneck, or the latency, of one version beside another."""

from __future__ import annotations

import base64
import hashlib
import math
from collections.abc import Mapping

import msgspec

from harness.analysis.table import ALARMS, INDETERMINATE, Change, State
from harness.analysis.wording import change_that_shows, times
from harness.written import MINUS, change

LATENCY = "latency"

TWIN = "its twin"
"""What the second arm of an A/A pair is held against."""

TWIN_ELSEWHERE = TWIN + " in "
"""The same of an arm in another environment, before the environment's name."""

SIDE_BY_SIDE = "side by side"
ONE_AFTER_THE_OTHER = "one after the other"
ONE_A_SIDE = "side by side, one build a side"
"""Each block holds one build of either side, so no block says what builds spread by: they are compared over
blocks, as those that were measured one after the other are."""


class LayerChange(msgspec.Struct, frozen=True):
    """A layer that carries the cost.

    :param name: source op, ``reformat a -> b`` for reformats, the engine's name for the unattributed
    :param old_ms, new_ms: mean over builds of its time in the profile, None where that side has no builds
    :param q: Benjamini-Hochberg adjusted probability, None where a side has fewer than two builds
    """

    name: str
    old_ms: float | None
    new_ms: float | None
    q: float | None = None
    changed: bool = False

    @property
    def difference_ms(self) -> float:
        """new - old, a missing side counted as nothing."""
        return (self.new_ms or 0.0) - (self.old_ms or 0.0)


class Verdict(msgspec.Struct, frozen=True):
    """One answer, as ``trtmatrix judge --json`` writes it.

    :param bottleneck: name of a rule, or ``latency``
    :param treatment: the treatment's label; :param against: version or arm compared with, None without one
    :param kind: ``version``, ``aa`` (two arms of one thing), ``treatment``, ``runtime``,
        ``run`` (a stored run), ``night`` (earlier nights of a history)
    :param state: of the new side; None for latency and where it cannot be told
    :param verdict: the one word to show
    :param effect: new / old; :param interval: its 95 % interval; :param builds: used on either side
    :param smallest_detectable: slowdown that these builds could have shown, None: none at all; relative, of a
        bottleneck as a share of the old layer time
    :param difference: of a bottleneck, the judged quantity: (cost(new) - cost(old)) / total layer time(old);
        :param difference_interval: its 95 % interval
    :param measured: ``side by side``, ``side by side, one build a side``, ``one after the other``, None where
        nothing is compared
    :param settles: what would settle it where it cannot be told
    :param group: what tells the builds from others of this cell and host, which they are not pooled with
    :param accepted: ``reason`` and ``expires`` where someone accepted this change
    :param since: of a change that is open: day of the night that confirmed it
    :param confirmed: of an alarm that was measured again in its run: whether the new builds alone give it too
    """

    bottleneck: str
    network: str
    treatment: str
    runtime: str
    version: str
    host: str
    verdict: str
    reason: str
    cell: str
    state: State | None = None
    change: Change | None = None
    effect: float | None = None
    interval: tuple[float, float] | None = None
    builds: tuple[int, int] = (0, 0)
    smallest_detectable: float | None = None
    layers: tuple[LayerChange, ...] = ()
    evidence: Mapping[str, object] = msgspec.field(default_factory=dict)
    against: str | None = None
    against_cell: str | None = None
    kind: str = "version"
    group: str = ""
    accepted: Mapping[str, str] | None = None
    difference: float | None = None
    difference_interval: tuple[float, float] | None = None
    measured: str | None = None
    settles: str | None = None
    confirmed: bool | None = None
    since: str | None = None

    @property
    def name(self) -> str:
        """What people call it by, ``latency-k3m7qa``: the same whenever the same is asked of one host."""
        asked = (self.kind, self.cell, self.against or "", self.against_cell or "", self.host, self.group)
        digest = hashlib.sha256("\0".join(asked).encode()).digest()
        return f"{self.bottleneck}-{base64.b32encode(digest)[:6].decode().lower()}"

    @property
    def can_be_reproduced(self) -> bool:
        """Whether it is a change from one version of its run to another (``trtmatrix reproduce``)."""
        changed = self.change in (Change.REMOVED, Change.REDUCED, Change.REGRESSED)
        return changed and self.kind == "version" and self.against_cell is not None

    @property
    def alarm(self) -> bool:
        """Whether a pair was given an answer other than unchanged or indeterminate."""
        return self.against is not None and self.verdict in ALARMS

    @property
    def elsewhere(self) -> bool:
        """Whether an arm in another environment is held against its twin."""
        return self.kind == "aa" and (self.against or "").startswith(TWIN_ELSEWHERE)

    @property
    def carriers(self) -> tuple[LayerChange, ...]:
        """The layers that changed, and as the whole did, largest first: what got slower carries no gain."""
        if self.effect is None:
            return ()
        size = self.effect - 1 if self.difference is None else self.difference
        moved = (layer for layer in self.layers if layer.changed)
        return tuple(layer for layer in moved if layer.difference_ms * size > 0)

    @property
    def scatters(self) -> bool:
        """Whether there is an interval to speak of: costs below the resolution on both sides have none."""
        ends = self.difference_interval or self.interval
        return ends is not None and ends[0] < ends[1]

    @property
    def about_material(self) -> bool:
        """Whether only the limit leaves it untold: it is surely there, and surely under twice that."""
        material = self.evidence.get("material")
        if self.verdict != INDETERMINATE or not isinstance(material, float):
            return False
        middle, ends = (1.0, self.interval) if self.difference is None else (0.0, self.difference_interval)
        if ends is None or not self.scatters:
            return False
        low, high = (end - middle for end in ends)
        return low * high > 0 and max(-low, high) < 2 * material

    @property
    def shows(self) -> str | None:
        """What its builds could have shown; None where that is not known, or the reason says it already."""
        if self.smallest_detectable is None or not self.scatters:
            return None
        said = change_that_shows(self.smallest_detectable, "" if self.difference is None else "it")
        return None if said in self.reason else said

    @property
    def moved(self) -> str:
        """How it changed, with its interval: ``−17.3 % (−18.5 to −16.0)``; a cost by layer time."""
        if self.difference is not None:
            size, ends, of = _signed(self.difference), self.difference_interval, " of the layer time"
            low, high = map(_signed, ends) if ends is not None else ("", "")
        else:
            size, ends, of = change(self.effect), self.interval, ""
            low, high = map(change, ends) if ends is not None else ("", "")
        if not self.scatters:
            return f"{size}{of}"
        return f"{size} ({low.removesuffix(' %')} to {high.removesuffix(' %')}){of}"

    @property
    def unmeasured(self) -> bool:
        """Whether nobody tried: the run ended before this cell's turn. What failed was tried."""
        return self.evidence.get("status") == "interrupted"

    @property
    def subject(self) -> str:
        """Network and treatment."""
        return f"{self.network}-{self.treatment}"

    def as_json(self) -> dict[str, object]:
        """Return the JSON form; numbers that are not finite become null."""
        return {
            "name": self.name,
            "bottleneck": self.bottleneck,
            "network": self.network,
            "treatment": self.treatment,
            "runtime": self.runtime,
            "version": self.version,
            "host": self.host,
            "state": self.state,
            "change": self.change,
            "verdict": self.verdict,
            "effect": _number(self.effect),
            "interval": None if self.interval is None else [_number(x) for x in self.interval],
            "builds": list(self.builds),
            "smallest_detectable": _number(self.smallest_detectable),
            "reason": self.reason,
            "layers": [_layer(layer) for layer in self.layers],
            "evidence": jsonable(self.evidence),
            "against": self.against,
            "kind": self.kind,
            "group": self.group,
            "cell": self.cell,
            "against_cell": self.against_cell,
            "accepted": None if self.accepted is None else dict(self.accepted),
            "difference": _number(self.difference),
            "difference_interval": None
            if self.difference_interval is None
            else [_number(x) for x in self.difference_interval],
            "measured": self.measured,
            "settles": self.settles,
            "confirmed": self.confirmed,
            "since": self.since,
        }


def verdict_message(verdict: Verdict, layers: int = 3) -> str:
    """Return one line for people: bottleneck, word, effect with interval, builds, top layers.

    Of a comparison only layers that changed are named.

    >>> verdict_message(Verdict("relu6", "m", "fp32", "r", "2", "h", "indeterminate", "one build", "m-2"))
    'relu6 of m fp32 on r 2 (h): indeterminate: one build'
    """
    where = _where(verdict, f" against {verdict.against}" if verdict.against else "")
    parts = [f"{verdict.bottleneck} of {where}: {verdict.verdict}: {verdict.reason}"]
    if verdict.interval is None and verdict.effect is not None:
        parts.append(f"effect {times(verdict.effect)} times, no interval")
    if verdict.against and verdict.builds != (0, 0):
        parts.append("builds {} and {}".format(*verdict.builds))
    if verdict.shows is not None:
        parts.append(verdict.shows)
    if verdict.measured == ONE_AFTER_THE_OTHER:
        parts.append(f"measured {ONE_AFTER_THE_OTHER}")
    if verdict.measured == ONE_A_SIDE:
        parts.append(f"measured {ONE_A_SIDE}: no block tells what builds spread by")
    if verdict.settles is not None:
        parts.append(f"would be settled by {verdict.settles}")
    shown = [x for x in verdict.layers if x.changed or verdict.against is None][:layers]
    if shown:
        parts.append("layers: " + ", ".join(map(_layer_text, shown)))
    if verdict.accepted is not None:
        parts.append("accepted until {expires}: {reason}".format(**verdict.accepted))
    return "; ".join(parts)


def cell_message(verdict: Verdict) -> str:
    """Return one line for people on a cell as a whole, where the answer is the same for all its bottlenecks.

    >>> cell_message(Verdict("relu6", "m", "fp32", "r", "2", "", "unsupported", "no GPU", "m-2"))
    'm fp32 on r 2: unsupported: no GPU'
    """
    return f"{_where(verdict)}: {verdict.verdict}: {verdict.reason}"


def _where(verdict: Verdict, against: str = "") -> str:
    host = f" ({verdict.host})" if verdict.host else ""
    group = f" ({verdict.group})" if verdict.group else ""
    where = f"{verdict.network} {verdict.treatment} on {verdict.runtime} {verdict.version}"
    return f"{where}{group}{against}{host}"


def jsonable(value: object) -> object:
    """Return *value* with mappings, sequences and numbers as JSON has them; anything else as text."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, Mapping):
        return {str(key): jsonable(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [jsonable(inner) for inner in value]
    return _number(float(value)) if isinstance(value, float) else str(value)


def _signed(share: float) -> str:
    return f"{100 * share:+.1f} %".replace("-", MINUS)


def _number(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else float(value)


def _layer(layer: LayerChange) -> dict[str, object]:
    return {
        "name": layer.name,
        "old_ms": _number(layer.old_ms),
        "new_ms": _number(layer.new_ms),
        "q": _number(layer.q),
        "changed": layer.changed,
    }


def _layer_text(layer: LayerChange) -> str:
    old, new = ("-" if x is None else f"{x:.4f}" for x in (layer.old_ms, layer.new_ms))
    return f"{layer.name} {old} -> {new} ms"
