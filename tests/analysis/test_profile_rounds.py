"""Layer times of builds profiled in turns: what a round has in common changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.analysis.blocks import with_blocks
from harness.analysis.profile_rounds import centred
from harness.attribution.attribute import attribute
from harness.evidence.records import EngineLayer, Evidence, LayerTime
from harness.matrix.cell import Cell, Treatment
from harness.observations.records import BuildObservation, CellObservation, RunObservation
from harness.store.documents.manifest import Manifest
from harness.store.documents.profile import ProfileRound, ProfileRuns

ROUNDS, EACH = 5, 4
NAMES = ("conv", "depthwise", "pool")
FACTORS = st.lists(st.floats(0.2, 5.0), min_size=ROUNDS, max_size=ROUNDS)


def build(
    samples: np.ndarray, *, each: int = EACH, began: float | None = 0.0, rounds: Sequence[int] | None = None
) -> BuildObservation:
    """A build with these samples, of shape (inferences, layers), *each* in a round, a second a round."""
    numbers = range(len(samples) // each) if rounds is None else rounds
    profile = ProfileRuns(
        way="one at a time",
        clock="host",
        rounds=[
            ProfileRound(
                round=n, settle=1, inference_ms=[1.0] * EACH, at=None if began is None else began + n
            )
            for n in numbers
        ],
    )
    evidence = Evidence(
        layers=tuple(EngineLayer(at, name) for at, name in enumerate(NAMES)),
        times=tuple(
            LayerTime(at, name, median_ms=float(np.median(own)), samples_ms=tuple(own.tolist()))
            for at, (name, own) in enumerate(zip(NAMES, samples.T, strict=True))
        ),
        profile=profile,
    )
    return BuildObservation(
        0, "ok", "host", evidence=evidence, engine=attribute(None, evidence), block="block"
    )


def drawn(seed: int, builds: int = 3, inferences: int = ROUNDS * EACH) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [np.exp(0.1 * rng.normal(size=(inferences, len(NAMES)))) for _ in range(builds)]


def times(builds: Sequence[BuildObservation]) -> np.ndarray:
    engines = centred(builds)
    return np.array([[layer.time_ms for layer in engines[id(one)].layers] for one in builds])


@settings(deadline=None, max_examples=40)
@given(FACTORS, st.integers(0, 1000), st.sampled_from([1, EACH]))
def test_what_a_round_has_in_common_changes_nothing(factors: list[float], seed: int, each: int) -> None:
    plain = drawn(seed, inferences=ROUNDS * each)
    shared = np.repeat(factors, each)[:, None]
    found = times([build(one * shared, each=each) for one in plain])
    without = times([build(one, each=each) for one in plain])
    # the level is open: all builds and layers have the same factor
    np.testing.assert_allclose(found / found[0, 0], without / without[0, 0], rtol=1e-9)


@settings(deadline=None, max_examples=40)
@given(FACTORS, st.integers(2, ROUNDS - 1), st.integers(0, 1000))
def test_a_build_that_lost_its_last_rounds_is_held_against_those_it_has(
    factors: list[float], kept: int, seed: int
) -> None:
    ms = np.random.default_rng(seed).uniform(1.0, 2.0, size=(3, len(NAMES)))
    shared = np.repeat(factors, EACH)[:, None]
    builds = [build(one * shared) for one in ms[:2]] + [build(ms[2] * shared[: kept * EACH])]
    found = times(builds)
    np.testing.assert_allclose(found / found[0, 0], ms / ms[0, 0], rtol=1e-9)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 1000))
def test_totals_are_the_sums_of_the_layers(seed: int) -> None:
    builds = [build(one) for one in drawn(seed)]
    for engine in centred(builds).values():
        assert engine.total_ms == pytest.approx(sum(layer.time_ms or 0.0 for layer in engine.layers))
        assert engine.unattributed_ms == pytest.approx(engine.total_ms)


def test_sub_blocks_that_were_profiled_after_each_other_share_no_round() -> None:
    first, second = [build(one) for one in drawn(1, 2)], [build(one, began=100.0) for one in drawn(2, 2)]
    both = times([*first, *second])
    np.testing.assert_array_equal(both[:2], times(first))
    np.testing.assert_array_equal(both[2:], times(second))
    assert not centred([first[0], second[0]])


@pytest.mark.parametrize(
    "alone",
    [
        build(drawn(3, 1)[0], began=None),
        build(drawn(3, 1)[0][:EACH]),
        build(0 * drawn(3, 1)[0]),
        build(drawn(3, 1)[0], rounds=range(3)),
        replace(build(drawn(3, 1)[0]), evidence=None),
    ],
    ids=["without a clock", "one round", "zeros", "more samples than told", "no evidence"],
)
def test_profiles_that_cannot_be_held_against_others_stay_as_they_are(alone: BuildObservation) -> None:
    others = [build(one) for one in drawn(4, 2)]
    assert set(centred([alone, *others])) == {id(one) for one in others}


def test_the_engines_of_a_block_are_those_of_its_builds() -> None:
    builds = tuple(build(one * np.repeat([1, 1, 1, 3, 3], EACH)[:, None]) for one in drawn(5))
    cell = CellObservation(Cell("m", Treatment(), "r", "1", "venv"), "measured", "", builds)
    run, _ = with_blocks(RunObservation((), Manifest(run="r"), (cell,)))
    found = [one.engine for one in run.cells[0].builds]
    assert found == list(centred(builds).values())
    assert [one.engine for one in builds] != found
