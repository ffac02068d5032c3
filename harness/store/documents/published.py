"""What a published run answers, small enough to travel with every installation."""

from __future__ import annotations

from msgspec import field

from harness.store.documents.base import Document, Part
from harness.store.documents.verdicts import ShortRecord


class GainRecord(Part, frozen=True, kw_only=True):
    """What a remedy gained.

    :param remedy: its name; :param network: with its treatment, in words
    :param value: of the treatment's field, empty for a pass of the same builds
    :param factor: new / old of the latency; :param interval: 95 %, over builds
    :param builds: of the side with fewer
    """

    remedy: str
    runtime: str
    version: str
    network: str
    device: str
    value: str
    factor: float
    interval: tuple[float, float] | None
    builds: int


class Published(Document, frozen=True, kw_only=True, tag="trtmatrix.published/1"):
    """The answers of one published bundle.

    :param bundle: its name; :param measured: day or days
    :param short: answers on each runtime; :param gains: of remedies, those that the builds show
    """

    bundle: str
    measured: str
    short: list[ShortRecord] = field(default_factory=list)
    gains: list[GainRecord] = field(default_factory=list)
