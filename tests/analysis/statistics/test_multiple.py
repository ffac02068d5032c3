"""Benjamini-Hochberg: as scipy has it, and what has no probability is left out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from harness.analysis.statistics.multiple import adjusted

probabilities = st.lists(st.one_of(st.none(), st.floats(0, 1)), max_size=30)


@given(probabilities)
def test_answers_are_those_of_scipy_and_none_stays_none(drawn: list[float | None]) -> None:
    known = [p for p in drawn if p is not None]
    q = adjusted(drawn)
    assert [answer is None for answer in q] == [p is None for p in drawn]
    if known:
        expected = stats.false_discovery_control(known, method="bh").tolist()
        assert [answer for answer in q if answer is not None] == pytest.approx(expected)
