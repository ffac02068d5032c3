"""The state of a bottleneck, and the edges between states; changes are in test_material."""

from __future__ import annotations

import pytest

from harness.analysis.statistics.intervals import Interval
from harness.analysis.table import State, state_of

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
