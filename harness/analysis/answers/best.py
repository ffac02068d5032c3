"""The version to use: the one with the lowest mean, and which others the decision table tells from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.analysis.blocks import Blocks
from harness.analysis.compare import compare
from harness.analysis.comparison import Comparison
from harness.analysis.figures.latency import Speed, speed_of
from harness.analysis.groups import BuildGroup, Release
from harness.analysis.material import MATERIAL
from harness.analysis.table import Change
from harness.analysis.verdict import Verdict


@dataclass(frozen=True)
class Best:
    """The release with the lowest mean of a subject.

    :param low, high: 95 % interval over builds, None with fewer than two
    :param beside: its comparison with each of the others, by the decision table
    :param speed: what its mean comes to
    """

    release: Release
    milliseconds: float
    low: float | None
    high: float | None
    beside: tuple[tuple[Release, Verdict], ...]
    speed: Speed

    @property
    def others(self) -> int:
        """Number of the other releases."""
        return len(self.beside)

    @property
    def slower(self) -> tuple[tuple[Release, Verdict], ...]:
        """The releases that are slower, with how much faster the best is."""
        return tuple(x for x in self.beside if x[1].change is Change.REDUCED)

    @property
    def ties(self) -> tuple[Release, ...]:
        """The releases that are as fast, or that cannot be told from it."""
        return tuple(release for release, verdict in self.beside if verdict.change is not Change.REDUCED)

    @property
    def alike(self) -> tuple[Release, ...]:
        """Those of the ties that are shown to be as fast."""
        return tuple(release for release, verdict in self.beside if verdict.change is Change.UNCHANGED)

    @property
    def open(self) -> bool:
        """Whether no version stands out: no other is slower than the one with the lowest mean."""
        return 0 < self.others == len(self.ties)


def best_of(groups: Sequence[BuildGroup], blocks: Blocks, material: float = MATERIAL) -> Best:
    """Return the best of *groups*, each of which has a build.

    :param material: m, a fraction
    """
    best = min(groups, key=middle_of)
    milliseconds = middle_of(best)
    return Best(
        release=best.release,
        milliseconds=milliseconds,
        low=best.latency.low,
        high=best.latency.high,
        beside=_beside(best, [group for group in groups if group is not best], blocks, material),
        speed=speed_of(best, milliseconds),
    )


def middle_of(group: BuildGroup) -> float:
    """Return the mean latency over the builds of *group*, which has some, ms."""
    middle = group.latency.middle
    assert middle is not None  # only groups with a build are asked about
    return middle


def _beside(
    best: BuildGroup, others: Sequence[BuildGroup], blocks: Blocks, material: float
) -> tuple[tuple[Release, Verdict], ...]:
    asked = (
        Comparison(None, best, other, other.release.label, "version", blocks, material) for other in others
    )
    told = compare(asked, layers=False)
    return tuple((other.release, one.verdict) for other, one in zip(others, told, strict=True))
