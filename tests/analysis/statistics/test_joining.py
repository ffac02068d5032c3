"""Sub-blocks joined by an anchor, and processes measured one after the other with an anchor between."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.analysis.statistics.joining import between_anchors, join

COMPONENT = np.array([0, 0, 0, 0, 1, 1, 1, 1])
BUILD = np.array([0, 0, 1, 2, 0, 0, 3, 4])
"""Build 0 is the anchor: two processes in each sub-block."""


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32 - 1))
def test_without_noise_sub_blocks_are_joined_exactly(seed: int) -> None:
    rng = np.random.default_rng(seed)
    offsets, builds = rng.normal(0, 1, 2), rng.normal(0, 0.1, 5)
    found = join(offsets[COMPONENT] + builds[BUILD], COMPONENT, BUILD)
    assert found.values - found.values[0] == pytest.approx(builds[BUILD] - builds[0], abs=1e-9)


def test_joining_costs_the_errors_of_the_anchors() -> None:
    found = join(np.zeros(8), COMPONENT, BUILD)
    assert found.error([0, 0], [1]) == pytest.approx(1 / 2 + 1 / 2)
    assert found.error([0, 1], [0, 1]) == pytest.approx(0.0)
    assert found.error([0, 0], [0, 1]) == pytest.approx(1 / 4)


def test_joining_costs_what_it_says() -> None:
    rng = np.random.default_rng(2)
    differences = []
    for _ in range(2000):
        found = join(rng.normal(0, 1, 8), COMPONENT, BUILD)
        differences.append(found.values[6] - found.values[2])
    error = join(np.zeros(8), COMPONENT, BUILD).error([0], [1])
    assert error is not None
    assert np.var(differences) == pytest.approx(2 + error, rel=0.1)


def test_without_an_anchor_nothing_is_joined() -> None:
    found = join(np.zeros(4), np.array([0, 0, 1, 1]), np.array([0, 1, 2, 3]))
    assert found.group.tolist() == [0, 1]
    assert found.error([0], [1]) is None
    assert found.error([0], [0]) == pytest.approx(0.0)


def test_a_process_without_a_slice_stays_without_a_value() -> None:
    found = join(np.array([0.1, np.nan, 0.1]), np.array([0, -1, 0]), np.array([0, 0, 1]))
    assert np.isnan(found.values).tolist() == [False, True, False]


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32 - 1), st.floats(-0.1, 0.1))
def test_a_straight_drift_is_taken_out(seed: int, slope: float) -> None:
    rng = np.random.default_rng(seed)
    seconds = np.cumsum(rng.uniform(1, 3, 9))
    anchor = np.arange(9) % 2 == 0
    values = np.where(anchor, 0.0, rng.normal(0, 0.1, 9))
    found = between_anchors(values + slope * seconds + 3.0, seconds, anchor)
    assert found[~anchor] == pytest.approx(values[~anchor], abs=1e-9)
    assert found[anchor][1:-1] == pytest.approx(0.0, abs=1e-9)


def test_a_lost_anchor_is_passed_over() -> None:
    found = between_anchors(
        np.array([1.0, 1.5, np.nan, 1.7, 1.0]), np.arange(5), np.array([1, 0, 1, 0, 1], dtype=bool)
    )
    assert found[[1, 3]] == pytest.approx([0.5, 0.7])
    assert np.isnan(found[2])
    assert np.isnan(between_anchors(np.array([1.0, 2.0]), [0, 1], np.array([True, False]))[0])
