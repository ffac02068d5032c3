"""Layer times of builds that were profiled in turns: what all of them share in a round is taken out.

In a round every build of a block is profiled once, in a random order, so that clocks, heat and neighbours
that last longer than a round meet all of them. Each sample is divided by the common part of its round, and
the median of a layer is taken over what is left (docs/decisions/0006-layer-times.md).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from harness.analysis.statistics.levels import Values
from harness.analysis.statistics.lockstep import process_values
from harness.analysis.statistics.stretches import stretches
from harness.attribution.attribute import is_unattributed
from harness.attribution.engine import AttributedEngine, AttributedLayer
from harness.evidence.records import Evidence
from harness.observations.records import BuildObservation

_LEAST = 2
"""Rounds, and builds of a round, of which something common can be told."""


@dataclass(frozen=True)
class _Profiled:
    """The profile of one build.

    :param samples: ms, shape (samples, rows), of an inference each or a mean of a round
    :param rounds: of each sample
    :param ends: numbers of its rounds, and when each was over, seconds
    """

    build: BuildObservation
    evidence: Evidence
    engine: AttributedEngine
    samples: Values
    rounds: tuple[int, ...]
    ends: tuple[tuple[int, float], ...]

    @property
    def span(self) -> tuple[float, float]:
        """When its first and its last round were over, seconds."""
        times = [at for _, at in self.ends]
        return min(times), max(times)


def centred(builds: Sequence[BuildObservation]) -> dict[int, AttributedEngine]:
    """Return the engines of *builds* of one block with what rounds share taken out, by ``id`` of the build.

    Builds without samples, or without others that were profiled in the same rounds, are not among them.
    """
    found = [one for build in builds if (one := _profiled(build)) is not None]
    engines: dict[int, AttributedEngine] = {}
    for members in _at_once(found):
        if len(members) >= _LEAST:
            engines.update((id(one.build), engine) for one, engine in _without_common(members))
    return engines


def _profiled(build: BuildObservation) -> _Profiled | None:
    evidence = build.evidence
    if evidence is None or evidence.profile is None or build.engine is None or build.trials:
        return None
    taken = [one for one in evidence.profile.rounds if one.inference_ms]
    rounds = tuple(one.round for one in taken for _ in one.inference_ms)
    rows = [time.samples_ms for time in evidence.times]
    ends = tuple((one.round, one.at) for one in taken if one.at is not None)
    if len(set(rounds)) < _LEAST or len(ends) < len(taken) or not rows:
        return None
    if all(len(row) == len(taken) for row in rows):
        rounds = tuple(one.round for one in taken)  # OpenVINO counts means
    if any(len(row) != len(rounds) for row in rows):
        return None  # of some inferences not all is told
    samples = np.asarray(rows, dtype=np.float64).T
    if not (np.isfinite(samples).all() and (samples >= 0).all() and (samples.sum(axis=1) > 0).all()):
        return None
    return _Profiled(build, evidence, build.engine, samples, rounds, ends)


def _at_once(found: Sequence[_Profiled]) -> Iterator[list[_Profiled]]:
    """Yield those that took turns with each other: sub-blocks were profiled one after the other."""
    members: list[_Profiled] = []
    end = -np.inf
    for one in sorted(found, key=lambda one: one.span):
        if members and one.span[0] > end:
            yield members
            members, end = [], -np.inf
        members.append(one)
        end = max(end, one.span[1])
    if members:
        yield members


def _without_common(members: Sequence[_Profiled]) -> Iterator[tuple[_Profiled, AttributedEngine]]:
    of_samples = _stretches(members)
    numbers = sorted({number for mine in of_samples for number in mine.tolist()})
    by_stretch = [
        [one.samples[mine == number] for number in numbers]
        for one, mine in zip(members, of_samples, strict=True)
    ]
    common = np.full(max(numbers) + 1, np.nan)
    common[numbers] = common_of(by_stretch)
    for one, mine in zip(members, of_samples, strict=True):
        yield one, _rescaled(one, np.median(one.samples / np.exp(common[mine])[:, None], axis=0))


def _stretches(members: Sequence[_Profiled]) -> list[NDArray[np.int_]]:
    """Return of each sample of each build the stretch of its round that it was taken in."""
    turns = sorted((number, at, build) for build, one in enumerate(members) for number, at in one.ends)
    places = itertools.count()
    found = stretches([number for number, _, _ in turns], [next(places) for _ in turns])
    of_turn = {(build, number): at for (number, _, build), at in zip(turns, found.tolist(), strict=True)}
    return [np.array([of_turn[build, number] for number in one.rounds]) for build, one in enumerate(members)]


def common_of(builds: Sequence[Sequence[Values]]) -> Values:
    """Return the common part of each round, a logarithm; the median over rounds is 0.

    Of a build and round: the median over its longer layers of what they took beside their mean. It holds
    where an interruption meets some layers of an inference. Of a round: the median over builds, each relative
    to its own level (:func:`harness.analysis.statistics.lockstep.process_values`, for builds that lack
    rounds), so that what meets one build is not taken for common.

    :param builds: of each the samples by round, ms, shape (samples, rows); empty or NaN for a round it lacks
    """
    table = np.stack([_beside_mean(one) for one in builds], axis=1)
    found = process_values(table)
    common = np.nanmedian(table - found.values, axis=1)
    return np.asarray(common - np.nanmedian(common), dtype=np.float64)


def _beside_mean(rounds: Sequence[Values]) -> Values:
    """Return what the layers of a build took in each round beside their mean over rounds, a logarithm."""
    rows = rounds[0].shape[1]
    middle = np.array([np.median(one, axis=0) if len(one) else np.full(rows, np.nan) for one in rounds])
    there = np.isfinite(middle).all(axis=1)
    found: Values = np.full(len(rounds), np.nan)
    timed = (middle[there] > 0).all(axis=0)
    if there.any() and timed.any():
        logs = np.log(middle[np.ix_(there, timed)])
        typical = logs.mean(axis=0)
        longer = typical >= np.median(typical)
        found[there] = np.median((logs - typical)[:, longer], axis=1)
    return found


def _rescaled(one: _Profiled, medians: Values) -> AttributedEngine:
    """Return the engine with *medians* as the times of its rows; a layer of no one row by the whole."""
    plain = np.array([time.typical_ms or 0.0 for time in one.evidence.times])
    whole = float(medians.sum() / plain.sum()) if plain.sum() > 0 else 1.0
    rows: dict[tuple[str, float], float] = {}
    for time, ms in zip(one.evidence.times, medians.tolist(), strict=True):
        rows.setdefault((time.name, time.typical_ms or 0.0), ms)
    layers = tuple(_layer(layer, rows, whole) for layer in one.engine.layers)
    before, after = (sum(layer.time_ms or 0.0 for layer in own) for own in (one.engine.layers, layers))
    return replace(
        one.engine,
        layers=layers,
        total_ms=one.engine.total_ms * (after / before if before > 0 else 1.0),
        unattributed_ms=sum(layer.time_ms or 0.0 for layer in layers if is_unattributed(layer)),
    )


def _layer(layer: AttributedLayer, rows: Mapping[tuple[str, float], float], whole: float) -> AttributedLayer:
    if not layer.time_ms:
        return layer
    return replace(layer, time_ms=rows.get((layer.name, layer.time_ms), layer.time_ms * whole))
