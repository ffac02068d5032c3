from __future__ import annotations

import random

import pytest

from harness.pytest_plugin.replay import ReplayClock


def test_each_round_lasts_exactly_its_sample() -> None:
    samples = [random.Random(1).uniform(1e-6, 1e-1) for _ in range(1000)]
    clock = ReplayClock()
    clock.load(samples)
    durations = []
    for _ in samples:
        clock.rewind()
        start = clock()
        clock.advance()
        durations.append(clock() - start)
    assert durations == samples
    assert clock.exhausted


def test_no_sample_passes_twice() -> None:
    clock = ReplayClock()
    clock.load([0.5])
    clock.advance()
    with pytest.raises(IndexError):
        clock.advance()


def test_loading_begins_anew() -> None:
    clock = ReplayClock()
    clock.load([0.5, 0.25])
    clock.advance()
    clock.load([2.0])
    assert clock() == 0.0
    assert not clock.exhausted
    clock.advance()
    assert clock() == 2.0
