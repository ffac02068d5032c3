"""What profiling itself costs: the layers of a build beside its inference with the profiler and without."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from harness.evidence.records import Evidence


@dataclass(frozen=True)
class Profiling:
    """How the layers of builds were timed; times are medians, ms.

    :param way: by which the runtime was made to tell them (``behind an enqueue``, ``one at a time`` ...)
    :param layers_ms: the layers added up; :param inference_ms: an inference with the profiler
    :param plain_ms: one without it, by the same clock, None where none was timed
    """

    way: str
    layers_ms: float
    inference_ms: float
    plain_ms: float | None

    @property
    def cost(self) -> float | None:
        """By how much an inference is longer with the profiler, of 1."""
        return self.inference_ms / self.plain_ms - 1.0 if self.plain_ms else None


def profiling_of(evidence: Evidence | None) -> Profiling | None:
    """Return what is known of the profile of a build, None where its bundle does not say."""
    profile = None if evidence is None else evidence.profile
    if evidence is None or profile is None:
        return None
    with_it = [ms for one in profile.rounds for ms in one.inference_ms]
    if not with_it:
        return None
    return Profiling(
        way=profile.way,
        layers_ms=sum(row.typical_ms or 0.0 for row in evidence.times),
        inference_ms=statistics.median(with_it),
        plain_ms=statistics.median(profile.plain_ms) if profile.plain_ms else None,
    )


def over(builds: Sequence[Profiling]) -> Profiling | None:
    """Return the medians of several builds, None of none; different ways are all named."""
    if not builds:
        return None
    plain = [one.plain_ms for one in builds if one.plain_ms is not None]
    return Profiling(
        way=", ".join(dict.fromkeys(one.way for one in builds)),
        layers_ms=statistics.median(one.layers_ms for one in builds),
        inference_ms=statistics.median(one.inference_ms for one in builds),
        plain_ms=statistics.median(plain) if plain else None,
    )
