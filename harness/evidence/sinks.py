"""Where readers put what they read: a record in memory or a stream of rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from harness.evidence.records import (
    Combination,
    Decision,
    EngineLayer,
    InferenceTime,
    LayerTime,
    ReaderWarning,
    SkippedRunner,
    Summary,
)
from harness.evidence.tactic_groups import TacticGroup

Row = SkippedRunner | Decision | Combination | EngineLayer | LayerTime | InferenceTime | Summary


@dataclass(frozen=True, slots=True)
class ProfileHead:
    """What stands above or below the rows of one profile.

    :param line: where it begins, from 1, None where the format has no lines
    :param layers: rows of this profile; :param single_run: the print is of one inference, and the next print
        of the same layers in the same file is another run of the same engine (P1, P3)
    """

    engine: int
    iterations: int | None
    total_ms: float | None
    layers: int
    single_run: bool = False
    line: int | None = None


class Sink(Protocol):
    """Takes rows in the order of the file."""

    def tactics(self, groups: Sequence[TacticGroup]) -> None:
        """Tactics of one format combination, finished: nothing read later changes them."""

    def emit(self, row: Row) -> None:
        """Any other row."""

    def profile(self, head: ProfileHead) -> None:
        """The profile whose rows were emitted last is complete."""

    def warn(self, warning: ReaderWarning) -> None:
        """Something could not be used."""
