"""One comparison of two groups of builds: what is asked, and the verdict made of its answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import msgspec

from harness.analysis.blocks import Blocks, SharedPass
from harness.analysis.groups import BuildGroup
from harness.analysis.material import MATERIAL
from harness.analysis.rules.base import Rule
from harness.analysis.table import INDETERMINATE, Change, State
from harness.analysis.verdict import LATENCY, ONE_A_SIDE, ONE_AFTER_THE_OTHER, SIDE_BY_SIDE, Verdict


class Found(msgspec.Struct, frozen=True):
    """The numbers of a comparison, as :class:`Verdict` has them."""

    effect: float | None = None
    interval: tuple[float, float] | None = None
    builds: tuple[int, int] | None = None
    smallest: float | None = None
    difference: float | None = None
    difference_interval: tuple[float, float] | None = None
    settles: str | None = None


@dataclass(frozen=True)
class Comparison:
    """What is asked: one rule (None: latency) of *new*, beside *old* where there is one.

    :param against: what the old side is called; :param kind: see :class:`Verdict`
    :param blocks: those of the run; :param material: m, a fraction
    """

    rule: Rule | None
    new: BuildGroup
    old: BuildGroup | None = None
    against: str | None = None
    kind: str = "version"
    blocks: Blocks = field(default_factory=Blocks)
    material: float = MATERIAL

    @cached_property
    def shared(self) -> SharedPass | None:
        """The block that both were measured in."""
        return None if self.old is None else self.blocks.shared(self.old, self.new)

    @property
    def name(self) -> str:
        """Name of the rule, or ``latency``."""
        return LATENCY if self.rule is None else self.rule.name

    def _apart(self, old: BuildGroup) -> str:
        """Return how two groups were measured that no block tells apart."""
        return ONE_A_SIDE if self.blocks.one_a_side(old, self.new) else ONE_AFTER_THE_OTHER

    def verdict(
        self,
        word: str,
        reason: str,
        *,
        state: State | None = None,
        change: Change | None = None,
        found: Found | None = None,
        evidence: Mapping[str, object] | None = None,
    ) -> Verdict:
        """Return the verdict of this comparison with *word* as its answer."""
        cell = self.new.cell
        found = found or Found()
        sides = [0 if x is None else len(x.series(self.rule).values) for x in (self.old, self.new)]
        measured = None
        if self.old is not None and all(sides):
            measured = SIDE_BY_SIDE if self.shared is not None else self._apart(self.old)
        return Verdict(
            bottleneck=self.name,
            network=cell.network,
            treatment=cell.treatment.label,
            runtime=cell.runtime,
            version=cell.version,
            host=self.new.host,
            verdict=word,
            reason=reason,
            cell=cell.id,
            state=state,
            change=change,
            effect=found.effect,
            interval=found.interval,
            builds=found.builds or (sides[0], sides[1]),
            smallest_detectable=found.smallest,
            difference=found.difference,
            difference_interval=found.difference_interval,
            measured=measured,
            settles=found.settles if word == INDETERMINATE else None,
            evidence=evidence or {},
            against=self.against if self.old is not None else None,
            against_cell=None if self.old is None else self.old.cell.id,
            kind=self.kind,
            group=self.new.name,
        )
