"""What a bottleneck rule is: a cost in one build, and the evidence beside it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from harness.observations.records import BuildObservation, RunObservation


@dataclass(frozen=True)
class Cost:
    """The cost of one bottleneck in one build.

    :param milliseconds: as the decision table defines it
    :param share: of the total layer time (e), None for a partial profile
    :param layers: the layers that carry it, heaviest first: (name, milliseconds)
    :param evidence: JSON-able: adoption, counts, formats; evidence is never the verdict
    :param note: what has to be said beside the number, in words that follow a semicolon; empty for nothing
    :param signed: ms, what differences are made of, which may lie below 0; None where it is *milliseconds*
    """

    milliseconds: float
    share: float | None
    layers: tuple[tuple[str, float], ...] = ()
    evidence: Mapping[str, object] = field(default_factory=dict)
    note: str = ""
    signed: float | None = None


@dataclass(frozen=True)
class RuleSection:
    """What a rule says in a report beyond its verdicts: sentences, and a table below them.

    :param sentences: paragraphs of plain text
    :param head: names of the table's columns; :param rows: its rows, as many cells each, as text
    """

    heading: str
    sentences: tuple[str, ...] = ()
    head: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()


class Rule(Protocol):
    """Registered through ``trtmatrix_bottlenecks``; derive from it: members with a body are its defaults."""

    @property
    @abstractmethod
    def name(self) -> str:
        """``pointwise``, ``depthwise``, ``reformat``, ``relu6``, ``formats``."""
        ...

    @property
    @abstractmethod
    def title(self) -> str:
        """For people: ``1x1 convolutions``."""
        ...

    @property
    def searches(self) -> bool:
        """Whether the cost needs what builders tried (``build.evidence.tactics``), long to read."""
        return True

    @abstractmethod
    def cost(self, build: BuildObservation) -> Cost | None:
        """Return the cost in *build*, None where the build's evidence cannot tell."""
        ...

    def section(self, run: RunObservation) -> RuleSection | None:  # noqa: ARG002
        """Return what the report says of *run* in a section of the rule's own, None for no section."""
        return None
