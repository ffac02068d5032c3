"""What a history says: nights, and for each subject and measure a series of one point a night."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import NamedTuple

from harness.store.documents.base import UNKNOWN
from harness.written import number_of

LATENCY = "latency"
"""The measure that versions are chosen by; another pass is ``latency:cuda_graph``."""


class Subject(NamedTuple):
    """What is followed from night to night; sorts and hashes.

    :param treatment: its label; :param environment: its kind (``venv``, ``docker`` ...)
    :param repeat: of the second arm of an A/A pair, else empty
    """

    network: str
    treatment: str
    runtime: str
    version: str
    environment: str
    host: str
    repeat: str = ""

    @property
    def cell(self) -> str:
        """The id of its cells."""
        return "-".join(filter(None, (self.network, self.treatment, self.runtime, self.version, self.repeat)))

    @property
    def name(self) -> str:
        """``mobilenet_v2 fp32-b1-clip on onnxruntime 1.22.1``, with the arm and without the host."""
        arm = f" ({self.repeat})" if self.repeat else ""
        return f"{self.network} {self.treatment} on {self.runtime} {self.version}{arm}"


@dataclass(frozen=True, slots=True)
class Facts:
    """What a night was measured on, beside the subject; ``unknown`` where nobody stated it.

    :param driver: the GPU's, ``none`` on a CPU; :param image: digest of the container's image, empty for none
    :param content: digest over what the environment held
    :param harness: its release; :param clocks: highest ones of the device, or the processor's name
    :param kernel: of the machine's system; :param digest: of the network
    """

    driver: str = UNKNOWN
    image: str = UNKNOWN
    content: str = UNKNOWN
    harness: str = UNKNOWN
    clocks: str = UNKNOWN
    kernel: str = UNKNOWN
    digest: str = UNKNOWN

    def differences(self, other: Facts) -> tuple[str, ...]:
        """Return in words what is not as in *other*, the weightiest first: ``driver 535.1 -> 550.2``."""
        pairs = ((_NAMES[x.name], getattr(other, x.name), getattr(self, x.name)) for x in fields(self))
        return tuple(
            f"{name} {_short(old)} -> {_short(new)}"
            for name, old, new in pairs
            if old != new and UNKNOWN not in (old, new)
        )


_NAMES = {
    "driver": "driver",
    "image": "image digest",
    "content": "environment",
    "harness": "harness version",
    "clocks": "clocks",
    "kernel": "kernel",
    "digest": "network digest",
}


def _short(value: str) -> str:
    return value[:19] if value.startswith("sha256:") else value or "none"


@dataclass(frozen=True, slots=True)
class Point:
    """One night of a series.

    :param night: id of its run; :param started: UTC
    :param value: mean over builds, in the unit of the series; :param low, high: its 95 % interval over
        builds, None with fewer than two
    :param values: one a build
    """

    night: str
    started: datetime
    value: float
    low: float | None
    high: float | None
    values: tuple[float, ...]
    facts: Facts

    @property
    def builds(self) -> int:
        """How many builds it is made of."""
        return len(self.values)


@dataclass(frozen=True, slots=True)
class ChangePoint:
    """A night from which on the level of a series is another.

    :param index: of the first night after the change, in the points of the series
    :param night: its id; :param started: UTC
    :param seen: index of the night that confirmed it
    :param size: level since / level before; of a measure that may be 0: level since - level before
    :param low, high: 95 % interval of it, from the scatter of nights
    :param facts: in words which fact of the identity changed with it, none for nothing known
    """

    index: int
    night: str
    started: datetime
    seen: int
    size: float
    low: float
    high: float
    facts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Series:
    """One measure of one subject over the nights, oldest first.

    :param measure: ``latency``, ``latency:cuda_graph``, ``layers``, ``class:pointwise``, ``cost:relu6``,
        ``adoption:gemm``, ``reformats``, ``build_seconds``, ``engine_bytes``, ``device_memory_bytes``
    :param unit: ``ms``, ``share``, ``count``, ``s``, ``bytes``
    :param changes: oldest first; empty until they were looked for
    """

    subject: Subject
    measure: str
    unit: str
    points: tuple[Point, ...]
    changes: tuple[ChangePoint, ...] = ()

    @property
    def relative(self) -> bool:
        """Whether levels are compared by their ratio; by their difference where they may be 0."""
        return is_relative(self.measure)


ADOPTION = "adoption:"
"""What measures of kernels begin with."""


def is_relative(measure: str) -> bool:
    """Say whether levels of *measure* are compared by their ratio: they are above 0."""
    return not measure.startswith((ADOPTION, "cost:")) and measure != "reformats"


@dataclass(frozen=True)
class Filter:
    """Which series are asked for: patterns as a shell's, and nights from *since* to *until* (UTC)."""

    network: str = "*"
    treatment: str = "*"
    runtime: str = "*"
    version: str = "*"
    environment: str = "*"
    host: str = "*"
    measure: str = "*"
    since: datetime | None = None
    until: datetime | None = None

    def patterns(self) -> Iterator[tuple[str, str]]:
        """Yield column and pattern of what is not everything."""
        for item in fields(self):
            value = getattr(self, item.name)
            if isinstance(value, str) and value != "*":
                yield item.name, value


EVERYTHING = Filter()
"""All series of all nights."""


@dataclass(frozen=True)
class Problem:
    """A file of a history that was left out, and why."""

    path: str
    reason: str

    def __str__(self) -> str:
        """Return it as one line."""
        return f"{self.path}: {self.reason}"


@dataclass(frozen=True)
class Layer:
    """A layer of one build, as :class:`Point` has the latency; :param ms: median of the profile."""

    night: str
    build: int
    name: str
    op_class: str
    kernel: str
    ms: float


@dataclass(frozen=True)
class Added:
    """What became of a run that was added.

    :param state: ``added``, ``completed`` (it has more builds than before), ``there already``
    :param problems: what of it could not be read
    """

    night: str
    state: str
    builds: int
    series: int
    problems: tuple[str, ...] = field(default=())

    @property
    def words(self) -> str:
        """It in one line."""
        unread = f"; not read: {'; '.join(self.problems)}" if self.problems else ""
        return f"{self.night}: {self.state}, {number_of(self.builds, 'build')}, {self.series} series{unread}"
