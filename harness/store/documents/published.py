"""What a published run answers, small enough to travel with every installation."""

from __future__ import annotations

from msgspec import field

from harness.store.documents.base import Document, Part
from harness.store.documents.verdicts import ShortRecord
from harness.written import change


class GainRecord(Part, frozen=True, kw_only=True):
    """What a remedy gained: new / old of the latency, of a batch by image.

    :param remedy: its name; :param version: of the runtime; :param network: with its treatment, in words
    :param value: of the treatment's field, empty for a pass of the same builds
    :param factor: new / old of the latency; :param interval: 95 %, over builds, None where there are too few
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

    @property
    def told(self) -> bool:
        """Whether it is a gain: the interval lies below 1."""
        return self.interval is not None and self.interval[1] < 1

    @property
    def words(self) -> str:
        """The gain with its interval: ``−20.3 % (−21.0 to −19.5)``."""
        ends = " to ".join(change(end).removesuffix(" %") for end in self.interval or ())
        return f"{change(self.factor)} ({ends})" if ends else change(self.factor)


class Published(Document, frozen=True, kw_only=True, tag="trtmatrix.published/1"):
    """The answers of one published bundle.

    :param bundle: its name; :param measured: day or days
    :param short: answers on each runtime; :param gains: of remedies, those that the builds show
    """

    bundle: str
    measured: str
    short: list[ShortRecord] = field(default_factory=list)
    gains: list[GainRecord] = field(default_factory=list)
