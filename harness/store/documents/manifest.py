"""``manifest.json``: what a run is, what it was made from, and what became of each cell."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, ClassVar, Literal

from msgspec import field

from harness.matrix.cell import Cell
from harness.store.documents.base import UNKNOWN, Document, Part, schema_of
from harness.store.documents.build import Time
from harness.store.documents.machine import Machine, Neighbours
from harness.store.documents.visit import Visit


class Harness(Part, frozen=True, kw_only=True):
    """The release that wrote the bundle."""

    version: str = UNKNOWN


class Matrix(Part, frozen=True, kw_only=True):
    """The matrix file that the run was made from.

    :param file: its name; :param text: all of it; :param fail_on: verdicts that fail a run of pytest
    :param nights: earlier ones that it is held against; :param anchors: pinned versions that these are
        compared through
    :param open: whether a change that an earlier night confirmed fails it: ``fail``, ``pass``
    :param material: share of the latency, or of the layer time, from which a change is material
    """

    file: str = "recorded"
    description: str = ""
    text: str = ""
    baseline: str = "previous"
    fail_on: tuple[str, ...] = ()
    material: float = 0.01
    open: str = "fail"
    nights: int = 14
    anchors: tuple[str, ...] = ()


class CellEntry(Part, frozen=True, kw_only=True):
    """A cell of the run.

    :param treatment: field to value (:class:`harness.matrix.cell.Treatment`)
    :param repeat: label of a second arm of the same cell, or empty
    :param status: ``pending``, ``measured``, ``failed``, ``invalid``, ``unsupported``, ``unavailable``,
        ``interrupted`` or ``recorded``; :param reason: why, one line
    :param digest: of the network
    """

    id: str
    network: str
    treatment: dict[str, Any]
    runtime: str
    version: str
    environment: str
    status: str
    repeat: str = ""
    reason: str = ""
    digest: str = UNKNOWN

    @classmethod
    def of(cls, cell: Cell, status: str, reason: str = "", digest: str = UNKNOWN) -> CellEntry:
        """Return the entry of *cell*."""
        said: dict[str, Any] = dict(cell.as_json())
        return cls(**said, status=status, reason=reason, digest=digest)

    def cell(self) -> Cell:
        """Return the cell.

        :raises ValueError: a field of the treatment is of another kind
        """
        return Cell.from_json(
            {
                "id": self.id,
                "network": self.network,
                "treatment": self.treatment,
                "runtime": self.runtime,
                "version": self.version,
                "environment": self.environment,
                "repeat": self.repeat,
            }
        )


def _of_1(old: dict[str, Any]) -> dict[str, Any]:
    """Return the present form of ``trtmatrix.bundle/1``, which stated nothing as null or left it out."""
    kept = {key: value for key, value in old.items() if value is not None}
    if kept.get("state") == "finished":
        kept["state"] = "complete"
    visits = [{**visit, "schema": schema_of(Visit)} for visit in kept.pop("visits", [])]
    return {**kept, "visits": visits}


class Manifest(Document, frozen=True, kw_only=True, tag="trtmatrix.bundle/2"):
    """A run.

    :param run: its id; parts that are collected apart carry the same
    :param started: when it began
    :param finished: when it was last over; of a collected bundle when its last build began
    :param seed: of the order and the inputs; :param rounds: builds a cell that are asked for
    :param seconds: ``prepare``, ``waiting`` (for a device on which another run measured) and ``total``, which
        has both in it; added up over resumed goes
    :param warnings: evidence that could not be read
    :param confirming: cell whose alarm was measured again to the number of the first build that did so
    :param pack: id of the pack that a collected bundle was measured from; :param visits: to which hosts
    :param machines: those of the visits; of a run it is :attr:`machine` alone
    :param neighbours: what others took of the machine while the run lasted (of several goes: the last)
    """

    EARLIER: ClassVar[Mapping[str, Callable[[dict[str, Any]], dict[str, Any]]]] = {
        "trtmatrix.bundle/1": _of_1
    }

    run: str = UNKNOWN
    state: Literal["running", "complete", "interrupted"] = "running"
    started: Time | None = None
    finished: Time | None = None
    harness: Harness = field(default_factory=Harness)
    machine: Machine = field(default_factory=Machine)
    machines: tuple[Machine, ...] = ()
    neighbours: Neighbours | None = None
    seed: int | None = None
    rounds: int | None = None
    matrix: Matrix = field(default_factory=Matrix)
    pack: str | None = None
    visits: tuple[Visit, ...] = ()
    seconds: dict[str, float] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    confirming: dict[str, int] = field(default_factory=dict)
    cells: tuple[CellEntry, ...] = ()

    @property
    def began(self) -> str:
        """When it began, as a text for people; ``unknown`` where nobody stated it."""
        return UNKNOWN if self.started is None else time_text(self.started)


def time_text(time: datetime) -> str:
    """Return *time* in ISO 8601, to the millisecond where it is stated that finely."""
    return time.isoformat(timespec="milliseconds" if time.microsecond else "seconds")
