"""``reproduction.json``: what became of cutting a change out of a network, beside the text for people."""

from __future__ import annotations

from typing import Literal

from msgspec import field

from harness.store.documents.base import Document, Part

ReproductionState = Literal["running", "shown", "not shown", "not measured"]


class CarrierRecord(Part, frozen=True, kw_only=True):
    """A layer that carries the change.

    :param ops: source ops that it is on either side; :param old_ms, new_ms: mean over builds, in the profile
    :param changed: whether it is told apart from one that did not change
    """

    name: str
    ops: list[str]
    old_ms: float
    new_ms: float
    changed: bool


class PieceRecord(Part, frozen=True, kw_only=True):
    """A piece that was measured alone.

    :param folder: that holds its file and its run; :param ops: in execution order
    :param effect: new / old, None where it was not measured; :param interval: its 95 % interval
    :param builds: of the old and of the new side; :param old_ms, new_ms: mean over builds
    :param shows: whether at least half of the change is there, and the interval leaves out no change
    :param again: of the piece that was found, the interval of new builds, which did not choose it
    :param reason: why there is no effect, empty where there is
    """

    folder: str
    ops: list[str]
    effect: float | None = None
    interval: tuple[float, float] | None = None
    builds: tuple[int, int] = (0, 0)
    old_ms: float | None = None
    new_ms: float | None = None
    shows: bool = False
    again: tuple[float, float] | None = None
    reason: str = ""


class Reproduction(Document, frozen=True, kw_only=True, tag="trtmatrix.reproduction/1"):
    """A verdict, and the smallest piece of its network that was found to show the change.

    :param verdict: its name; :param run: id of the run; :param old, new: versions
    :param host: of the verdict; :param change: new / old of the latency, or of the layers that carry a cost
    :param state: whether a piece shows it; :param reason: why none was measured, or the search ended early
    :param ops: of the piece that was written; :param neighbours: of them, those that no carrier is made of
    :param inputs, outputs: tensors of the piece, name to shape
    :param commands: side to the line that measures it without trtmatrix
    :param compare: the line that measures both side by side
    """

    state: ReproductionState
    verdict: str
    run: str
    runtime: str
    old: str
    new: str
    network: str
    treatment: str
    host: str
    change: float
    carriers: list[CarrierRecord] = field(default_factory=list)
    pieces: list[PieceRecord] = field(default_factory=list)
    reason: str = ""
    ops: list[str] = field(default_factory=list)
    neighbours: list[str] = field(default_factory=list)
    inputs: dict[str, tuple[int, ...]] = field(default_factory=dict)
    outputs: dict[str, tuple[int, ...]] = field(default_factory=dict)
    commands: dict[str, str] = field(default_factory=dict)
    compare: str = ""
