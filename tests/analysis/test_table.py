"""Every line of the decision table, and the edges between them."""

from __future__ import annotations

import pytest

from harness.analysis.statistics.intervals import Interval
from harness.analysis.table import Change, State, change_of, latency_change, state_of

P, A = State.PRESENT, State.ABSENT


@pytest.mark.parametrize(
    ("low", "high", "state"),
    [
        (0.051, 0.2, P),
        (0.01, 0.049, A),
        (0.05, 0.2, None),  # touches 5 %: neither wholly above nor below
        (0.01, 0.05, None),
        (0.04, 0.06, None),
    ],
)
def test_state(low: float, high: float, state: State | None) -> None:
    assert state_of(Interval((low + high) / 2, low, high)) is state


def test_state_without_interval() -> None:
    assert state_of(None) is None


@pytest.mark.parametrize(
    ("low", "high", "old", "new", "change"),
    [
        (0.5, 0.97, P, A, Change.REMOVED),
        (0.5, 0.97, P, P, Change.REDUCED),
        (0.5, 0.97, None, P, Change.REDUCED),
        (0.5, 0.97, A, A, Change.REDUCED),
        (0.5, 0.97, P, None, None),  # removed or reduced: cannot be told
        (0.5, 0.97, None, A, None),  # removed, or never there
        (0.5, 0.98, P, A, None),  # touches 1 - m
        (0.98, 1.02, P, P, Change.UNCHANGED),
        (0.979, 1.02, P, P, None),
        (0.98, 1.021, P, P, None),
        (1.021, 1.5, P, P, Change.REGRESSED),
        (1.021, 1.5, A, A, Change.REGRESSED),
        (1.02, 1.5, P, P, None),
    ],
)
def test_change(low: float, high: float, old: State | None, new: State | None, change: Change | None) -> None:
    answer = change_of(Interval((low + high) / 2, low, high), 0.02, old, new)
    assert answer.change is change
    assert f"({low:.3f} to {high:.3f})" in answer.reason


def test_a_wider_margin_asks_for_more() -> None:
    r = Interval(0.93, 0.9, 0.96)
    assert latency_change(r, 0.02).change is Change.REDUCED
    assert latency_change(r, 0.05).change is None
    assert latency_change(r, 0.11).change is None


def test_noise_alone_never_makes_unchanged() -> None:
    assert latency_change(Interval(1.0, 0.95, 1.05), 0.5).change is Change.UNCHANGED
    answer = latency_change(Interval(1.0, 0.94, 1.05), 0.5)
    assert answer.change is None
    assert "too wide to be called unchanged" in answer.reason


def test_latency_is_never_removed() -> None:
    assert latency_change(Interval(0.01, 0.01, 0.01), 0.02).change is Change.REDUCED
