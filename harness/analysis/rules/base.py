"""What a bottleneck rule is: a cost in one build, and the evidence beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from harness.observations.records import BuildObservation


@dataclass(frozen=True)
class Cost:
    """The cost of one bottleneck in one build.

    :param milliseconds: as the decision table defines it
    :param share: of the total layer time (e), None for a partial profile
    :param layers: the layers that carry it, heaviest first: (name, milliseconds)
    :param evidence: JSON-able: adoption, counts, formats; evidence is never the verdict
    :param note: what has to be said beside the number, in words that follow a semicolon; empty for nothing
    """

    milliseconds: float
    share: float | None
    layers: tuple[tuple[str, float], ...] = ()
    evidence: Mapping[str, object] = field(default_factory=dict)
    note: str = ""


class Rule(Protocol):
    """Registered through ``trtmatrix_bottlenecks``."""

    @property
    def name(self) -> str:
        """``pointwise``, ``depthwise``, ``reformat``, ``relu6``, ``formats``."""
        ...

    @property
    def title(self) -> str:
        """For people: ``1x1 convolutions``."""
        ...

    def cost(self, build: BuildObservation) -> Cost | None:
        """Return the cost in *build*, None where the build's evidence cannot tell."""
        ...
